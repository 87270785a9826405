//! What kstatus is to make of each phase of a run.

use copr_operator_api::v1alpha1::{CoprTestRun, Phase};
use copr_operator_kernel::testing::{assert_recorded, status_of_new};
use serde_json::Value;

use super::world::World;

/// A run that was reconciled once it was so.
fn world(so: impl FnOnce(&mut World)) -> World {
    let mut world = World::named(&["auth"]);
    world.run.spec.suite.retries = 0;
    world.reconcile();
    world.pass(20);
    so(&mut world);
    world.reconcile();
    world.pass(20);
    world.reconcile();
    world
}

fn object(world: &World, phase: Phase) -> Value {
    assert_eq!(world.phase(), phase);
    serde_json::to_value(&world.run).unwrap()
}

#[test]
fn kstatus_is_told_how_a_run_is() {
    let mut missing = World::named(&["auth"]);
    missing.instance = crate::dereference::Seen::Missing;
    missing.reconcile();
    let mut refused = World::template(&[]);
    refused.run.spec.instance.template.as_mut().unwrap().images.registry = None;
    refused.reconcile();
    let mut edited = world(|world| world.passes("auth"));
    edited.run.metadata.generation = Some(2);
    let mut new = serde_json::to_value(&World::template(&[]).run).unwrap();
    new["status"] = status_of_new::<CoprTestRun>();
    assert_recorded(
        "run",
        &[
            ("new", "InProgress", new),
            ("waiting", "InProgress", object(&missing, Phase::Pending)),
            ("running", "InProgress", object(&world(|world| world.starts("auth")), Phase::Running)),
            ("passed", "Current", object(&world(|world| world.passes("auth")), Phase::Passed)),
            ("passed-and-edited", "InProgress", object(&edited, Phase::Passed)),
            ("failed", "Failed", object(&world(|world| world.fails("auth")), Phase::Failed)),
            ("error", "Failed", object(&world(|world| world.pods.clear()), Phase::Error)),
            ("cancelled", "Failed", object(&world(|world| world.run.spec.cancel = true), Phase::Cancelled)),
            ("refused", "Failed", object(&refused, Phase::Error)),
        ],
    );
}

#[test]
fn a_verdict_is_told_to_tools_that_know_no_runs() {
    for (so, ready, stalled) in [
        (World::passes as fn(&mut World, &str), "True", "False"),
        (World::fails, "False", "True"),
        (World::starts, "False", "False"),
    ] {
        let world = world(|world| so(world, "auth"));
        assert_eq!(
            (world.condition("Ready").0.as_str(), world.condition("Stalled").0.as_str()),
            (ready, stalled)
        );
        let of_run = world.condition("Finished");
        let told = if ready == "True" {
            "Ready"
        } else if stalled == "True" {
            "Stalled"
        } else {
            "Reconciling"
        };
        let of_tool = world.condition(told);
        assert_eq!((&of_run.1, &of_run.2), (&of_tool.1, &of_tool.2));
    }
}
