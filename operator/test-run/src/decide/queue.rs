//! Whose turn a run is: so many at a time per namespace, and one at a time of a group. Older ones go first, so that every run comes to
//! the same order by itself. Pure.

use copr_operator_api::v1alpha1::{ConcurrencyPolicy, CoprTestRunStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{dereference::Observed, validate::Validated};

/// Another run of the namespace that hasn't ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it has left the queue.
    pub admitted: bool,
    /// Its group, if it has one.
    pub group: Option<String>,
}

/// Lets the run leave the queue, or says which place it has there.
pub fn admit(run: &Validated, observed: &Observed, status: &mut CoprTestRunStatus) -> Option<String> {
    if status.timestamps.admitted.is_some() {
        return None;
    }
    let ahead = |other: &&Other| other.admitted || is_older(other, run, observed);
    let queues = run.concurrency.as_ref().filter(|own| own.policy == ConcurrencyPolicy::Queue);
    let same_group = |other: &&Other| queues.is_some_and(|own| other.group.as_ref() == Some(&own.group));
    let before = observed.runs.iter().filter(ahead);
    let of_group: Vec<_> = before.clone().filter(same_group).map(|other| other.name.as_str()).collect();
    let limit = observed.runs_at_a_time;
    let waiting: Vec<_> = before.clone().filter(|other| !other.admitted).collect();
    let full = limit.is_some_and(|limit| before.count() >= limit);
    if of_group.is_empty() && !full {
        status.timestamps.admitted = Some(Time(observed.now));
        status.queue_place = None;
        return None;
    }
    let place = i32::try_from(waiting.len() + 1).unwrap_or(i32::MAX);
    status.queue_place = Some(place);
    Some(if of_group.is_empty() {
        let limit = limit.unwrap_or_default();
        format!("number {place} in the queue: {limit} runs at a time are allowed in this namespace")
    } else {
        format!("number {place} in the queue: waits for {} of its group", of_group.join(", "))
    })
}

/// The newer run of its group that ends this one, if there is one.
pub fn superseded(run: &Validated, observed: &Observed) -> Option<String> {
    let own = run.concurrency.as_ref().filter(|own| own.policy == ConcurrencyPolicy::CancelOlder)?;
    let newer = |other: &&Other| other.group.as_ref() == Some(&own.group) && !is_older(other, run, observed);
    observed.runs.iter().filter(newer).map(|other| other.name.clone()).next()
}

/// Whether the other run was made before this one. Those of one second go by their names.
fn is_older(other: &Other, run: &Validated, observed: &Observed) -> bool {
    (other.created, &other.name) < (observed.created, &run.name)
}
