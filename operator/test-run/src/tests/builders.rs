//! Builders that can't come or that the cluster ends are no fault of Copr, and nobody waits for them.

use copr_operator_api::v1alpha1::{BuilderIncident, Outcome, Phase};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::world::World;

const REFUSED: &str = "the API server refuses builders: violates PodSecurity \"baseline:latest\"";

fn reason(world: &World, test: &str) -> String {
    world.test(test).reason.unwrap_or_default()
}

fn incident(at: Timestamp) -> BuilderIncident {
    BuilderIncident {
        time: Time(at),
        pod: "team-copr-builder-1".into(),
        reason: "BuilderOutOfMemory".into(),
        message: "pod team-copr-builder-1 ran out of memory".into(),
    }
}

/// A build's test that runs since second 100 on builders that were never in trouble, and is about to end.
fn building() -> World {
    let mut world = World::named(&["build-spec"]);
    world.builders_say("True", "Available", "");
    world.pass(100);
    world.reconcile();
    world.starts("build-spec");
    world.pass(20);
    world
}

#[test]
fn no_pod_waits_for_builders_that_are_refused_and_the_run_ends_within_seconds() {
    let mut world = World::named(&["build-spec", "auth"]);
    world.builders_say("False", "BuilderRefused", REFUSED);
    world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7-auth-1"], "what needs no builder runs");
    assert_eq!(world.outcome("build-spec"), (Outcome::Pending, 1));
    assert_eq!(world.message("build-spec"), format!("attempt 1: builders: {REFUSED}"));
    world.passes("auth");
    world.pass(9);
    let plan = world.reconcile();
    assert_eq!(world.outcome("build-spec"), (Outcome::Pending, 1), "it pauses");
    assert_eq!(plan.requeue.unwrap().as_secs(), 1);
    let said = world.condition("Succeeded").2;
    assert!(
        said.contains("build-spec is tried again (attempt 1: builders: the API server refuses"),
        "{said}"
    );
    world.pass(1);
    world.reconcile();
    assert_eq!(world.outcome("build-spec"), (Outcome::Error, 2));
    assert_eq!((world.phase(), reason(&world, "build-spec").as_str()), (Phase::Error, "BuilderRefused"));
    let (_, reason, said) = world.condition("Succeeded");
    assert_eq!(reason, "Error");
    assert!(said.contains("build-spec (BuilderRefused: builders: the API server refuses"), "{said}");
    assert!(world.told().contains(&"TestRetried") && world.told().contains(&"TestError"));
}

#[test]
fn builders_that_come_after_all_are_used() {
    let mut world = World::named(&["build-spec"]);
    world.builders_say("False", "BuilderRefused", REFUSED);
    world.reconcile();
    world.pass(10);
    world.builders_say("True", "Available", "");
    world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7-build-spec-2"]);
    world.pass(40);
    world.passes("build-spec");
    world.reconcile();
    assert_eq!((world.phase(), reason(&world, "build-spec").as_str()), (Phase::Passed, ""));
}

#[test]
fn a_running_test_that_needs_builders_is_ended_when_they_are_refused() {
    let mut world = building();
    world.builders_say("False", "BuilderRefused", REFUSED);
    let plan = world.reconcile();
    assert_eq!(plan.deletions.pods[0].name, "pr-7-build-spec-1");
    assert_eq!(world.outcome("build-spec"), (Outcome::Pending, 1));
    assert_eq!(reason(&world, "build-spec"), "BuilderRefused");
}

#[test]
fn what_often_passes_has_a_grace() {
    for (of_instance, grace, of_test) in [
        ("Unschedulable", 60, "BuilderUnschedulable"),
        ("ImagePullFailed", 15, "BuilderImagePullFailed"),
        ("BuilderFailed", 30, "BuilderStartFailed"),
        ("ContainerFailed", 30, "BuilderStartFailed"),
    ] {
        let mut world = building();
        world.builders_say("False", of_instance, "0/1 nodes");
        world.pass(grace - 1);
        let plan = world.reconcile();
        assert_eq!(world.outcome("build-spec"), (Outcome::Running, 1), "{of_instance}");
        assert!(world.condition("Succeeded").2.ends_with("builders: 0/1 nodes"), "it says what it waits for");
        assert_eq!(plan.requeue.unwrap().as_secs(), 1);
        world.pass(1);
        world.reconcile();
        assert_eq!(
            (world.outcome("build-spec").0, reason(&world, "build-spec").as_str()),
            (Outcome::Pending, of_test)
        );
    }
}

