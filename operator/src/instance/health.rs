//! How a component is, told from its StatefulSet, its pod and the events of both. Pure.

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{ContainerState, ContainerStatus, Pod},
};
use kube::ResourceExt as _;

use super::build::{SCHEMA, SEED};
use crate::{conditions::Verdict, images::verdict, report::truncate};

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

/// Message of a kubelet or a log, as far as a condition repeats it.
const MESSAGE_LENGTH: usize = 600;

/// Whether a reason means trouble, rather than that it takes a while.
pub fn is_trouble(reason: &str) -> bool {
    !matches!(reason, AVAILABLE | STARTING | verdict::BUILDING)
}

/// The state of a component. `refusal` is the newest warning about its StatefulSet.
pub fn verdict(workload: Option<&StatefulSet>, pod: Option<&Pod>, refusal: Option<&str>) -> Verdict {
    let Some(workload) = workload else {
        return Verdict::no(STARTING, "its StatefulSet doesn't exist yet");
    };
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
        let status = workload.status.clone().unwrap_or_default();
        // A pod of the old revision may still answer while the StatefulSet is about to replace it.
        let current = status.observed_generation >= workload.metadata.generation
            && status.update_revision == pod.labels().get("controller-revision-hash").cloned();
        return if current {
            Verdict::yes(AVAILABLE, format!("pod {name} is ready"))
        } else {
            Verdict::no(STARTING, format!("pod {name} is about to be replaced by a newer revision"))
        };
    }
    match not_ready(pod) {
        Some(container) => Verdict::no(
            NOT_READY,
            format!("pod {name}: container {container} doesn't answer its readiness probe"),
        ),
        None => Verdict::no(STARTING, format!("pod {name}: {}", progress(pod))),
    }
}

/// Why a pod can't get on, with its name and the words of the scheduler, the kubelet or the log.
pub fn pod_trouble(pod: &Pod) -> Option<(&'static str, String)> {
    let (reason, message) = unschedulable(pod).or_else(|| containers(pod))?;
    Some((reason, format!("pod {}: {}", pod.name_any(), truncate(message, MESSAGE_LENGTH))))
}

fn is_ready(pod: &Pod) -> bool {
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
        let log = failed.message.as_deref().unwrap_or("it logged nothing").trim();
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
