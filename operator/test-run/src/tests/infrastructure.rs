//! Whatever keeps a pod from a verdict is an Error, and is tried again.

use copr_operator_api::v1alpha1::{Outcome, Phase};
use serde_json::json;

use super::world::World;

fn unschedulable() -> serde_json::Value {
    json!({
        "phase": "Pending",
        "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient cpu.",
        }],
    })
}

#[test]
fn a_pod_that_no_node_takes_is_given_up_after_the_grace_and_tried_again() {
    let mut world = World::named(&["auth"]);
    world.reconcile();
    world.pod_status("auth", unschedulable());
    world.pass(59);
    let plan = world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Running, 1));
    assert_eq!(plan.requeue.unwrap().as_secs(), 1);

    world.pass(1);
    let plan = world.reconcile();
    assert_eq!(plan.deletions.pods[0].name, "pr-7-auth-1");
    assert_eq!(world.pod_names(), ["pr-7-auth-2"]);
    assert_eq!(world.outcome("auth"), (Outcome::Running, 2));
    assert!(
        world.message("auth").starts_with("attempt 1: pod pr-7-auth-1 could not be scheduled: 0/1 nodes")
    );

    world.pass(9);
    world.passes("auth");
    world.reconcile();
    assert_eq!(world.phase(), Phase::Passed);
    assert_eq!(world.outcome("auth"), (Outcome::Passed, 2));
    assert_eq!(world.test("auth").message, None);
    assert!(world.told().contains(&"TestRetried"));
}

#[test]
fn without_attempts_left_the_test_is_error_and_so_is_the_run() {
    let mut world = World::named(&["auth"]);
    world.run.spec.suite.retries = 0;
    world.reconcile();
    world.pod_status("auth", unschedulable());
    world.pass(60);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Error, 1));
    assert_eq!(world.phase(), Phase::Error);
    let (status, reason, message) = world.condition("Succeeded");
    assert_eq!((status.as_str(), reason.as_str()), ("False", "Error"));
    assert!(
        message.starts_with(
            "0 of 1 tests passed; without a verdict: auth (PodUnschedulable: pod pr-7-auth-1 could not"
        ),
        "{message}"
    );
    assert!(world.pods.is_empty(), "a pod that never ran has no log to keep");
}

#[test]
fn an_image_that_cannot_be_pulled_is_told_in_the_words_of_the_kubelet() {
    let mut world = World::named(&["auth"]);
    world.run.spec.suite.retries = 0;
    world.reconcile();
    world.pod_status(
        "auth",
        json!({
            "phase": "Pending",
            "conditions": [{"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [{
                "name": "test", "image": "quay.io/copr/copr-sanity:v1", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image: not found"}},
            }],
        }),
    );
    world.pass(60);
    world.reconcile();
    assert_eq!(
        world.message("auth"),
        "pod pr-7-auth-1 could not get its image quay.io/copr/copr-sanity:v1: Back-off pulling image: not found"
    );
}

#[test]
fn a_pod_that_vanishes_is_tried_again_under_another_name() {
    let mut world = World::named(&["auth"]);
    world.reconcile();
    world.starts("auth");
    world.reconcile();
    world.pods.clear();
    world.pass(5);
    world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7-auth-2"]);
    assert!(world.message("auth").contains("pod pr-7-auth-1 vanished"));
    world.pods.clear();
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Error, 2));
    assert_eq!(world.message("auth"), "pod pr-7-auth-2 vanished before it had a verdict");
}

#[test]
fn a_pod_that_its_node_does_not_end_is_lost() {
    let mut world = World::named(&["auth"]);
    world.reconcile();
    world.starts("auth");
    world.pass(120 + 60 + 59);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Running, 1));
    world.pass(1);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Running, 2));
    assert!(world.message("auth").contains("is lost"));
}

#[test]
fn a_refused_pod_costs_no_attempt_at_first_and_is_told() {
    let mut world = World::named(&["auth"]);
    world.reconcile_refused("exceeded quota: pods");
    assert_eq!(world.outcome("auth"), (Outcome::Pending, 0));
    assert_eq!(world.message("auth"), "pod pr-7-auth-1 could not be created: exceeded quota: pods");
    assert_eq!(world.test("auth").reason.as_deref(), Some("PodRefused"));
    world.pass(10);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Running, 1));
    assert_eq!(world.message("auth"), "");
    assert_eq!((world.test("auth").reason, world.test("auth").refused_since), (None, None));
}