#[test]
fn a_failure_while_a_builder_was_lost_is_an_error_in_the_words_of_the_cluster() {
    let mut world = building();
    let lost = incident(world.now());
    world.pass(2);
    world.fails("build-spec");
    world.pass(3);
    world.instance_mut().status.as_mut().unwrap().builder_incidents = vec![lost];
    world.reconcile();
    assert_eq!(world.outcome("build-spec"), (Outcome::Running, 2), "tried again at once");
    assert_eq!(reason(&world, "build-spec"), "BuilderOutOfMemory");
    assert_eq!(
        world.message("build-spec"),
        "attempt 1: a builder was lost during the test: pod team-copr-builder-1 ran out of memory; the test said: no key within 60 s"
    );
}

#[test]
fn builders_that_the_kernel_kills_while_they_start_are_out_of_memory() {
    let mut world = building();
    world.builders_say("False", "BuilderFailed", "ended before it was ready");
    world.pass(30);
    let lost = incident(world.now());
    world.instance_mut().status.as_mut().unwrap().builder_incidents = vec![lost];
    world.reconcile();
    assert_eq!(reason(&world, "build-spec"), "BuilderOutOfMemory");
    assert!(world.message("build-spec").contains("ran out of memory"));
}

#[test]
fn an_incident_before_the_attempt_or_under_a_test_that_builds_nothing_excuses_nothing() {
    for (test, second) in [("build-spec", 99), ("auth", 110)] {
        let mut world = World::named(&[test]);
        world.pass(100);
        world.reconcile();
        world.pass(20);
        world.fails(test);
        world.instance_mut().status.as_mut().unwrap().builder_incidents =
            vec![incident(super::world::time(second))];
        world.pass(10);
        world.reconcile();
        assert_eq!(world.outcome(test), (Outcome::Failed, 1), "{test}");
        assert_eq!(world.test(test).reason, None);
    }
}

#[test]
fn a_failure_under_builders_that_were_in_trouble_for_a_moment_is_no_verdict() {
    let mut world = building();
    world.builders_say("False", "BuilderFailed", "deleted while it started");
    world.pass(5);
    world.builders_say("True", "Available", "");
    world.fails("build-spec");
    world.reconcile();
    assert_eq!(world.outcome("build-spec"), (Outcome::Pending, 1));
    assert!(world.message("build-spec").contains("builders were in trouble until"));
    world.pass(10);
    world.reconcile();
    assert_eq!(world.outcome("build-spec"), (Outcome::Running, 2));
}

#[test]
fn a_chroot_without_a_mock_configuration_is_an_error_before_any_build() {
    let mut world = World::named(&["build-spec", "chroots"]);
    world.says("ChrootsReady", "False", "MockConfigMissing", "chroots: no /etc/mock/fedora-44-x86_64.cfg");
    let status = world.instance_mut().status.as_mut().unwrap();
    status.chroots_without_mock_config = vec!["fedora-44-x86_64".into()];
    world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7-chroots-1"]);
    assert_eq!(reason(&world, "build-spec"), "MockConfigMissing");
    assert!(world.message("build-spec").contains("/etc/mock/fedora-44-x86_64.cfg"));
    // One that the run doesn't build for is no obstacle.
    let mut world = World::named(&["build-spec"]);
    world.says("ChrootsReady", "False", "MockConfigMissing", "chroots: no /etc/mock/fedora-43-x86_64.cfg");
    let status = world.instance_mut().status.as_mut().unwrap();
    status.chroots_without_mock_config = vec!["fedora-43-x86_64".into()];
    world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7-build-spec-1"]);
}

#[test]
fn pauses_between_attempts_grow() {
    let mut world = World::named(&["build-spec"]);
    world.run.spec.suite.retries = 5;
    world.builders_say("False", "BuilderRefused", REFUSED);
    world.reconcile();
    for (attempt, pause) in [(1, 10), (2, 20), (3, 40), (4, 80), (5, 80)] {
        assert_eq!(world.outcome("build-spec"), (Outcome::Pending, attempt));
        world.pass(pause - 1);
        world.reconcile();
        assert_eq!(world.outcome("build-spec").1, attempt);
        world.pass(1);
        world.reconcile();
        assert_eq!(world.outcome("build-spec").1, attempt + 1);
    }
    assert_eq!(world.outcome("build-spec"), (Outcome::Error, 6));
}
