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

#[test]
fn a_paused_instance_says_so_and_goes_on_telling_how_its_components_are() {
    let (mut instance, mut seen) = serving();
    let before = instance.status.clone().unwrap();
    (instance.spec.paused, instance.metadata.generation) = (true, Some(4));
    seen.pods.retain(|pod| pod.name_any() != "demo-redis-0");
    let watching = Progress { instance: None, ..progress(&seen) };
    let status = report(&instance, &watching, None, Timestamp::UNIX_EPOCH);
    assert_eq!(condition(&status, RECONCILED), ("False", "Paused"));
    assert_eq!(condition(&status, READY).0, "False");
    assert_eq!(condition(&status, "RedisReady").0, "False");
    assert_eq!(condition(&status, "DatabaseReady").0, "True");
    assert_eq!((status.applied_generation, &status.endpoints), (Some(3), &before.endpoints));
    assert_eq!(paused::event(&before, &status).unwrap().reason, "Paused");
    assert!(paused::event(&status, &status).is_none());
    assert_eq!(paused::event(&status, &before).unwrap().reason, "Resumed");

    let error = crate::Error::Validate(crate::validate::Error::NoUid);
    let status = report(&instance, &Progress::default(), Some(&error), Timestamp::UNIX_EPOCH);
    assert_eq!(condition(&status, RECONCILED).1, "InvalidSpec", "what fails is told first");
}

#[test]
fn the_end_is_warned_of_once_and_an_extension_takes_the_warning_back() {
    use crate::lifetime::{Outlook, Step};
    let (mut instance, seen) = serving();
    let end = "2026-12-31T18:00:00Z".parse().unwrap();
    let told = |instance: &CoprInstance, step: Step| {
        let outlook = Outlook { end: Some(end), step, look_again: None };
        let progress = Progress { outlook: Some(outlook), ..progress(&seen) };
        let status = report(instance, &progress, None, Timestamp::UNIX_EPOCH);
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
    let progress = Progress { outlook: Some(Outlook::default()), ..progress(&seen) };
    assert_eq!(report(&instance, &progress, None, Timestamp::UNIX_EPOCH).expires_at, None);
}
