//! What a run makes of the state of its instance.

use copr_operator_api::v1alpha1::{Outcome, Phase};
use serde_json::json;

use super::world::{INSTANCE, RUN, RUN_UID, World};
use crate::dereference::Seen;

fn condition_of(world: &World) -> (String, String) {
    let (status, reason, message) = world.condition("InstanceReady");
    assert_eq!(status, "False");
    (reason, message)
}

#[test]
fn a_missing_instance_is_a_condition_that_names_it_and_ends_by_the_ready_timeout() {
    let mut world = World::named(&["auth"]);
    world.instance = Seen::Missing;
    let plan = world.reconcile();
    assert!(plan.instance.is_none(), "an instance given by name is never made");
    assert_eq!(world.phase(), Phase::Pending);
    assert_eq!(
        condition_of(&world),
        ("InstanceNotFound".into(), "there is no CoprInstance team-copr".into())
    );
    assert_eq!(world.told(), ["InstanceUnusable"]);

    world.pass(899);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Pending);
    world.pass(1);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert_eq!(
        world.condition("Succeeded").2,
        "CoprInstance team-copr was not ready for tests within 15m: there is no CoprInstance team-copr"
    );
}

#[test]
fn a_run_goes_on_when_its_missing_instance_comes() {
    let mut world = World::named(&["auth"]);
    let instance = std::mem::replace(&mut world.instance, Seen::Missing);
    world.reconcile();
    world.instance = instance;
    world.pass(5);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Running);
}

#[test]
fn an_instance_that_never_gets_ready_ends_the_run_with_its_own_message() {
    let mut world = World::template(&["auth", "chroots"]);
    world.reconcile();
    world.instance_says("False", "DatabaseNotReady", "pod pr-7-database-0: cannot pull its image");
    world.pass(900);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert_eq!(
        world.condition("Succeeded").2,
        "CoprInstance pr-7 was not ready for tests within 15m: pod pr-7-database-0: cannot pull its image"
    );
    assert_eq!(world.outcome("auth"), (Outcome::Error, 0));
    assert_eq!(world.condition("InstanceReady").1, "DatabaseNotReady", "it stays as it was at the end");
    world.evidence_is_settled();
    let plan = world.reconcile();
    assert_eq!(plan.deletions.instance.unwrap().name, RUN);
}

#[test]
fn a_name_that_another_instance_has_is_not_taken_over() {
    let mut world = World::template(&["auth"]);
    world.instance_is_made(RUN, &["uid-of-somebody"]);
    let plan = world.reconcile();
    assert!(plan.instance.is_none() && plan.deletions.instance.is_none());
    assert_eq!(world.phase(), Phase::Pending);
    assert_eq!(condition_of(&world).0, "InstanceNameTaken");
    world.run.spec.cancel = true;
    assert!(world.reconcile().deletions.instance.is_none());
}

#[test]
fn an_unreadable_instance_is_told() {
    let mut world = World::named(&["auth"]);
    world.instance = Seen::Unreadable("missing field `images`".into());
    world.reconcile();
    let expected = "CoprInstance team-copr can't be read: missing field `images`";
    assert_eq!(condition_of(&world), ("InstanceInvalid".into(), expected.into()));
}

#[test]
fn a_refused_instance_is_told_until_the_end() {
    let mut world = World::template(&["auth"]);
    for _ in 0..2 {
        let mut plan = world.plan();
        assert!(plan.instance.is_some());
        super::super::decide::instance_refused(&mut plan.status, "denied by policy", world.now());
        world.report(&plan);
        let expected = "CoprInstance pr-7 could not be created: denied by policy";
        assert_eq!(condition_of(&world), ("InstanceRefused".into(), expected.into()));
        assert_eq!(world.phase(), Phase::Provisioning);
        world.pass(10);
    }
    world.pass(900);
    world.reconcile();
    assert!(world.condition("Succeeded").2.ends_with("could not be created: denied by policy"));
}

