//! How the builder pods of an instance are. Pure, but for [`dry_run`].
//!
//! Builders come and go with builds, so they are no part of Ready. But a build that waits for a builder that can't
//! come is no fault of Copr, and a test run has to know. What is known before any build: whether the API server would admit a
//! builder ([`dry_run`]), and whether the builder image can be pulled and has Mock's configurations ([`look`]).

pub mod dry_run;
pub mod look;
#[cfg(test)]
mod tests;

use copr_operator_api::{
    component::{BUILDER, Component},
    labels::COMPONENT,
    status::builders::BUILDER_REFUSED,
};
use copr_operator_kernel::{conditions::Finding, event, pods, report::truncate};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::ResourceExt as _;

use self::dry_run::Outcome;
use super::health;

/// No builder is in trouble.
pub const AVAILABLE: &str = health::AVAILABLE;
/// resalloc's hook could not make a builder; also the reason of the event that the hook writes.
pub const BUILDER_FAILED: &str = "BuilderFailed";

/// What the hook's event has as its action where the API server refused the pod.
const REFUSED_ACTION: &str = "Refused";
/// A refusal that no later builder or dry run has made up for counts this long.
const REFUSAL_MEMORY: SignedDuration = SignedDuration::from_secs(120);
/// A builder that didn't start counts this long: while a build waits, resalloc makes the next one at once.
const FAILURE_MEMORY: SignedDuration = SignedDuration::from_secs(45);
const MESSAGE_LENGTH: usize = 600;

/// What the state of the builders is told from.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The instance's pods.
    pub pods: &'a [Pod],
    /// Warnings about resalloc's pod, where the hooks write, and about pods that don't start.
    pub events: &'a [Event],
    /// What the last dry run said, if there was one.
    pub dry_run: Option<&'a Outcome>,
}

/// The condition, and when to look at it again though nothing happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The condition.
    pub finding: Finding,
    /// It's over by then, or known to last.
    pub look_again: Option<SignedDuration>,
}

/// The state of the builders.
pub fn assess(seen: Seen<'_>, now: Timestamp) -> Assessment {
    let trouble = |reason: &str, message: String, look_again| Assessment {
        finding: Finding::no(reason, truncate(message, MESSAGE_LENGTH)),
        look_again: Some(look_again),
    };
    let builders: Vec<_> = of_component(seen.pods, BUILDER).filter(|pod| !is_over(pod)).collect();
    let ready_since = builders.iter().filter(|pod| pods::is_ready(pod)).filter_map(|pod| created(pod)).max();
    // A builder that has ended says no more than that: whether it was the cluster's doing is an incident.
    let waiting = builders.iter().find_map(|pod| trouble_of(pod).or_else(|| stuck(pod, seen.events)));
    if let Some((reason, message)) = waiting {
        return trouble(reason, message, dry_run::PAUSE);
    }
    if ready_since.is_none()
        && let Some((reason, message)) = of_component(seen.pods, look::COMPONENT).find_map(trouble_of)
        && reason == pods::IMAGE_PULL_FAILED
    {
        return trouble(reason, message, dry_run::PAUSE);
    }
    if let Some(why) = seen.dry_run.and_then(|outcome| outcome.refusal(builders.is_empty())) {
        return trouble(BUILDER_REFUSED, format!("the API server refuses builders: {why}"), dry_run::PAUSE);
    }
    let resalloc = resalloc_uid(seen.pods);
    let failure = seen
        .events
        .iter()
        .filter(|event| event.reason.as_deref() == Some(BUILDER_FAILED))
        // An instance of that name before this one had a resalloc of its own.
        .filter(|event| resalloc.is_some() && event.involved_object.uid == resalloc)
        .filter_map(|event| Some((event::time(event)?, event)))
        .filter(|(time, event)| {
            now.duration_since(*time) < memory(event) && ready_since.is_none_or(|since| since < *time)
        })
        .filter(|(time, event)| {
            !is_refusal(event) || seen.dry_run.is_none_or(|outcome| !outcome.admitted_after(*time))
        })
        .max_by_key(|(time, _)| *time);
    match failure {
        Some((time, event)) => {
            let reason = if is_refusal(event) { BUILDER_REFUSED } else { BUILDER_FAILED };
            let left = (time + memory(event)).duration_since(now);
            trouble(reason, event.message.clone().unwrap_or_default(), left.min(dry_run::PAUSE))
        }
        None => {
            Assessment { finding: Finding::yes(AVAILABLE, "no builder pod is in trouble"), look_again: None }
        }
    }
}

/// The uid of the present resalloc pod: what it made, and what its hooks told, counts.
pub fn resalloc_uid(pods: &[Pod]) -> Option<String> {
    of_component(pods, Component::Resalloc.name())
        .filter(|pod| pod.metadata.deletion_timestamp.is_none())
        .max_by_key(|pod| created(pod))
        .and_then(|pod| pod.metadata.uid.clone())
}

/// Why a pod can't get on: reason and message of a condition.
fn trouble_of(pod: &Pod) -> Option<(&'static str, String)> {
    pods::trouble(pod).map(|trouble| (trouble.reason, trouble.message))
}

/// A pod that the kubelet has and can't set up says so by events only: volumes, the sandbox.
fn stuck(pod: &Pod, events: &[Event]) -> Option<(&'static str, String)> {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if phase != Some("Pending") {
        return None;
    }
    let is_obstacle = |reason: &str| health::OBSTACLES.contains(&reason);
    let newest = event::newest(events, pod.metadata.uid.as_ref(), is_obstacle)?;
    let (reason, message) =
        (newest.reason.as_deref().unwrap_or_default(), newest.message.as_deref().unwrap_or_default());
    Some((pods::CONTAINER_FAILED, format!("pod {}: {reason}: {message}", pod.name_any())))
}

fn memory(event: &Event) -> SignedDuration {
    if is_refusal(event) { REFUSAL_MEMORY } else { FAILURE_MEMORY }
}

fn is_refusal(event: &Event) -> bool {
    event.action.as_deref() == Some(REFUSED_ACTION)
}

fn of_component<'a>(pods: &'a [Pod], component: &'a str) -> impl Iterator<Item = &'a Pod> {
    pods.iter().filter(move |pod| pod.labels().get(COMPONENT).is_some_and(|c| c == component))
}

/// Whether no build can run on it any more.
fn is_over(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some() || pods::has_ended(pod)
}

fn created(pod: &Pod) -> Option<Timestamp> {
    pod.creation_timestamp().map(|time| time.0)
}
