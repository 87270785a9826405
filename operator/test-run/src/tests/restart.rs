//! The operator may be killed between any two of its writes.

use copr_operator_api::{
    component::Component,
    v1alpha1::{Outcome, Phase},
};

use super::world::World;

#[test]
fn the_same_observation_gives_the_same_plan() {
    let mut world = World::named(&["auth", "chroots"]);
    world.reconcile();
    world.starts("auth");
    world.fails("chroots");
    world.pass(3);
    let (one, two) = (world.plan(), world.plan());
    assert_eq!(one.status, two.status);
    assert_eq!(one.pods, two.pods);
}

#[test]
fn a_second_reconcile_at_the_same_moment_finds_nothing_to_do() {
    let mut world = World::template(&["auth"]);
    let again = |world: &mut World| {
        world.reconcile();
        let (before, told) = (world.status(), world.notices.len());
        let plan = world.reconcile();
        assert_eq!(plan.status, before);
        assert!(plan.pods.is_empty() && plan.deletions.pods.is_empty());
        assert_eq!(world.notices.len(), told);
    };
    // Not the first: what is created there is seen by the second.
    world.reconcile();
    again(&mut world);
    world.instance_is_ready();
    again(&mut world);
    world.starts("auth");
    again(&mut world);
    world.fails("auth");
    again(&mut world);
    world.pass(10);
    world.reconcile();
    again(&mut world);
    assert_eq!(world.phase(), Phase::Failed);
}

#[test]
fn a_pod_that_was_created_but_not_recorded_is_taken_up() {
    let mut world = World::named(&["auth"]);
    let plan = world.plan();
    world.create(&plan);
    world.pass(7);
    let plan = world.reconcile();
    assert!(plan.pods.is_empty());
    assert_eq!(world.outcome("auth"), (Outcome::Running, 1));
    assert_eq!(world.test("auth").pod.as_deref(), Some("pr-7-auth-1"));
    world.passes("auth");
    world.reconcile();
    assert_eq!(world.phase(), Phase::Passed);
}

#[test]
fn a_second_attempt_that_was_created_but_not_recorded_is_taken_up() {
    let mut world = World::named(&["auth"]);
    world.reconcile();
    world.ends_with("auth", 137, "");
    let plan = world.plan();
    world.create(&plan);
    assert_eq!(world.outcome("auth"), (Outcome::Running, 1), "nothing is recorded");
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Running, 2));
    assert_eq!(world.pod_names(), ["pr-7-auth-1", "pr-7-auth-2"]);
}

#[test]
fn a_verdict_that_came_while_the_operator_was_away_counts() {
    let mut world = World::named(&["auth", "chroots"]);
    world.reconcile();
    world.pass(4);
    world.passes("auth");
    world.fails("chroots");
    world.pass(600);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Passed, 1));
    assert_eq!(world.outcome("chroots"), (Outcome::Failed, 1));
    assert_eq!(world.test("auth").duration.as_deref(), Some("4s"));
}

#[test]
fn a_recorded_verdict_outlives_its_pod_and_the_instance() {
    let mut world = World::named(&["auth", "chroots"]);
    world.reconcile();
    world.passes("auth");
    world.reconcile();
    world.pods.retain(|pod| pod.metadata.name.as_deref() != Some("pr-7-auth-1"));
    world.component_starts(Component::Backend);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Passed, 1));
}

#[test]
fn deletions_that_were_not_carried_out_are_asked_for_again() {
    let mut world = World::named(&["auth"]);
    world.reconcile();
    world.starts("auth");
    world.run.spec.cancel = true;
    let plan = world.plan();
    world.report(&plan);
    assert_eq!(world.phase(), Phase::Cancelled);
    let plan = world.plan();
    assert_eq!(plan.deletions.pods[0].name, "pr-7-auth-1");
    assert_eq!(plan.status, world.status());
}
