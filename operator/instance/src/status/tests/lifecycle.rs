//! Pauses, and the end of an instance.

use super::*;

#[test]
fn a_paused_instance_says_so_and_goes_on_telling_how_its_components_are() {
    let (mut instance, mut seen) = serving();
    let before = instance.status.clone().unwrap();
    (instance.spec.paused, instance.metadata.generation) = (true, Some(4));
    seen.pods.retain(|pod| pod.name_any() != "demo-redis-0");
    let watching = Progress { instance: None, ..progress(&instance, &seen) };
    let (status, _) = report(&instance, &watching, None, Timestamp::UNIX_EPOCH);
    assert_eq!(standing(&status), (STALLED, "Paused"));
    assert_eq!(condition(&status, AVAILABLE).0, "False");
    let redis = status.components.iter().find(|component| component.name == "redis").unwrap();
    assert_ne!(redis.reason, health::AVAILABLE);
    assert_eq!((status.applied_generation, &status.endpoints), (Some(3), &before.endpoints));
    assert_eq!(paused::event(&instance, &before, &status).unwrap().reason, "Paused");
    assert!(paused::event(&instance, &status, &status).is_none());
    assert!(
        paused::event(&instance, &status, &before).is_none(),
        "something failed, and it is paused all the same"
    );
    assert_eq!(paused::event(&parse(MINIMAL), &status, &before).unwrap().reason, "Resumed");

    let error = crate::Error::Validate(crate::validate::Error::NoUid);
    let (status, _) = report(&instance, &Progress::default(), Some(&error), Timestamp::UNIX_EPOCH);
    assert_eq!(standing(&status).1, "InvalidSpec", "what fails is told first");
}

#[test]
fn the_end_is_warned_of_once_and_an_extension_takes_the_warning_back() {
    use crate::lifetime::{Outlook, Step};
    let (mut instance, seen) = serving();
    let end = "2026-12-31T18:00:00Z".parse().unwrap();
    let told = |instance: &CoprInstance, step: Step| {
        let outlook = Outlook { end: Some(end), step, look_again: None };
        let progress = Progress { outlook: Some(outlook), ..progress(instance, &seen) };
        let (status, _) = report(instance, &progress, None, Timestamp::UNIX_EPOCH);
        let event = lifetime::event(&instance.status.clone().unwrap(), &status).map(|event| event.reason);
        (status, event)
    };
    let (status, event) = told(&instance, Step::Keep);
    assert_eq!((status.expires_at.as_ref().map(|at| at.0), event), (Some(end), None));
    assert!(conditions::get(&status.conditions, "Expiring").is_none());

    let (status, event) = told(&instance, Step::Warn);
    assert_eq!(
        (condition(&status, "Expiring"), event.as_deref()),
        (("True", "ExpiresSoon"), Some("ExpiresSoon"))
    );
    let said = &conditions::get(&status.conditions, "Expiring").unwrap().message;
    assert!(said.contains("with its volumes at 2026-12-31T18:00:00Z"), "{said}");
    instance.status = Some(status);
    assert_eq!(told(&instance, Step::Warn).1, None, "a second time, or by another operator");

    let (status, event) = told(&instance, Step::WaitForRuns(vec!["smoke".into()]));
    assert_eq!((condition(&status, "Expiring").1, event.as_deref()), ("WaitsForRuns", Some("WaitsForRuns")));
    let (status, _) = told(&instance, Step::Keep);
    assert!(conditions::get(&status.conditions, "Expiring").is_none());
    let progress = Progress { outlook: Some(Outlook::default()), ..progress(&instance, &seen) };
    assert_eq!(report(&instance, &progress, None, Timestamp::UNIX_EPOCH).0.expires_at, None);
}
