//! Whatever keeps a pod from a verdict is an Error, and is tried again.

use serde_json::json;

use super::world::World;
use crate::api::v1alpha1::{Outcome, Phase};

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
        message.starts_with("0 of 1 tests passed; without a verdict: auth (pod pr-7-auth-1 could not"),
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
fn a_refused_pod_costs_no_attempt_and_is_told() {
    let mut world = World::named(&["auth"]);
    let mut plan = world.plan();
    super::super::decide::not_created(&mut plan.status.tests, "pr-7-auth-1", "exceeded quota: pods");
    world.report(&plan);
    assert_eq!(world.outcome("auth"), (Outcome::Pending, 0));
    assert_eq!(world.message("auth"), "pod pr-7-auth-1 could not be created: exceeded quota: pods");
    world.pass(10);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Running, 1));
    assert_eq!(world.message("auth"), "");
}

#[test]
fn a_run_whose_pods_are_always_refused_ends_by_its_timeout() {
    let mut world = World::named(&["auth"]);
    let mut plan = world.plan();
    super::super::decide::not_created(&mut plan.status.tests, "pr-7-auth-1", "exceeded quota: pods");
    world.report(&plan);
    world.pass(3600);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert_eq!(
        world.message("auth"),
        "the run's timeout of 1h passed; before that: pod pr-7-auth-1 could not be created: exceeded quota: pods"
    );
}
