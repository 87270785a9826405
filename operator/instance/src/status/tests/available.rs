//! Whether Copr answers, whatever the spec says meanwhile.

use super::*;

#[test]
fn available_names_every_trouble_and_takes_the_first_as_reason() {
    let trouble = [
        component("database", pods::CRASHING, "pod demo-database-0: disk full"),
        component("frontend", health::SCHEMA_FAILED, "pod demo-frontend-0: refused"),
        component("redis", health::AVAILABLE, ""),
        component("backend", health::STARTING, ""),
    ];
    let available = components::available(&trouble, &applied());
    assert_eq!(available.reason, pods::CRASHING);
    assert_eq!(
        available.message,
        "database: pod demo-database-0: disk full; frontend: pod demo-frontend-0: refused"
    );
}

#[test]
fn available_names_who_is_waited_for() {
    let keygen = [component("keygen", health::STARTING, "")];
    let said = |applied: &Finding| {
        let available = components::available(&keygen, applied);
        (available.reason, available.message)
    };
    assert_eq!(said(&applied()), (health::STARTING.into(), "waiting for keygen".into()));
    let missing = Finding::no("SecretNotFound", "no Secret pg");
    assert_eq!(said(&missing), ("SecretNotFound".into(), "no Secret pg".into()));
}

#[test]
fn an_event_is_written_when_available_changes_and_only_then() {
    let now = Timestamp::UNIX_EPOCH;
    let with = |finding: Finding| {
        let mut status = CoprInstanceStatus::default();
        conditions::set(&mut status.conditions, AVAILABLE, finding, Some(1), now);
        status
    };
    let old = with(Finding::no(health::STARTING, "waiting for redis"));
    assert!(event(&old, &with(Finding::no(health::STARTING, "waiting for keygen"))).is_none());
    let new = with(Finding::yes(health::AVAILABLE, ""));
    assert_eq!(event(&old, &new).map(|e| e.reason), Some("Available".to_owned()));
}

#[test]
fn a_copr_that_serves_stays_available_whatever_keeps_the_spec_from_being_applied() {
    let (instance, seen) = serving();
    let before = instance.status.clone().unwrap();
    assert_eq!(condition(&before, AVAILABLE), ("True", health::AVAILABLE));
    assert_eq!(standing(&before), (READY, standing::UP_TO_DATE));
    assert_eq!(before.applied_generation, Some(3));

    // One request failed: nothing could be seen, and nothing is forgotten.
    let error = secret_not_found();
    let after = report(&instance, &Progress::default(), Some(&error), at(0)).0;
    assert_eq!(condition(&after, AVAILABLE), ("True", health::AVAILABLE));
    assert_eq!(after.components, before.components);
    assert_eq!(standing(&after), (STALLED, "SecretNotFound"));

    // New images are built while the old ones serve.
    let after = report(&instance, &building(&instance, &seen), None, at(0)).0;
    assert_eq!(condition(&after, AVAILABLE), ("True", health::AVAILABLE));
    assert_eq!(standing(&after), (RECONCILING, condition::BUILDING));

    // What waits for running builds is no trouble either.
    let waiting = Progress { waiting: vec!["backend waits".into()], ..progress(&instance, &seen) };
    let after = report(&instance, &waiting, None, at(0)).0;
    assert_eq!(condition(&after, AVAILABLE), ("True", health::AVAILABLE));
    assert_eq!(standing(&after), (RECONCILING, RESTART_PENDING));
    // It was applied before.
    assert_eq!(after.applied_generation, Some(3));
}

#[test]
fn the_same_observation_gives_the_same_status() {
    let (instance, seen) = serving();
    let again = report(&instance, &progress(&instance, &seen), None, at(99)).0;
    assert_eq!(Some(again), instance.status);
}