#[test]
fn a_run_whose_pods_are_refused_says_so_and_not_that_they_run() {
    let mut world = World::named(&["auth", "chroots", "cancel"]);
    for seconds in [0, 10] {
        world.pass(seconds);
        world.reconcile_refused("exceeded quota: pods");
        let said = world.condition("Finished").2;
        assert_eq!(
            said,
            "0 of 3 tests ended; cancel is tried again (pod pr-7-cancel-1 could not be created: exceeded quota: pods), \
             auth is tried again (pod pr-7-auth-1 could not be created: exceeded quota: pods), and 1 more"
        );
        assert_eq!(world.condition("Succeeded").2, said);
    }
    world.pass(10);
    world.reconcile();
    assert_eq!(world.condition("Finished").2, "0 of 3 tests ended; running: cancel, auth, chroots");
}

#[test]
fn a_pod_that_is_refused_for_a_minute_is_an_attempt_and_the_run_ends_when_there_is_none_left() {
    let mut world = World::named(&["auth"]);
    for (seconds, outcome) in [
        (0, (Outcome::Pending, 0)),
        (59, (Outcome::Pending, 0)),
        // Counted, and the pause of 10 s begins.
        (1, (Outcome::Pending, 1)),
        (9, (Outcome::Pending, 1)),
        (1, (Outcome::Pending, 1)),
        (60, (Outcome::Error, 2)),
    ] {
        world.pass(seconds);
        world.reconcile_refused("exceeded quota: limits");
        assert_eq!(world.outcome("auth"), outcome);
    }
    assert_eq!(world.phase(), Phase::Error);
    assert_eq!(world.test("auth").reason.as_deref(), Some("PodRefused"));
    let said = world.condition("Succeeded").2;
    assert!(
        said.contains("auth (PodRefused: pod pr-7-auth-2 could not be created: exceeded quota"),
        "{said}"
    );
}

#[test]
fn a_run_whose_time_is_up_while_its_pods_are_refused_says_so() {
    let mut world = World::named(&["auth"]);
    world.run.spec.suite.timeout = "30s".into();
    world.reconcile_refused("exceeded quota: pods");
    world.pass(30);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert_eq!(
        world.message("auth"),
        "the run's timeout of 30s passed; before that: pod pr-7-auth-1 could not be created: exceeded quota: pods"
    );
    assert_eq!(world.test("auth").reason.as_deref(), Some("PodRefused"));
}

#[test]
fn a_pod_that_is_evicted_again_and_again_is_an_error_after_its_retries() {
    let mut world = World::named(&["auth"]);
    for attempt in 1..=2 {
        world.reconcile();
        assert_eq!(world.outcome("auth"), (Outcome::Running, attempt));
        world.pod_status("auth", json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}));
    }
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Error, 2));
    assert_eq!(world.test("auth").reason.as_deref(), Some("PodEvicted"));
    assert!(world.condition("Succeeded").2.contains("auth (PodEvicted: pod pr-7-auth-2 was evicted"));
}

#[test]
fn what_the_kubelet_cannot_set_up_is_told_in_the_words_of_its_event() {
    let mut world = World::named(&["auth"]);
    world.run.spec.suite.retries = 0;
    world.reconcile();
    world.pod_status("auth", json!({"phase": "Pending"}));
    let uid = world.pod("auth").metadata.uid.clone();
    world.pass(59);
    assert_eq!(world.reconcile().requeue.unwrap().as_secs(), 1, "its events are read when it has lasted");
    world.warnings = vec![
        serde_json::from_value(json!({
            "metadata": {}, "involvedObject": {"uid": uid}, "reason": "FailedMount",
            "message": "secret \"team-copr-client\" not found",
        }))
        .unwrap(),
    ];
    world.pass(1);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Error, 1));
    assert_eq!(
        world.message("auth"),
        "pod pr-7-auth-1 could not be set up (FailedMount): secret \"team-copr-client\" not found"
    );
    assert_eq!(world.test("auth").reason.as_deref(), Some("PodStartFailed"));
}
