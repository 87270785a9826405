//! How a component is, told from its StatefulSet, its pod and the events of both. Pure.

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ContainerState, ContainerStatus, Event, Pod},
};
use kube::ResourceExt as _;

use super::build::{SCHEMA, SEED};
use crate::{
    conditions::Verdict,
    images::verdict,
    report::{tail, truncate},
};

/// The component answers.
pub const AVAILABLE: &str = "Available";
/// Its objects are being created, or its pod is on its way up.
pub const STARTING: &str = "Starting";
/// The API server refuses the pod (quota, security context constraints, …).
pub const POD_REFUSED: &str = "PodRefused";
/// No node takes the pod.
pub const UNSCHEDULABLE: &str = "Unschedulable";
/// The kubelet can't have an image.
pub const IMAGE_PULL_FAILED: &str = "ImagePullFailed";
/// The kubelet can't create or start a container.
pub const CONTAINER_FAILED: &str = "ContainerFailed";
/// The schema step ended in an error.
pub const SCHEMA_FAILED: &str = "SchemaFailed";
/// The step that creates chroots and the administrator ended in an error.
pub const SEED_FAILED: &str = "SeedFailed";
/// Another init container ended in an error.
pub const INIT_FAILED: &str = "InitFailed";
/// A container ends again and again.
pub const CRASHING: &str = "Crashing";
/// The pod runs and doesn't answer its probe.
pub const NOT_READY: &str = "NotReady";
/// The kubelet can't mount or attach a volume.
pub const VOLUME_FAILED: &str = "VolumeFailed";
/// The kubelet can't make what the pod's containers live in, such as its network.
pub const SANDBOX_FAILED: &str = "SandboxFailed";

/// Reasons of events by which the API server's admission or a quota says why there is no pod.
pub const REFUSALS: [&str; 2] = ["FailedCreate", "FailedDelete"];
/// Reasons of events by which the kubelet says why no container of a pod is started.
pub const OBSTACLES: [&str; 5] =
    ["FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "FailedPostStartHook"];

/// Message of a kubelet or a log, as far as a condition repeats it.
const MESSAGE_LENGTH: usize = 600;
/// What of it may be the end of a log.
const LOG_LENGTH: usize = 450;

/// Everything that a component may be in trouble for.
pub const TROUBLES: [&str; 11] = [
    POD_REFUSED,
    UNSCHEDULABLE,
    IMAGE_PULL_FAILED,
    CONTAINER_FAILED,
    VOLUME_FAILED,
    SANDBOX_FAILED,
    SCHEMA_FAILED,
    SEED_FAILED,
    INIT_FAILED,
    CRASHING,
    NOT_READY,
];

/// Whether a reason means trouble, rather than that it takes a while.
pub fn is_trouble(reason: &str) -> bool {
    !matches!(reason, AVAILABLE | STARTING | verdict::BUILDING)
}

/// The state of a component. `refusal` is the newest warning about its StatefulSet, `obstacle` the newest about its pod.
pub fn verdict(
    workload: Option<&StatefulSet>,
    pod: Option<&Pod>,
    refusal: Option<&str>,
    obstacle: Option<&Event>,
) -> Verdict {
    if workload.is_none() {
        return Verdict::no(STARTING, "its StatefulSet doesn't exist yet");
    }
    let Some(pod) = pod else {
        return match refusal {
            Some(message) => Verdict::no(POD_REFUSED, truncate(message.into(), MESSAGE_LENGTH)),
            None => Verdict::no(STARTING, "its pod doesn't exist yet"),
        };
    };
    let name = pod.name_any();
    if pod.metadata.deletion_timestamp.is_some() {
        return Verdict::no(STARTING, format!("pod {name} is being replaced"));
    }
    if let Some((reason, message)) = pod_trouble(pod) {
        return Verdict::no(reason, message);
    }
    if is_ready(pod) {
        return Verdict::yes(AVAILABLE, format!("pod {name} is ready"));
    }
    if let Some((reason, message)) = obstacle.filter(|_| has_started_nothing(pod)).map(obstacle_of) {
        return Verdict::no(reason, format!("pod {name}: {message}"));
    }
    match not_ready(pod) {
        Some(container) => Verdict::no(
            NOT_READY,
            format!("pod {name}: container {container} doesn't answer its readiness probe"),
        ),
        None => Verdict::no(STARTING, format!("pod {name}: {}", progress(pod))),
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

/// Whether none of the pod's containers will ever run again.
pub fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Why a pod can't get on, with its name and the words of the scheduler, the kubelet or the log.
pub fn pod_trouble(pod: &Pod) -> Option<(&'static str, String)> {
    let (reason, message) = unschedulable(pod).or_else(|| containers(pod))?;
    Some((reason, format!("pod {}: {}", pod.name_any(), truncate(message, MESSAGE_LENGTH))))
}

/// Whether every container of the pod answers.
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|(status, _)| status == "True")
}

fn condition<'a>(pod: &'a Pod, type_: &str) -> Option<(&'a str, &'a str)> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|c| c.type_ == type_)?;
    Some((&found.status, found.message.as_deref().unwrap_or_default()))
}

