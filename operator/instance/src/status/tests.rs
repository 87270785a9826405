use std::collections::BTreeMap;

use copr_operator_api::labels::COMPONENT;
use copr_operator_images::build::verdict;
use copr_operator_kernel::{platform::Platform, pods};
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use super::*;
use crate::{
    fixtures::{MINIMAL, minimal, observed, parse},
    health,
};

fn trouble() -> Vec<(Component, Verdict)> {
    vec![
        (Component::Database, Verdict::no(pods::CRASHING, "pod demo-database-0: disk full")),
        (Component::Frontend, Verdict::no(health::SCHEMA_FAILED, "pod demo-frontend-0: refused")),
        (Component::Redis, Verdict::yes(health::AVAILABLE, "")),
        (Component::Backend, Verdict::no(health::STARTING, "")),
    ]
}

fn applied() -> Verdict {
    Verdict::yes(APPLIED, "")
}

/// An instance whose components all run.
fn serving() -> (CoprInstance, Seen) {
    let mut instance = parse(MINIMAL);
    let pods = Component::ALL.map(|component| {
        json!({
            "metadata": {"name": format!("demo-{}-0", component.name()), "labels": {(COMPONENT): component.name()}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        })
    });
    let workloads = Component::ALL
        .map(|component| json!({"metadata": {"name": format!("demo-{}", component.name())}, "spec": {"selector": {}, "template": {}}}));
    let seen = Seen {
        pods: serde_json::from_value(json!(pods)).unwrap(),
        workloads: serde_json::from_value(json!(workloads)).unwrap(),
        ..Seen::default()
    };
    let first = progress(&seen);
    instance.status = Some(report(&instance, &first, None, Timestamp::UNIX_EPOCH));
    (instance, seen)
}

fn progress(seen: &Seen) -> Progress {
    Progress {
        observed: Some(observed(Platform::Kubernetes)),
        seen: Some(seen.clone()),
        instance: Some(minimal()),
        ..Progress::default()
    }
}

fn condition<'a>(status: &'a CoprInstanceStatus, type_: &str) -> (&'a str, &'a str) {
    let found = conditions::get(&status.conditions, type_).unwrap();
    (&found.status, &found.reason)
}

#[test]
fn ready_names_every_trouble_and_takes_the_first_as_reason() {
    let ready = ready::of_all(&trouble(), &applied());
    assert_eq!(ready.reason, pods::CRASHING);
    assert_eq!(
        ready.message,
        "database: pod demo-database-0: disk full; frontend: pod demo-frontend-0: refused"
    );
}

#[test]
fn ready_names_who_is_waited_for() {
    let keygen = [(Component::Keygen, Verdict::no(health::STARTING, ""))];
    let ready = ready::of_all(&keygen, &applied());
    assert_eq!((ready.reason.as_str(), ready.message.as_str()), (health::STARTING, "waiting for keygen"));
    let ready = ready::of_all(&keygen, &Verdict::no("SecretNotFound", "no Secret pg"));
    assert_eq!((ready.reason.as_str(), ready.message.as_str()), ("SecretNotFound", "no Secret pg"));
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
    let seen = Seen { pods: vec![pod], ..Seen::default() };
    let old = BTreeMap::from([("builder".to_owned(), "quay.io/copr/copr-builder@sha256:bb".to_owned())]);
    let images = images::running(&instance.images, &seen, &old, &instance);
    assert_eq!(images["redis"], "quay.io/copr/copr-redis@sha256:aa");
    assert_eq!(images["builder"], "quay.io/copr/copr-builder@sha256:bb");
    assert_eq!(images["keygen"], "quay.io/copr/copr-keygen:2.7");
}

#[test]
fn an_event_is_written_when_ready_changes_and_only_then() {
    let now = Timestamp::UNIX_EPOCH;
    let with = |verdict: Verdict| {
        let mut status = CoprInstanceStatus::default();
        conditions::set(&mut status.conditions, READY, verdict, Some(1), now);
        status
    };
    let old = with(Verdict::no(health::STARTING, "waiting for redis"));
    assert!(event(&old, &with(Verdict::no(health::STARTING, "waiting for keygen"))).is_none());
    let new = with(Verdict::yes(health::AVAILABLE, ""));
    assert_eq!(event(&old, &new).map(|e| e.reason), Some("Available".to_owned()));
}

#[test]
fn a_copr_that_serves_stays_ready_whatever_keeps_the_spec_from_being_applied() {
    let (instance, seen) = serving();
    let before = instance.status.clone().unwrap();
    assert_eq!(condition(&before, READY), ("True", health::AVAILABLE));
    assert_eq!(condition(&before, RECONCILED), ("True", APPLIED));

    // One request failed: nothing could be seen, and nothing is forgotten.
    let missing = crate::validate::Error::SecretNotFound { field: "redis.externalSecret", name: "r".into() };
    let error = crate::Error::Validate(missing);
    let after = report(&instance, &Progress::default(), Some(&error), Timestamp::UNIX_EPOCH);
    assert_eq!(condition(&after, READY), ("True", health::AVAILABLE));
    assert_eq!(condition(&after, "RedisReady").0, "True");
    assert_eq!(condition(&after, RECONCILED), ("False", "SecretNotFound"));

    // New images are built while the old ones serve.
    let building = Progress {
        provision: Some(copr_operator_images::Provision {
            verdict: Verdict::no(verdict::BUILDING, "1 of 11 images are there"),
            ..crate::fixtures::provision(&instance)
        }),
        instance: None,
        ..progress(&seen)
    };
    let after = report(&instance, &building, None, Timestamp::UNIX_EPOCH);
    assert_eq!(condition(&after, READY), ("True", health::AVAILABLE));
    assert_eq!(condition(&after, RECONCILED), ("False", verdict::BUILDING));

    // What waits for running builds is no trouble either.
    let waiting = Progress { waiting: vec!["backend waits".into()], ..progress(&seen) };
    let after = report(&instance, &waiting, None, Timestamp::UNIX_EPOCH);
    assert_eq!(condition(&after, READY), ("True", health::AVAILABLE));
    assert_eq!(condition(&after, RECONCILED), ("False", RESTART_PENDING));
}

#[test]
fn what_version_0_1_had_applied_is_remembered_though_the_first_look_at_it_fails() {
    let (mut instance, _) = serving();
    let status = instance.status.get_or_insert_default();
    status.applied_generation = None;
    status.conditions.retain(|c| c.type_ != RECONCILED);
    let error = crate::Error::Dereference(crate::dereference::Error::NoNamespace);
    let after = report(&instance, &Progress::default(), Some(&error), Timestamp::UNIX_EPOCH);
    assert_eq!(after.applied_generation, Some(3));
    assert_eq!(applied_generation(&after), Some(3));
    // What was edited since is not.
    instance.metadata.generation = Some(4);
    let after = report(&instance, &Progress::default(), Some(&error), Timestamp::UNIX_EPOCH);
    assert_eq!(after.applied_generation, Some(3));
}

#[test]
fn the_same_observation_gives_the_same_status() {
    let (instance, seen) = serving();
    let again = report(&instance, &progress(&seen), None, Timestamp::from_second(99).unwrap());
    assert_eq!(Some(again), instance.status);
}
