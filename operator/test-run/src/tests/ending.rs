//! How a run ends early, what it leaves, and for how long.

use copr_operator_api::v1alpha1::{KeepEvidence, KeepInstance, Outcome, Phase};

use serde_json::json;

use super::world::{RUN, World};
use crate::dereference::Seen;

/// A run with a template whose only test has just ended, passed or not.
fn ended(keep: KeepInstance, passed: bool) -> World {
    let mut world = World::template(&["auth"]);
    world.run.spec.keep_instance = keep;
    // For which an instance would stay a while: see evidence.rs.
    world.run.spec.evidence.keep = KeepEvidence::Never;
    world.reconcile();
    world.instance_is_ready();
    world.reconcile();
    world.pass(5);
    if passed {
        world.passes("auth");
    } else {
        world.fails("auth");
    }
    world.pass(10);
    world
}

#[test]
fn the_instance_is_kept_as_the_spec_says() {
    for (keep, passed, kept) in [
        (KeepInstance::Never, true, false),
        (KeepInstance::Never, false, false),
        (KeepInstance::OnFailure, true, false),
        (KeepInstance::OnFailure, false, true),
        (KeepInstance::Always, true, true),
        (KeepInstance::Always, false, true),
    ] {
        let mut world = ended(keep, passed);
        let plan = world.reconcile();
        assert!(world.phase().is_final());
        assert_eq!(plan.deletions.instance.is_none(), kept, "{keep:?}, passed: {passed}");
    }
}

#[test]
fn an_instance_given_by_name_is_never_deleted() {
    let mut world = World::named(&["auth"]);
    world.run.spec.keep_instance = KeepInstance::Never;
    world.reconcile();
    world.passes("auth");
    assert_eq!(world.reconcile().deletions.instance, None);
    assert_eq!(world.phase(), Phase::Passed);
}

#[test]
fn a_kept_instance_goes_when_the_spec_is_changed_after_the_end() {
    let mut world = ended(KeepInstance::Always, true);
    world.reconcile();
    world.run.spec.keep_instance = KeepInstance::Never;
    world.run.metadata.generation = Some(2);
    let plan = world.reconcile();
    assert_eq!(plan.deletions.instance.unwrap().name, RUN);
    assert_eq!(world.status().observed_generation, Some(2));
    assert!(world.status().conditions.iter().all(|condition| condition.observed_generation == Some(2)));
}

#[test]
fn an_ended_run_does_nothing_more() {
    let mut world = ended(KeepInstance::Never, true);
    world.reconcile();
    let before = world.status();
    world.pass(100_000);
    let plan = world.reconcile();
    assert_eq!(plan.status, before);
    assert!(plan.pods.is_empty() && plan.junit.is_none() && plan.instance.is_none());
    assert_eq!(plan.deletions, super::super::decide::Deletions::default());
    // By default a passed run is kept for a week.
    assert_eq!(plan.requeue, Some(jiff::SignedDuration::from_secs(7 * 24 * 3600 - 100_000)));
}

#[test]
fn what_passed_and_what_did_not_are_kept_for_times_of_their_own() {
    for (passed, after) in [(true, 7), (false, 30)] {
        let mut world = ended(KeepInstance::Never, passed);
        world.reconcile();
        world.pass(after * 24 * 3600 - 1);
        assert_eq!(world.reconcile().deletions.run, None);
        world.pass(1);
        assert_eq!(world.reconcile().deletions.run.unwrap().name, RUN);
    }
}

#[test]
fn who_is_to_be_told_of_the_end_is_told_before_the_run_goes() {
    let mut world = ended(KeepInstance::Never, true);
    world.run.spec.ttl_seconds_after_finished = Some(0);
    world.run.spec.report =
        serde_json::from_value(json!({"webhook": {"url": "https://ci.example.org/"}})).unwrap();
    world.reconcile();
    assert_eq!(world.reconcile().deletions.run, None);
    let report = |event: &str, state: &str| {
        let report = json!([{"target": "Webhook", "state": state, "event": event, "digest": "x"}]);
        serde_json::from_value(report).unwrap()
    };
    for (event, state, goes) in
        [("Started", "Delivered", false), ("Finished", "Waiting", false), ("Finished", "GivenUp", true)]
    {
        world.run.status.as_mut().unwrap().reports = report(event, state);
        assert_eq!(world.plan().deletions.run.is_some(), goes, "{event} {state}");
    }
    world.run.status.as_mut().unwrap().reports = report("Finished", "Refused");
    world.pass(3 * 3600);
    assert!(world.plan().deletions.run.is_some(), "nobody is waited for without limit");
}