fn unschedulable(pod: &Pod) -> Option<(&'static str, String)> {
    match condition(pod, "PodScheduled")? {
        ("False", message) if !message.is_empty() => Some((UNSCHEDULABLE, message.into())),
        _ => None,
    }
}

fn containers(pod: &Pod) -> Option<(&'static str, String)> {
    let status = pod.status.as_ref()?;
    let init = status.init_container_statuses.iter().flatten().map(|c| (c, true));
    let main = status.container_statuses.iter().flatten().map(|c| (c, false));
    init.chain(main).find_map(|(container, is_init)| container_trouble(container, is_init))
}

fn container_trouble(container: &ContainerStatus, is_init: bool) -> Option<(&'static str, String)> {
    let ended = |kind| {
        let failed = [container.state.as_ref(), container.last_state.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|s| s.terminated.as_ref())
            .find(|t| t.exit_code != 0)?;
        // The end of a log says what went wrong: a traceback begins with what led there.
        let log = tail(failed.message.as_deref().unwrap_or("it logged nothing").trim(), LOG_LENGTH);
        let why = failed.reason.as_deref().unwrap_or("Error");
        Some((
            kind,
            format!("container {} ended with {why} (exit code {}): {log}", container.name, failed.exit_code),
        ))
    };
    let ContainerState { waiting, terminated, .. } = container.state.as_ref()?;
    if let Some(waiting) = waiting {
        let reason = waiting.reason.as_deref().unwrap_or_default();
        let message = waiting.message.as_deref().unwrap_or_default();
        let detail = format!("container {}: {reason}: {message}", container.name);
        match reason {
            "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull"
            | "ImageInspectError" => {
                return Some((IMAGE_PULL_FAILED, detail));
            }
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                return Some((CONTAINER_FAILED, detail));
            }
            "CrashLoopBackOff" => return ended(crash_reason(container, is_init)),
            _ => return None,
        }
    }
    let failed = terminated.as_ref().is_some_and(|t| t.exit_code != 0);
    // An init step that failed and runs again has not mended anything yet.
    let failed_before = is_init && !container.ready && container.restart_count > 0;
    (failed || failed_before).then(|| ended(crash_reason(container, is_init))).flatten()
}

fn crash_reason(container: &ContainerStatus, is_init: bool) -> &'static str {
    match (is_init, container.name.as_str()) {
        (true, SCHEMA) => SCHEMA_FAILED,
        (true, SEED) => SEED_FAILED,
        (true, _) => INIT_FAILED,
        (false, _) => CRASHING,
    }
}

/// A container that was up and answers no more.
fn not_ready(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let restarted = |c: &&ContainerStatus| !c.ready && c.restart_count > 0;
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
