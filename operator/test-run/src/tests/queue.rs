//! Whose turn a run is.

use copr_operator_api::v1alpha1::Phase;
use serde_json::json;

use super::world::{INSTANCE, RUN, World, time};
use crate::decide::Other;

fn other(name: &str, second: i64, admitted: bool, group: Option<&str>) -> Other {
    Other { name: name.into(), created: time(second), admitted, group: group.map(str::to_owned) }
}

fn world(concurrency: Option<&str>) -> World {
    let mut spec = json!({"instance": {"name": INSTANCE}, "suite": {"tests": ["auth"]}});
    if let Some(policy) = concurrency {
        spec["concurrency"] = json!({"group": "pr", "policy": policy});
    }
    let mut world = World::new(&spec);
    world.instance_is_made(INSTANCE, &[]);
    world.instance_is_ready();
    world
}

#[test]
fn a_run_beyond_the_limit_waits_for_its_turn_and_says_which_place_it_has() {
    let mut world = world(None);
    world.runs_at_a_time = Some(1);
    world.runs = vec![
        other("first", -20, true, None),
        other("second", -10, false, None),
        other("later", 5, false, None),
    ];
    world.reconcile();
    assert_eq!((world.phase(), world.status().queue_place), (Phase::Pending, Some(2)));
    assert!(world.condition("Succeeded").2.contains("number 2 in the queue: 1 runs at a time"));
    // Its time doesn't run there.
    world.pass(100_000);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Pending);
    world.runs.retain(|other| other.name == "later");
    world.reconcile();
    assert_eq!((world.phase(), world.status().queue_place), (Phase::Running, None));
    // Who is in stays in.
    world.runs.push(other("older", -30, true, None));
    world.reconcile();
    assert_eq!(world.phase(), Phase::Running);
}

#[test]
fn of_a_group_the_newer_run_waits_or_the_older_one_ends() {
    let mut queues = world(Some("Queue"));
    queues.runs = vec![other("older", -1, true, Some("pr")), other("stranger", -1, true, Some("else"))];
    queues.reconcile();
    assert_eq!(queues.phase(), Phase::Pending);
    assert!(queues.condition("Succeeded").2.contains("waits for older of its group"));
    queues.runs.clear();
    queues.reconcile();
    assert_eq!(queues.phase(), Phase::Running);

    let mut cancels = world(Some("CancelOlder"));
    cancels.runs = vec![other("older", -1, true, Some("pr"))];
    cancels.reconcile();
    assert_eq!(cancels.phase(), Phase::Running);
    cancels.runs.push(other("newer", 1, false, Some("pr")));
    cancels.reconcile();
    assert_eq!(cancels.phase(), Phase::Cancelled);
    assert!(cancels.condition("Succeeded").2.contains("by the newer CoprTestRun newer"));
}

#[test]
fn a_run_with_an_instance_of_its_own_says_its_place_and_creates_nothing_before() {
    let mut world = World::template(&["auth"]);
    world.runs_at_a_time = Some(1);
    world.runs = vec![other("first", -20, true, None)];
    assert!(world.reconcile().instance.is_none());
    assert!(world.condition("Succeeded").2.contains("number 1 in the queue"));
    assert_eq!(world.condition("InstanceReady").1, "Queued");
    world.runs.clear();
    assert!(world.reconcile().instance.is_some());
    assert_eq!(world.condition("InstanceReady").1, "Creating");
}

#[test]
fn of_two_runs_of_one_second_one_goes_first() {
    let mut world = world(Some("Queue"));
    world.runs = vec![other("zz", 0, false, Some("pr"))];
    world.reconcile();
    assert_eq!(world.phase(), Phase::Running, "{RUN} comes before zz");
}
