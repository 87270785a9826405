//! A run in which nothing goes wrong, and one in which Copr is broken.

use copr_operator_api::v1alpha1::{Outcome, Phase};

use super::world::{RUN, World, smoke, time};

#[test]
fn a_run_with_a_template_goes_through_every_phase() {
    let mut world = World::template(&[]);
    let plan = world.reconcile();
    assert_eq!(plan.instance.unwrap().metadata.name.as_deref(), Some(RUN));
    assert!(plan.pods.is_empty());
    assert_eq!(world.phase(), Phase::Provisioning);
    assert_eq!(world.condition("InstanceReady").1, "Creating");
    assert_eq!(world.condition("Succeeded").0, "Unknown");

    world.pass(20);
    world.instance_says(
        "False",
        "PullingImages",
        "pod pr-7-frontend-0: pulling quay.io/copr/copr-frontend:v1",
    );
    world.reconcile();
    let (status, reason, message) = world.condition("InstanceReady");
    assert_eq!((status.as_str(), reason.as_str()), ("False", "PullingImages"));
    assert_eq!(world.condition("Succeeded").2, message);

    world.pass(40);
    world.instance_is_ready();
    let plan = world.reconcile();
    assert_eq!(world.phase(), Phase::Running);
    assert_eq!(plan.pods.len(), 1, "the longest needs every builder");

    for test in smoke() {
        world.pass(30);
        world.starts(test);
        world.reconcile();
        world.pass(11);
        world.passes(test);
        world.reconcile();
        assert_eq!(world.outcome(test), (Outcome::Passed, 1));
        assert_eq!(world.test(test).duration.as_deref(), Some("11s"));
    }
    assert_eq!(world.phase(), Phase::Passed);
    assert_eq!(world.condition("Succeeded"), ("True".into(), "Passed".into(), "9 of 9 tests passed".into()));
    assert_eq!(world.condition("Finished").0, "True");
    let status = world.status();
    let times = status.timestamps;
    assert_eq!(times.started.unwrap().0, time(0));
    assert_eq!(times.images_ready.unwrap().0, time(20));
    assert_eq!(times.instance_ready.unwrap().0, time(60));
    assert_eq!(times.first_test.unwrap().0, time(60));
    assert_eq!(times.finished.unwrap().0, time(60 + 9 * 41));
    assert_eq!(status.images["sanity"], "quay.io/copr/copr-sanity@sha256:5a");
    assert_eq!(status.images["frontend"], "quay.io/copr/copr-frontend@sha256:0f");
    assert_eq!(world.told(), ["Provisioning", "InstanceReady", "TestsStarted", "Finished"]);
}

#[test]
fn parallelism_holds_at_every_step() {
    let mut world = World::named(&[]);
    world.run.spec.suite.parallelism = 2;
    for test in smoke() {
        world.reconcile();
        let running = world.status().tests.iter().filter(|test| test.outcome == Outcome::Running).count();
        let most = if test == "parallel-builds" { 1 } else { 2 };
        assert!(running <= most, "{running} tests run");
        world.pass(1);
        world.passes(test);
    }
    world.reconcile();
    assert_eq!(world.phase(), Phase::Passed);
    assert_eq!(world.pods.len(), 9, "pods that have ended are kept");
}

#[test]
fn tests_start_in_the_order_of_the_suite_whatever_the_order_of_the_spec() {
    let mut world = World::named(&["chroots", "build-spec"]);
    world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7-build-spec-1", "pr-7-chroots-1"]);
}

#[test]
fn a_test_that_failed_is_not_tried_again_and_the_message_tells_why() {
    let mut world = World::named(&["auth", "build-spec", "chroots"]);
    world.reconcile();
    world.pass(5);
    world.passes("auth");
    world.ends_with("chroots", 0, r#"{"outcome": "Skipped", "message": "one chroot only", "component": ""}"#);
    world.fails("build-spec");
    let plan = world.reconcile();
    assert_eq!(world.outcome("build-spec"), (Outcome::Running, 1), "not judged yet");
    assert_eq!(plan.requeue.unwrap().as_secs(), 10);

    world.pass(10);
    world.reconcile();
    assert_eq!(world.outcome("build-spec"), (Outcome::Failed, 1));
    assert_eq!(world.test("build-spec").component.as_deref(), Some("keygen"));
    assert_eq!(world.phase(), Phase::Failed);
    let (status, reason, message) = world.condition("Succeeded");
    assert_eq!((status.as_str(), reason.as_str()), ("False", "Failed"));
    assert_eq!(
        message,
        "1 of 3 tests passed; failed: build-spec (keygen: no key within 60 s); skipped: chroots (one chroot only)"
    );
    assert_eq!(world.pods.len(), 3);
    assert_eq!(world.told(), ["InstanceReady", "TestsStarted", "TestFailed", "Finished"]);
}

#[test]
fn while_tests_run_the_condition_says_which() {
    let mut world = World::named(&["auth", "build-spec", "chroots"]);
    world.reconcile();
    world.pass(3);
    world.passes("auth");
    world.reconcile();
    let (status, reason, message) = world.condition("Succeeded");
    assert_eq!((status.as_str(), reason.as_str()), ("Unknown", "Running"));
    assert_eq!(message, "1 of 3 tests ended; running: build-spec, chroots");
}
