//! How a component is, told from its StatefulSet, its pod and the events of both. Pure.

use copr_operator_images::condition;
use copr_operator_kernel::{
    conditions::Finding,
    pods::{self, INIT_FAILED},
    report::truncate,
};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ContainerStatus, Event, Pod},
};
use kube::ResourceExt as _;

use super::build::{SCHEMA, SEED};

/// The component answers.
pub const AVAILABLE: &str = "Available";
/// Its objects are being created, or its pod is on its way up.
pub const STARTING: &str = "Starting";
/// The API server refuses the pod (quota, security context constraints, …).
pub const POD_REFUSED: &str = "PodRefused";
/// The schema step ended in an error.
pub const SCHEMA_FAILED: &str = "SchemaFailed";
/// The step that brings chroots and users into the database ended in an error.
pub const SEED_FAILED: &str = "SeedFailed";
/// The pod runs and doesn't answer its probe.
pub const NOT_READY: &str = "NotReady";
/// The kubelet can't mount or attach a volume.
pub const VOLUME_FAILED: &str = "VolumeFailed";
/// The kubelet can't make the pod's sandbox, such as its network.
pub const SANDBOX_FAILED: &str = "SandboxFailed";

/// Reasons of events by which the API server's admission or a quota says why there is no pod.
pub const REFUSALS: [&str; 2] = ["FailedCreate", "FailedDelete"];
/// Reasons of events by which the kubelet says why no container of a pod is started.
pub const OBSTACLES: [&str; 5] =
    ["FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "FailedPostStartHook"];

/// Message of a kubelet or a log, as far as a condition repeats it.
const MESSAGE_LENGTH: usize = 600;

/// Everything that a component may be in trouble for.
pub const TROUBLES: [&str; 11] = [
    POD_REFUSED,
    pods::UNSCHEDULABLE,
    pods::IMAGE_PULL_FAILED,
    pods::CONTAINER_FAILED,
    VOLUME_FAILED,
    SANDBOX_FAILED,
    SCHEMA_FAILED,
    SEED_FAILED,
    INIT_FAILED,
    pods::CRASHING,
    NOT_READY,
];

/// Whether a reason means trouble, rather than that it takes a while.
pub fn is_trouble(reason: &str) -> bool {
    !matches!(reason, AVAILABLE | STARTING | condition::BUILDING)
}

/// The state of a component. `refusal` is the newest warning about its StatefulSet, `obstacle` the newest about its pod.
pub fn assess(
    workload: Option<&StatefulSet>,
    pod: Option<&Pod>,
    refusal: Option<&str>,
    obstacle: Option<&Event>,
) -> Finding {
    if workload.is_none() {
        return Finding::no(STARTING, "its StatefulSet doesn't exist yet");
    }
    let Some(pod) = pod else {
        return match refusal {
            Some(message) => Finding::no(POD_REFUSED, truncate(message.into(), MESSAGE_LENGTH)),
            None => Finding::no(STARTING, "its pod doesn't exist yet"),
        };
    };
    let name = pod.name_any();
    if pod.metadata.deletion_timestamp.is_some() {
        return Finding::no(STARTING, format!("pod {name} is being replaced"));
    }
    if let Some((reason, message)) = pod_trouble(pod) {
        return Finding::no(reason, message);
    }
    if pods::is_ready(pod) {
        return Finding::yes(AVAILABLE, format!("pod {name} is ready"));
    }
    if let Some((reason, message)) = obstacle.filter(|_| has_started_nothing(pod)).map(obstacle_of) {
        return Finding::no(reason, format!("pod {name}: {message}"));
    }
    match not_ready(pod) {
        Some(container) => Finding::no(
            NOT_READY,
            format!("pod {name}: container {container} doesn't answer its readiness probe"),
        ),
        None => Finding::no(STARTING, format!("pod {name}: {}", progress(pod))),
    }
}

/// The kubelet's words, and the reason that they stand for.
fn obstacle_of(event: &Event) -> (&'static str, String) {
    let event_reason = event.reason.as_deref().unwrap_or_default();
    let reason = if event_reason == "FailedCreatePodSandBox" { SANDBOX_FAILED } else { VOLUME_FAILED };
    let message = event.message.clone().unwrap_or_default();
    (reason, truncate(format!("{event_reason}: {message}"), MESSAGE_LENGTH))
}

/// Whether the kubelet is still busy with what comes before the first container.
fn has_started_nothing(pod: &Pod) -> bool {
    let Some(status) = pod.status.as_ref() else { return true };
    let init = status.init_container_statuses.iter().flatten();
    init.chain(status.container_statuses.iter().flatten()).all(|container| {
        let state = container.state.as_ref();
        state.is_none_or(|state| state.running.is_none() && state.terminated.is_none())
    })
}

/// Why a component's pod can't get on: the steps of the frontend have reasons of their own.
fn pod_trouble(pod: &Pod) -> Option<(&'static str, String)> {
    let trouble = pods::trouble(pod)?;
    let reason = match (trouble.reason, trouble.container.as_deref()) {
        (INIT_FAILED, Some(SCHEMA)) => SCHEMA_FAILED,
        (INIT_FAILED, Some(SEED)) => SEED_FAILED,
        (reason, _) => reason,
    };
    Some((reason, trouble.message))
}

/// A container that was up and answers no more. One that was restarted has until its startup probe gives up to answer at all.
fn not_ready(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let restarted = |c: &&ContainerStatus| !c.ready && c.restart_count > 0 && c.started != Some(false);
    status.container_statuses.iter().flatten().find(restarted).map(|c| c.name.clone())
}

fn progress(pod: &Pod) -> String {
    let Some(status) = pod.status.as_ref() else {
        return "not scheduled yet".into();
    };
    let init = status.init_container_statuses.iter().flatten();
    let waiting = init.chain(status.container_statuses.iter().flatten()).find(|c| !c.ready);
    match waiting {
        Some(c) if c.state.as_ref().is_some_and(|s| s.running.is_some()) => {
            format!("container {} is starting", c.name)
        }
        Some(c) => format!("container {} waits to be started", c.name),
        None => "waits to be started".into(),
    }
}

#[cfg(test)]
mod tests;