#[test]
fn no_test_starts_on_a_status_that_is_older_than_the_spec() {
    let mut world = World::named(&["auth"]);
    world.instance_mut().metadata.generation = Some(4);
    assert!(world.reconcile().pods.is_empty());
    assert_eq!(condition_of(&world).0, "StatusOutdated");
}

#[test]
fn no_test_starts_without_the_client_secret() {
    let mut world = World::named(&["auth"]);
    world.client_secret = false;
    assert!(world.reconcile().pods.is_empty());
    let (reason, message) = condition_of(&world);
    assert_eq!(reason, "ClientSecretMissing");
    assert!(message.contains("team-copr-client"));
}

#[test]
fn an_instance_that_vanishes_ends_the_run() {
    let mut world = World::named(&["auth", "chroots"]);
    world.reconcile();
    world.passes("auth");
    world.instance = Seen::Missing;
    let plan = world.reconcile();
    assert_eq!(world.outcome("auth").0, Outcome::Passed);
    assert_eq!(world.message("chroots"), "CoprInstance team-copr was deleted during the run");
    assert_eq!(world.phase(), Phase::Error);
    assert_eq!(plan.deletions.pods.len(), 1);
    assert!(plan.instance.is_none());
}

#[test]
fn a_template_without_any_image_of_the_suite_ends_at_once() {
    let mut world = World::template(&[]);
    world.run.spec.instance.template.as_mut().unwrap().images.registry = None;
    let plan = world.reconcile();
    assert!(plan.instance.is_none());
    assert_eq!(world.phase(), Phase::Error);
    assert!(world.condition("Succeeded").2.contains("suite.image is not given"));
    assert_eq!(world.condition("Finished").0, "True");
    world.run.spec.suite.image = Some("registry/mine:1".into());
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error, "the end is the end");
}

#[test]
fn what_the_api_server_would_not_admit_ends_the_run_with_a_message() {
    for (spec, expected) in [
        (
            json!({"instance": {"name": INSTANCE, "readyTimeout": "soon"}}),
            "failed to read instance.readyTimeout: \"soon\"",
        ),
        (
            json!({"instance": {"name": INSTANCE}, "suite": {"timeout": ""}}),
            "failed to read suite.timeout: \"\"",
        ),
        (
            json!({"instance": {"name": INSTANCE}, "suite": {"tests": ["nope"]}}),
            "failed to find \"nope\" in the suite smoke",
        ),
    ] {
        let mut world = World::new(&spec);
        world.reconcile();
        let message = world.condition("Succeeded").2;
        assert!(message.starts_with(expected), "{message}");
        assert_eq!(world.phase(), Phase::Error);
    }
}

#[test]
fn durations_are_read_as_kubernetes_writes_them() {
    let mut world = World::named(&["auth"]);
    for (text, seconds) in [("90s", 90), ("1h30m", 5400), ("1h0m5s", 3605), ("48h", 172_800)] {
        world.run.spec.suite.timeout = text.into();
        let valid = super::super::validate::validate(&world.run, &world.observed()).unwrap();
        assert_eq!(valid.timeout.duration.as_secs(), seconds, "{text}");
    }
    assert_eq!(world.run.metadata.uid.as_deref(), Some(RUN_UID));
}

#[test]
fn a_run_waits_for_a_paused_instance_and_says_so() {
    let mut world = World::named(&["auth"]);
    if let Seen::Found(instance) = &mut world.instance {
        instance.spec.paused = true;
    }
    world.reconcile();
    assert_ne!(world.phase(), Phase::Running);
    let (reason, message) = condition_of(&world);
    assert_eq!(reason, "Paused");
    assert_eq!(message, "CoprInstance team-copr is paused: its spec.paused is true");
    if let Seen::Found(instance) = &mut world.instance {
        instance.spec.paused = false;
    }
    world.reconcile();
    assert_eq!(world.phase(), Phase::Running);
}
