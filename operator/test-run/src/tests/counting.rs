//! What an outcome counts as: expected failures, retries of failures, the first failure as the last.

use copr_operator_api::v1alpha1::{Outcome, Phase};
use serde_json::{Value, json};

use super::world::{INSTANCE, World};

fn world(mut suite: Value, tests: &[&str]) -> World {
    suite["tests"] = json!(tests);
    let mut world = World::new(&json!({"instance": {"name": INSTANCE}, "suite": suite}));
    world.instance_is_made(INSTANCE, &[]);
    world.instance_is_ready();
    world.pass(100);
    world.reconcile();
    world
}

/// The test has ended, and so long ago that a failure counts.
fn ends(world: &mut World, test: &str, report: &Value, exit_code: i32) {
    world.ends_with(test, exit_code, &report.to_string());
    world.pass(60);
    world.reconcile();
}

fn fails(world: &mut World, test: &str) {
    let results = json!([
        {"name": "Setup", "outcome": "Passed"},
        {"name": "Test/it builds", "outcome": "Failed", "message": "no build"},
    ]);
    let report =
        json!({"outcome": "Failed", "message": "no build 17", "component": "backend", "results": results});
    ends(world, test, &report, 1);
}

fn passes(world: &mut World, test: &str) {
    ends(world, test, &json!({"outcome": "Passed"}), 0);
}

#[test]
fn a_failure_says_which_part_failed_and_what_it_is_like() {
    let mut world = world(json!({}), &["auth"]);
    fails(&mut world, "auth");
    let test = world.test("auth");
    assert_eq!(test.outcome, Outcome::Failed);
    assert_eq!(test.results.len(), 1);
    assert_eq!(test.results[0].name, "Test/it builds");
    assert!(test.fingerprint.is_some_and(|print| print.len() == 12));
}

#[test]
fn a_failure_that_is_expected_fails_nothing_and_a_pass_that_is_not_does() {
    let expected = json!({"expectedFailures": [{"test": "auth", "result": "Test", "reason": "issue 7"}]});
    let mut failed = world(expected.clone(), &["auth"]);
    fails(&mut failed, "auth");
    assert_eq!((failed.outcome("auth"), failed.phase()), ((Outcome::ExpectedFailure, 1), Phase::Passed));
    assert_eq!(failed.status().summary.unwrap().expected_failures, 1);
    assert_eq!(failed.message("auth"), "expected (issue 7): no build 17");

    let mut passed = world(expected, &["auth"]);
    passes(&mut passed, "auth");
    assert_eq!((passed.outcome("auth"), passed.phase()), ((Outcome::UnexpectedPass, 1), Phase::Failed));
    assert!(passed.condition("Succeeded").2.contains("passed unexpectedly: auth"));

    let other = json!({"expectedFailures": [{"test": "auth", "result": "Cleanup", "reason": "issue 8"}]});
    let mut elsewhere = world(other, &["auth"]);
    fails(&mut elsewhere, "auth");
    assert_eq!(elsewhere.phase(), Phase::Failed);
}

#[test]
fn what_passes_on_a_retry_is_flaky_and_shown() {
    let mut world = world(json!({"retriesAfterFailure": 1}), &["auth"]);
    fails(&mut world, "auth");
    assert_eq!(world.outcome("auth"), (Outcome::Running, 2));
    passes(&mut world, "auth");
    let test = world.test("auth");
    assert_eq!((test.outcome, test.failed_attempts, world.phase()), (Outcome::Flaky, 1, Phase::Passed));
    assert_eq!(test.message.unwrap(), "passed on attempt 2; attempt 1: no build 17");
    let summary = world.status().summary.unwrap();
    assert_eq!((summary.passed, summary.flaky, summary.failed), (1, 1, 0));
    assert!(world.condition("Succeeded").2.contains("flaky: auth"));
}

#[test]
fn retries_of_failures_and_of_errors_are_counted_apart() {
    let mut world = world(json!({"retriesAfterFailure": 1, "retries": 1}), &["auth"]);
    fails(&mut world, "auth");
    ends(&mut world, "auth", &json!({"outcome": "Error", "message": "x", "reason": "JournalIncomplete"}), 2);
    assert_eq!(world.outcome("auth"), (Outcome::Running, 3));
    fails(&mut world, "auth");
    assert_eq!(world.outcome("auth"), (Outcome::Failed, 3));
}

#[test]
fn a_suite_may_give_a_reason_of_its_own_and_no_other() {
    for (said, reason) in
        [("JournalIncomplete", "JournalIncomplete"), ("PodLost", "TestBroken"), ("", "TestBroken")]
    {
        let mut world = world(json!({"retries": 0}), &["auth"]);
        ends(&mut world, "auth", &json!({"outcome": "Error", "message": "x", "reason": said}), 2);
        assert_eq!(world.test("auth").reason.as_deref(), Some(reason));
    }
}

#[test]
fn after_the_first_failure_nothing_more_is_started() {
    let mut world = world(json!({"failFast": true, "parallelism": 2}), &["build-spec", "build-srpm", "auth"]);
    fails(&mut world, "build-spec");
    assert_eq!(world.outcome("auth"), (Outcome::Skipped, 0));
    assert_eq!(world.outcome("build-srpm"), (Outcome::Running, 1), "what runs is waited for");
    passes(&mut world, "build-srpm");
    assert_eq!(world.phase(), Phase::Failed);
    assert!(world.message("auth").contains("build-spec is red"));
}