#[test]
fn an_ended_run_is_deleted_after_its_ttl() {
    let mut world = ended(KeepInstance::Never, true);
    world.run.spec.ttl_seconds_after_finished = Some(60);
    let plan = world.reconcile();
    assert_eq!(plan.deletions.run, None);
    assert_eq!(plan.requeue.unwrap().as_secs(), 60);
    world.pass(59);
    assert_eq!(world.reconcile().requeue.unwrap().as_secs(), 1);
    world.pass(1);
    let doomed = world.reconcile().deletions.run.unwrap();
    assert_eq!((doomed.name.as_str(), doomed.uid), (RUN, world.run.metadata.uid));
}

#[test]
fn a_ttl_of_zero_deletes_at_once_what_can_never_start() {
    let mut world = World::template(&[]);
    world.run.spec.ttl_seconds_after_finished = Some(0);
    world.run.spec.instance.template.as_mut().unwrap().images.registry = None;
    assert!(world.reconcile().deletions.run.is_some());
}

#[test]
fn cancel_ends_what_has_not_ended() {
    let mut world = World::named(&["auth", "build-spec", "chroots"]);
    world.run.spec.suite.parallelism = 2;
    world.reconcile();
    world.starts("build-spec");
    world.pass(5);
    world.passes("auth");
    world.run.spec.cancel = true;
    world.run.metadata.generation = Some(2);
    let plan = world.reconcile();
    assert_eq!(world.phase(), Phase::Cancelled);
    assert_eq!(world.outcome("auth").0, Outcome::Passed);
    for test in ["build-spec", "chroots"] {
        assert_eq!(world.test(test).outcome, Outcome::Error);
        assert_eq!(world.message(test), "cancelled");
    }
    assert_eq!(plan.deletions.pods.len(), 1, "the pod that runs goes, the one that has ended stays");
    assert_eq!(plan.deletions.pods[0].name, "pr-7-build-spec-1");
    let (status, reason, message) = world.condition("Succeeded");
    assert_eq!((status.as_str(), reason.as_str()), ("False", "Cancelled"));
    assert!(message.starts_with("cancelled; 1 of 3 tests passed"), "{message}");
    assert_eq!(world.status().summary.unwrap().error, 2);
}

#[test]
fn cancel_before_anything_was_made_makes_nothing() {
    let mut world = World::template(&["auth"]);
    world.run.spec.cancel = true;
    let plan = world.reconcile();
    assert!(plan.instance.is_none() && plan.pods.is_empty());
    assert_eq!(world.phase(), Phase::Cancelled);
}

#[test]
fn cancel_after_the_last_verdict_changes_nothing() {
    let mut world = World::named(&["auth"]);
    world.reconcile();
    world.passes("auth");
    world.run.spec.cancel = true;
    world.reconcile();
    assert_eq!(world.phase(), Phase::Passed);
}

#[test]
fn a_failure_that_waits_for_its_judgement_is_judged_at_the_end() {
    let mut world = World::named(&["auth", "chroots"]);
    world.reconcile();
    world.fails("auth");
    world.reconcile();
    world.run.spec.cancel = true;
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Failed, 1));
    assert_eq!(world.phase(), Phase::Cancelled);
}

#[test]
fn the_timeout_of_the_suite_counts_from_the_first_test() {
    let mut world = World::template(&["auth", "build-spec"]);
    world.run.spec.suite.timeout = "10m".into();
    world.reconcile();
    world.pass(500);
    world.instance_is_ready();
    world.reconcile();
    world.pass(3);
    world.passes("auth");
    world.starts("build-spec");
    world.reconcile();
    world.pass(596);
    let plan = world.reconcile();
    assert_eq!(world.phase(), Phase::Running);
    assert_eq!(plan.requeue.unwrap().as_secs(), 1);
    world.pass(1);
    let plan = world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert_eq!(world.message("build-spec"), "the run's timeout of 10m passed");
    assert_eq!(world.test("build-spec").duration.as_deref(), Some("9m57s"));
    assert_eq!(plan.deletions.pods[0].name, "pr-7-build-spec-1");
    assert!(
        world.condition("Succeeded").2.starts_with("the run's timeout of 10m passed; 1 of 2 tests passed")
    );
}

#[test]
fn an_instance_that_is_lost_after_the_end_is_no_loss() {
    let mut world = ended(KeepInstance::Always, true);
    world.reconcile();
    world.instance = Seen::Missing;
    world.reconcile();
    assert_eq!(world.phase(), Phase::Passed);
}
