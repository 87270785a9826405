//! The condition that tells of an instance's end, and its events. Pure.

use copr_operator_api::v1alpha1::{CoprInstance, CoprInstanceStatus, DeletionPolicy};
use copr_operator_kernel::conditions::{self, Finding};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::runtime::events::{Event, EventType};

use crate::lifetime::{CONDITION, Outlook, Step};

/// The end is near.
const EXPIRES_SOON: &str = "ExpiresSoon";
/// The end is over, and runs have to end first.
const WAITS_FOR_RUNS: &str = "WaitsForRuns";
/// The end is over, and the instance is paused.
const WAITS_FOR_RESUME: &str = "WaitsForResume";

/// Writes it down.
pub fn report(instance: &CoprInstance, outlook: &Outlook, status: &mut CoprInstanceStatus, now: Timestamp) {
    status.expires_at = outlook.end.map(Time);
    match outlook.end.and_then(|end| finding(instance, &outlook.step, end)) {
        Some(finding) => {
            let generation = instance.metadata.generation;
            conditions::set(&mut status.conditions, CONDITION, finding, generation, now);
        }
        None => status.conditions.retain(|condition| condition.type_ != CONDITION),
    }
}

fn finding(instance: &CoprInstance, step: &Step, end: Timestamp) -> Option<Finding> {
    let with = match instance.spec.deletion_policy {
        DeletionPolicy::Delete => "with its volumes",
        DeletionPolicy::Retain => "without its volumes",
    };
    let longer = "a longer spec.ttl or a later spec.expiresAt keeps it";
    match step {
        Step::Keep | Step::Delete => None,
        Step::Warn => {
            let message = format!(
                "the instance is deleted {with} at {end} or a minute after this was said, whichever is later; {longer}"
            );
            Some(Finding::yes(EXPIRES_SOON, message))
        }
        Step::WaitForRuns(runs) => {
            let message = format!(
                "the instance's time was over at {end}; it is deleted {with} once these test runs have ended: {}; {longer}",
                runs.join(", ")
            );
            Some(Finding::yes(WAITS_FOR_RUNS, message))
        }
        Step::WaitForResume => {
            let message = format!(
                "the instance's time was over at {end}; it is deleted {with} once spec.paused is false; {longer}"
            );
            Some(Finding::yes(WAITS_FOR_RESUME, message))
        }
    }
}

/// The event of a change of it, if there was one.
pub fn event(old: &CoprInstanceStatus, new: &CoprInstanceStatus) -> Option<Event> {
    let before = conditions::get(&old.conditions, CONDITION);
    let after = conditions::get(&new.conditions, CONDITION)?;
    if before.is_some_and(|before| before.reason == after.reason) {
        return None;
    }
    Some(Event {
        type_: if after.reason == EXPIRES_SOON { EventType::Warning } else { EventType::Normal },
        reason: after.reason.clone(),
        note: Some(after.message.clone()),
        action: "Delete".into(),
        secondary: None,
    })
}
