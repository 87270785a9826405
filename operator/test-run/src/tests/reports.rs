//! What a run leaves for people and CI systems: the pod of a test, the JUnit file, events.

use copr_operator_api::v1alpha1::{Outcome, Phase, Source};
use kube::runtime::events::EventType;
use serde_json::json;

use super::world::World;

#[test]
fn the_pod_of_a_test_keeps_the_contract() {
    let plan = World::named(&["build-spec"]).plan();
    insta::assert_yaml_snapshot!("pod", plan.pods[0]);
}

#[test]
fn no_two_attempts_share_a_run_id() {
    let mut world = World::named(&["auth", "chroots"]);
    let mut ids = Vec::new();
    for uid in ["a", "b"] {
        world.run.metadata.uid = Some(uid.into());
        for pod in world.plan().pods {
            let env = pod.spec.unwrap().containers[0].env.clone().unwrap();
            let id = env.into_iter().find(|variable| variable.name == "RUN_ID").unwrap().value.unwrap();
            assert!(
                id.len() == 10 && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()),
                "{id}"
            );
            assert!(!ids.contains(&id));
            ids.push(id);
        }
    }
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_given_image_of_the_suite_wins() {
    let mut world = World::named(&["auth"]);
    world.run.spec.suite.image = Some("registry/mine:1".into());
    let image = world.plan().pods[0].spec.as_ref().unwrap().containers[0].image.clone();
    assert_eq!(image.as_deref(), Some("registry/mine:1"));
}

#[test]
fn the_junit_file_tells_every_outcome() {
    let mut world = World::named(&["auth", "build-spec", "chroots", "cancel"]);
    world.run.spec.suite.retries = 0;
    world.run.spec.source = Some(Source {
        repository: Some("fedora-copr/copr".into()),
        commit: Some("5d37cd838".into()),
        pull_request: Some(7),
        packages: None,
    });
    world.reconcile();
    world.pass(12);
    world.passes("auth");
    world.ends_with("chroots", 0, r#"{"outcome": "Skipped", "message": "one chroot only", "component": ""}"#);
    world.ends_with(
        "build-spec",
        1,
        r#"{"outcome": "Failed", "message": "<b> & \"c\"", "component": "keygen"}"#,
    );
    world.ends_with("cancel", 137, "");
    world.pass(10);
    let plan = world.reconcile();
    let junit = plan.junit.unwrap();
    assert_eq!(world.status().junit, junit.metadata.name);
    assert_eq!(junit.metadata.owner_references.unwrap()[0].name, "pr-7");
    insta::assert_snapshot!("junit", junit.data.unwrap()["junit.xml"]);
}

#[test]
fn each_turning_point_is_told_once_and_names_its_pod() {
    let mut world = World::named(&["auth", "chroots"]);
    world.run.spec.suite.retries = 0;
    for _ in 0..2 {
        world.reconcile();
    }
    world.fails("auth");
    world.ends_with("chroots", 137, "");
    for _ in 0..3 {
        world.pass(10);
        world.reconcile();
    }
    assert_eq!(world.phase(), Phase::Failed);
    assert_eq!(world.told(), ["InstanceReady", "TestsStarted", "TestFailed", "TestError", "Finished"]);
    let failed = world.notices.iter().find(|notice| notice.reason == "TestFailed").unwrap();
    assert_eq!(failed.type_, EventType::Warning);
    assert_eq!(failed.pod.as_deref(), Some("pr-7-auth-1"));
    assert_eq!(failed.note, "auth: no key within 60 s");
}

#[test]
fn what_is_told_of_two_tests_without_a_pod_is_two_events() {
    let mut world = World::named(&["auth", "chroots"]);
    for seconds in [0, 60] {
        world.pass(seconds);
        world.reconcile_refused("exceeded quota: pods");
    }
    // The Recorder counts as one what has the same action, reason and pod, whatever the note.
    let retried: Vec<_> = world.notices.iter().filter(|notice| notice.reason == "TestRetried").collect();
    assert_eq!(
        retried.iter().map(|notice| &*notice.action).collect::<Vec<_>>(),
        ["Test auth", "Test chroots"]
    );
    assert!(retried.iter().all(|notice| notice.pod.is_none()));
}

#[test]
fn messages_are_cut_to_a_length_for_a_table() {
    let mut world = World::named(&["auth"]);
    world.reconcile();
    let message = json!({"outcome": "Failed", "message": "x".repeat(4000)}).to_string();
    world.ends_with("auth", 1, &message);
    world.pass(10);
    world.reconcile();
    assert_eq!(world.outcome("auth").0, Outcome::Failed);
    assert!(world.message("auth").len() <= 512);
}
