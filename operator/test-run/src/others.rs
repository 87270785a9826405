//! The other runs of a namespace, from the controller's own cache: whose turn it is follows from them.

use copr_operator_api::v1alpha1::CoprTestRun;
use kube::{
    ResourceExt,
    core::PartialObjectMeta,
    runtime::reflector::{ObjectRef, Store},
};

use super::{Watched, decide::Other};

/// The other runs of the run's namespace that haven't ended.
pub fn unfinished(runs: &Store<Watched>, run: &CoprTestRun) -> Vec<Other> {
    let others = runs.state();
    let others = others.iter().filter_map(|watched| watched.0.as_ref().ok());
    others
        .filter(|other| other.namespace() == run.namespace() && other.uid() != run.uid())
        .filter(|other| !has_ended(other))
        .map(|other| Other {
            name: other.name_any(),
            created: created(other),
            admitted: other.status.as_ref().is_some_and(|status| status.timestamps.admitted.is_some()),
            group: other.spec.concurrency.as_ref().map(|concurrency| concurrency.group.clone()),
        })
        .collect()
}

/// The runs that may go on, or have to end, because this one has changed: those of its namespace that wait or have a group.
pub fn affected(runs: &Store<Watched>, changed: &PartialObjectMeta<CoprTestRun>) -> Vec<ObjectRef<Watched>> {
    let waits = |run: &CoprTestRun| {
        run.spec.concurrency.is_some()
            || run.status.as_ref().is_some_and(|status| status.timestamps.admitted.is_none())
    };
    let is_affected = |watched: &Watched| {
        watched.0.as_ref().is_ok_and(|run| {
            run.namespace() == changed.namespace()
                && run.name_any() != changed.name_any()
                && !has_ended(run)
                && waits(run)
        })
    };
    let runs = runs.state();
    runs.iter()
        .filter(|watched| is_affected(watched))
        .map(|watched| ObjectRef::from_obj(&**watched))
        .collect()
}

fn has_ended(run: &CoprTestRun) -> bool {
    run.metadata.deletion_timestamp.is_some()
        || run.status.as_ref().is_some_and(|status| status.phase.is_final())
}

fn created(run: &CoprTestRun) -> jiff::Timestamp {
    run.metadata.creation_timestamp.as_ref().map_or(jiff::Timestamp::MAX, |time| time.0)
}
