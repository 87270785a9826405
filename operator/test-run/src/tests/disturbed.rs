//! A test that failed while the instance was disturbed says nothing about Copr.

use copr_operator_api::{
    component::Component,
    v1alpha1::{Outcome, Phase},
};
use serde_json::json;

use super::world::World;

fn failing() -> World {
    let mut world = World::named(&["auth"]);
    world.pass(100);
    world.reconcile();
    world.starts("auth");
    world.pass(20);
    world
}

fn retried(mut world: World, why: &str) {
    world.reconcile();
    let message = world.message("auth");
    let expected = format!("attempt 1: the instance was disturbed: {why}");
    assert!(message.starts_with(&expected), "{message}");
    assert!(message.contains("the test said: no key within 60 s"));
    assert_eq!(world.test("auth").attempts, 1, "the next attempt waits for the instance");
    assert_eq!(world.test("auth").outcome, Outcome::Pending);
}

#[test]
fn a_component_that_restarted_during_the_test() {
    let mut world = failing();
    world.component_starts(Component::Backend);
    world.pass(2);
    world.fails("auth");
    world.reconcile();
    assert_eq!(
        world.outcome("auth"),
        (Outcome::Running, 2),
        "it is back, so the test is tried again at once"
    );
    let message = world.message("auth");
    assert!(message.contains("backend: container main of pod team-copr-backend-0 restarted at"), "{message}");
    world.pass(4);
    world.passes("auth");
    world.reconcile();
    assert_eq!(world.phase(), Phase::Passed);
}

#[test]
fn a_component_that_is_down() {
    let mut world = failing();
    world.fails("auth");
    let down = json!({"phase": "Running", "containerStatuses": [{
        "name": "main", "image": "i", "imageID": "i", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    }]});
    world.component_pod(Component::Keygen).status = Some(serde_json::from_value(down).unwrap());
    retried(world, "keygen: container main of pod team-copr-keygen-0 is down");
}

#[test]
fn a_component_that_is_not_ready() {
    let mut world = failing();
    world.fails("auth");
    world.component_pod(Component::Frontend).status.as_mut().unwrap().conditions = None;
    retried(world, "frontend: pod team-copr-frontend-0 is not ready");
}

#[test]
fn a_component_whose_pod_is_being_deleted() {
    let mut world = failing();
    world.fails("auth");
    let now = world.now();
    world.component_pod(Component::Redis).metadata.deletion_timestamp = Some(now.into());
    retried(world, "redis: pod team-copr-redis-0 is being deleted");
}

#[test]
fn a_component_without_a_pod() {
    let mut world = failing();
    world.fails("auth");
    let label = Component::Resalloc.name();
    world
        .instance_pods
        .retain(|pod| pod.metadata.labels.as_ref().unwrap().values().all(|value| value != label));
    retried(world, "resalloc has no pod");
}

#[test]
fn a_component_whose_pod_is_another_one() {
    let mut world = failing();
    let now = world.now();
    world.component_pod(Component::DistGit).metadata.creation_timestamp = Some(now.into());
    world.pass(1);
    world.fails("auth");
    world.reconcile();
    assert!(world.message("auth").contains("dist-git: pod team-copr-dist-git-0 came at"));
}

#[test]
fn an_instance_that_says_it_is_not_ready() {
    let mut world = failing();
    world.fails("auth");
    world.instance_says("False", "NotReady", "backend: pod team-copr-backend-0 is starting");
    retried(world, "backend: pod team-copr-backend-0 is starting");
}

#[test]
fn an_instance_that_was_not_ready_for_a_while() {
    let mut world = failing();
    world.instance_says("False", "NotReady", "the frontend does not answer");
    world.pass(3);
    world.instance_says("True", "Available", "every component answers");
    world.pass(1);
    world.fails("auth");
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Running, 2));
    assert!(world.message("auth").contains("CoprInstance team-copr was not Available until"));
}

#[test]
fn a_kill_that_is_noticed_only_after_the_test_has_failed() {
    let mut world = failing();
    world.fails("auth");
    world.pass(1);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Running, 1), "too early to say");
    world.component_starts(Component::Backend);
    world.pass(2);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Running, 2));
}

#[test]
fn a_failure_long_after_the_last_restart_is_a_failure() {
    let mut world = World::named(&["auth"]);
    world.pass(50);
    world.component_starts(Component::Backend);
    world.pass(50);
    world.reconcile();
    world.pass(20);
    world.fails("auth");
    world.pass(10);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Failed, 1));
}

#[test]
fn what_passed_passed_even_if_the_instance_was_disturbed() {
    let mut world = failing();
    world.component_starts(Component::Backend);
    world.instance_says("False", "NotReady", "down");
    world.passes("auth");
    world.reconcile();
    assert_eq!(world.phase(), Phase::Passed);
}

#[test]
fn builders_come_and_go_without_disturbing() {
    let mut world = failing();
    let builder = json!({
        "metadata": {
            "name": "b", "labels": {"app.kubernetes.io/component": "builder"}, "creationTimestamp": world.now().to_string(),
        },
        "status": {"phase": "Pending"},
    });
    world.instance_pods.push(serde_json::from_value(builder).unwrap());
    world.fails("auth");
    world.pass(10);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Failed, 1));
}

#[test]
fn no_test_starts_while_a_pod_of_the_instance_is_not_ready() {
    let mut world = World::named(&["auth"]);
    world.component_pod(Component::Backend).status.as_mut().unwrap().conditions = None;
    let plan = world.reconcile();
    assert!(plan.pods.is_empty());
    assert_eq!(plan.requeue.unwrap().as_secs(), 5);
    world.component_starts(Component::Backend);
    world.pass(5);
    assert_eq!(world.reconcile().pods.len(), 1);
}

#[test]
fn a_component_outside_the_cluster_needs_no_pod() {
    let mut world = World::named(&["auth"]);
    let external = json!({"externalSecret": {"name": "db"}});
    world.instance_mut().spec.database = serde_json::from_value(external).unwrap();
    world.instance_pods.retain(|pod| pod.metadata.name.as_deref() != Some("team-copr-database-0"));
    assert_eq!(world.reconcile().pods.len(), 1);
}
