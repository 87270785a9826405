//! What an earlier version of the operator wrote.

use super::*;

/// The status of an instance as version 0.1 left it.
fn of_version_0_1() -> CoprInstanceStatus {
    let objects = include_str!("../../../../../e2e/upgrade/objects-0.1.yaml");
    let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple(objects).unwrap();
    serde_json::from_value(documents[0]["status"].clone()).unwrap()
}

#[test]
fn what_version_0_1_called_ready_is_available_and_its_conditions_of_components_go() {
    let (mut instance, seen) = serving();
    let old = of_version_0_1();
    let since = conditions::get(&old.conditions, READY).unwrap().last_transition_time.clone();
    assert!(conditions::is_true(&old.conditions, "FrontendReady"));
    instance.status = Some(old);
    for progress in [progress(&instance, &seen), Progress::default()] {
        let error = progress.seen.is_none().then(request_failed);
        let status = report(&instance, &progress, error.as_ref(), since.0 + SignedDuration::from_secs(99)).0;
        let available = conditions::get(&status.conditions, AVAILABLE).unwrap();
        assert_eq!((available.status.as_str(), &available.last_transition_time), ("True", &since));
        let unknown: Vec<_> = status.conditions.iter().filter(|c| !TYPES.contains(&&*c.type_)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn what_version_0_1_had_applied_is_remembered_though_the_first_look_at_it_fails() {
    let mut instance = parse(MINIMAL);
    instance.metadata.generation = Some(1);
    instance.status = Some(of_version_0_1());
    let after = report(&instance, &Progress::default(), Some(&request_failed()), at(0)).0;
    assert_eq!(after.applied_generation, Some(1));
    // What was edited since is not.
    instance.metadata.generation = Some(2);
    let after = report(&instance, &Progress::default(), Some(&request_failed()), at(0)).0;
    assert_eq!(after.applied_generation, Some(1));
}
