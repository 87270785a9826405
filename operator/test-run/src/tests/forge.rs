//! A run that asks a forge which packages it needs: when, how often, and what of it is written down.

use std::time::Duration;

use copr_operator_api::v1alpha1::Phase;
use kube::runtime::events::EventType;

use super::source::{found, world};
use crate::{apply::Refusals, source::Asked};

fn away() -> Asked {
    Asked::Failed {
        reason: "ForgeUnavailable",
        words: "api.github.com answered 502 Bad Gateway".into(),
        pause: None,
    }
}

#[test]
fn a_forge_that_is_away_is_asked_again_after_pauses_that_grow() {
    let mut world = world();
    world.forge = away();
    world.reconcile();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        world.reconcile();
        let source = world.status().source.unwrap();
        let pause = source.retry_at.unwrap().0.duration_since(world.now()).as_secs();
        pauses.push(pause);
        world.pass(pause - 1);
        world.reconcile();
        world.pass(1);
    }
    assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 600, 600]);
    assert_eq!(world.questions.get(), 8, "never before its time");
    let said = world.condition("PackagesKnown");
    assert_eq!((said.0.as_str(), said.1.as_str()), ("False", "ForgeUnavailable"));
    let (_, reason, message) = world.condition("InstanceReady");
    assert_eq!(
        (reason.as_str(), message.as_str()),
        ("PackagesUnknown", "api.github.com answered 502 Bad Gateway")
    );
    assert_eq!(world.told(), ["PackagesUnknown"], "the same trouble is told once");
    assert_eq!(world.notices[0].type_, EventType::Warning);

    world.forge = found(&["copr-frontend"]);
    world.reconcile();
    assert_eq!(world.condition("PackagesKnown").0, "True");
    let source = world.status().source.unwrap();
    assert_eq!((source.failures, source.retry_at), (0, None));
    // That the forge was away for longer than readyTimeout is no fault of the instance.
    assert!(world.reconcile().instance.is_some());
    world.reconcile();
    assert_eq!(world.phase(), Phase::Pending);
}

#[test]
fn a_forge_is_left_alone_as_long_as_it_asks() {
    let mut world = world();
    world.forge = Asked::Failed {
        reason: "ForgeUnavailable",
        words: "api.github.com answered 403 Forbidden: API rate limit exceeded".into(),
        pause: Some(Duration::from_secs(1500)),
    };
    world.reconcile();
    world.reconcile();
    world.pass(1499);
    world.reconcile();
    assert_eq!(world.questions.get(), 1);
    world.pass(1);
    world.reconcile();
    assert_eq!(world.questions.get(), 2);
}

#[test]
fn a_run_that_never_learns_what_it_needs_ends_with_a_reason_of_its_own() {
    let mut world = world();
    world.forge = Asked::Failed {
        reason: "ForgeRefused",
        words: "api.github.com answered 401 Unauthorized: Bad credentials".into(),
        pause: None,
    };
    world.reconcile();
    world.reconcile();
    world.pass(7199);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Pending);
    world.pass(1);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert_eq!(world.test("auth").reason.as_deref(), Some("PackagesUnknown"));
    assert_eq!(
        world.condition("Succeeded").2,
        "it wasn't known within 2h which packages are to be tested: api.github.com answered 401 Unauthorized: Bad credentials"
    );
    assert_eq!(world.condition("PackagesKnown").1, "ForgeRefused", "it stays as it was at the end");
    assert!(world.reconcile().instance.is_none());
}

#[test]
fn a_pull_request_that_changes_no_package_is_tested_all_the_same() {
    let mut world = world();
    world.forge = found(&[]);
    world.reconcile();
    world.reconcile();
    let (status, reason, message) = world.condition("PackagesKnown");
    assert_eq!((status.as_str(), reason.as_str()), ("True", "NoPackageChanged"));
    assert!(message.contains("changes no package"), "{message}");
    let instance = world.reconcile().instance.unwrap();
    assert_eq!(instance.spec.packages.unwrap().require, None);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Building);
    world.instance_is_ready();
    world.reconcile();
    world.passes("auth");
    world.reconcile();
    assert_eq!(world.phase(), Phase::Passed);
}

#[test]
fn an_operator_that_is_killed_between_any_two_steps_goes_on_from_what_was_written() {
    let mut world = world();
    world.reconcile();
    // Killed before the answer was written: it's asked once more, and may be another.
    let lost = world.plan();
    assert!(lost.instance.is_none());
    world.forge = found(&["copr-backend"]);
    world.reconcile();
    assert_eq!(world.questions.get(), 2);
    assert_eq!(world.status().source.unwrap().packages[0].name, "copr-backend");
    // Killed after the instance was made, before that was written.
    world.forge = found(&["copr-keygen"]);
    let plan = world.plan();
    world.create(&plan);
    world.reconcile();
    assert_eq!(world.questions.get(), 2, "what is known isn't asked again");
    let spec = world.instance_mut().spec.clone();
    let required = spec.packages.unwrap().require.unwrap().commits.unwrap();
    let known = world.status().source.unwrap().packages;
    assert_eq!(required.keys().collect::<Vec<_>>(), [&known[0].name]);
    // An instance that the API server refuses is made from the same.
    let mut world = super::source::world();
    world.reconcile();
    world.reconcile();
    let mut plan = world.plan();
    let first = plan.instance.take().unwrap();
    let refusals = Refusals { instance: Some("denied".into()), ..Refusals::default() };
    refusals.correct(&mut plan, &world.status(), world.now());
    world.report(&plan);
    world.forge = found(&["copr-keygen"]);
    assert_eq!(world.plan().instance.unwrap().spec, first.spec);
}

#[test]
fn a_cancelled_run_and_one_in_the_queue_ask_nobody() {
    let mut world = world();
    world.runs_at_a_time = Some(0);
    world.reconcile();
    world.reconcile();
    world.runs_at_a_time = None;
    world.run.spec.cancel = true;
    world.reconcile();
    assert_eq!((world.phase(), world.questions.get()), (Phase::Cancelled, 0));
}
