use serde_json::json;

use super::*;
use crate::instance::fixtures::minimal;

fn trouble() -> Vec<(Component, Verdict)> {
    vec![
        (Component::Database, Verdict::no(health::CRASHING, "pod demo-database-0: disk full")),
        (Component::Frontend, Verdict::no(health::SCHEMA_FAILED, "pod demo-frontend-0: refused")),
        (Component::Redis, Verdict::yes(health::AVAILABLE, "")),
        (Component::Backend, Verdict::no(health::STARTING, "")),
    ]
}

#[test]
fn ready_names_every_trouble_and_takes_the_first_as_reason() {
    let ready = summarize(&trouble());
    assert_eq!(ready.reason, health::CRASHING);
    assert_eq!(
        ready.message,
        "database: pod demo-database-0: disk full; frontend: pod demo-frontend-0: refused"
    );
}

#[test]
fn ready_names_who_is_waited_for() {
    let ready = summarize(&[(Component::Keygen, Verdict::no(health::STARTING, ""))]);
    assert_eq!((ready.reason.as_str(), ready.message.as_str()), (health::STARTING, "waiting for keygen"));
}

#[test]
fn images_are_digests_once_pulled_and_the_builder_is_remembered() {
    let instance = minimal();
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "demo-redis-0", "labels": {COMPONENT: "redis"}},
        "status": {"containerStatuses": [{"name": "redis", "image": "", "ready": true, "restartCount": 0,
            "imageID": "quay.io/copr/copr-redis@sha256:aa"}]},
    }))
    .unwrap();
    let old = BTreeMap::from([("builder".to_owned(), "quay.io/copr/copr-builder@sha256:bb".to_owned())]);
    let images = images(&instance.images, &[pod], &old, &instance);
    assert_eq!(images["redis"], "quay.io/copr/copr-redis@sha256:aa");
    assert_eq!(images["builder"], "quay.io/copr/copr-builder@sha256:bb");
    assert_eq!(images["keygen"], "quay.io/copr/copr-keygen:2.7");
}

#[test]
fn an_event_is_written_when_ready_changes_and_only_then() {
    let now = Timestamp::UNIX_EPOCH;
    let mut old = CoprInstanceStatus::default();
    conditions::set(
        &mut old.conditions,
        READY,
        Verdict::no(health::STARTING, "waiting for redis"),
        Some(1),
        now,
    );
    let mut new = old.clone();
    conditions::set(
        &mut new.conditions,
        READY,
        Verdict::no(health::STARTING, "waiting for keygen"),
        Some(1),
        now,
    );
    assert!(event(&old, &new).is_none());
    conditions::set(&mut new.conditions, READY, Verdict::yes(health::AVAILABLE, ""), Some(1), now);
    assert_eq!(event(&old, &new).map(|e| e.reason), Some("Available".to_owned()));
}

#[test]
fn a_failed_step_is_reported_without_forgetting_the_components() {
    let now = Timestamp::UNIX_EPOCH;
    let mut old = CoprInstanceStatus::default();
    conditions::set(&mut old.conditions, "RedisReady", Verdict::yes(health::AVAILABLE, ""), Some(1), now);
    let missing =
        crate::instance::validate::Error::SecretNotFound { field: "redis.externalSecret", name: "r".into() };
    let mut new = old;
    report_failure(&crate::instance::Error::Validate(missing), Some(2), &mut new, now);
    let ready = conditions::get(&new.conditions, READY).unwrap();
    assert_eq!(ready.reason, "SecretNotFound");
    assert_eq!(ready.observed_generation, Some(2));
    assert!(conditions::is_true(&new.conditions, "RedisReady"));
}
