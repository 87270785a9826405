//! How a pod is, told from its status. Pure.

use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateTerminated, ContainerStatus, Pod, PodCondition,
};
use kube::ResourceExt as _;

use crate::report::{tail, truncate};

/// No node takes the pod.
pub const UNSCHEDULABLE: &str = "Unschedulable";
/// The kubelet can't have an image.
pub const IMAGE_PULL_FAILED: &str = "ImagePullFailed";
/// The kubelet can't create or start a container.
pub const CONTAINER_FAILED: &str = "ContainerFailed";
/// An init container ended in an error.
pub const INIT_FAILED: &str = "InitFailed";
/// A container ends again and again.
pub const CRASHING: &str = "Crashing";

/// The longest message of a kubelet or a log that is repeated; more is cut off.
const MESSAGE_LENGTH: usize = 600;
/// How much of the message may be the end of a log.
const LOG_LENGTH: usize = 450;

/// Why the kubelet doesn't start a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The registry doesn't give it the image.
    Pull,
    /// It can't have or use the image for another reason.
    Image,
    /// It can't create or start the container.
    Start,
}

/// What the kubelet's reason for a waiting container stands for, if that is trouble.
pub fn waiting(reason: &str) -> Option<Waiting> {
    match reason {
        "ErrImagePull" | "ImagePullBackOff" => Some(Waiting::Pull),
        "InvalidImageName" | "ErrImageNeverPull" | "RegistryUnavailable" | "ImageInspectError" => {
            Some(Waiting::Image)
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => Some(Waiting::Start),
        // ContainerCreating and PodInitializing are no trouble. With CrashLoopBackOff the container was started, and it's how it
        // ended that counts.
        _ => None,
    }
}

/// What keeps a pod from getting on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// One of the reasons of this module.
    pub reason: &'static str,
    /// The container that has it, unless it is the pod.
    pub container: Option<String>,
    /// The pod's name, and the words of the scheduler, the kubelet or the log.
    pub message: String,
}

/// Why a pod can't get on.
pub fn trouble(pod: &Pod) -> Option<Trouble> {
    let (reason, container, message) = unschedulable(pod).or_else(|| containers(pod))?;
    let message = format!("pod {}: {}", pod.name_any(), truncate(message, MESSAGE_LENGTH));
    Some(Trouble { reason, container: container.map(str::to_owned), message })
}

/// Whether none of the pod's containers will ever run again.
pub fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Whether every container of the pod answers.
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|ready| ready.status == "True")
}

/// The condition of that type, if the pod has one.
pub fn condition<'a>(pod: &'a Pod, type_: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.iter().flatten().find(|condition| condition.type_ == type_)
}

/// Reason, container and message.
type Found<'a> = (&'static str, Option<&'a str>, String);

fn unschedulable(pod: &Pod) -> Option<Found<'_>> {
    let scheduled = condition(pod, "PodScheduled").filter(|condition| condition.status == "False")?;
    let message = scheduled.message.clone().filter(|message| !message.is_empty())?;
    Some((UNSCHEDULABLE, None, message))
}

fn containers(pod: &Pod) -> Option<Found<'_>> {
    let status = pod.status.as_ref()?;
    let is_restarted = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()) != Some("Never");
    let init = status.init_container_statuses.iter().flatten().map(|c| (c, true));
    let main = status.container_statuses.iter().flatten().map(|c| (c, false));
    init.chain(main).find_map(|(container, is_init)| {
        let (reason, message) = container_trouble(container, is_init, is_restarted)?;
        Some((reason, Some(container.name.as_str()), message))
    })
}

/// Whether the kubelet lost a container with its node, rather than that it ended by itself.
fn is_lost(container: &ContainerStateTerminated) -> bool {
    matches!(container.reason.as_deref(), Some("Unknown" | "ContainerStatusUnknown"))
}

/// `is_restarted`: the kubelet starts the pod's containers again, whatever they ended for.
fn container_trouble(
    container: &ContainerStatus,
    is_init: bool,
    is_restarted: bool,
) -> Option<(&'static str, String)> {
    let ended = || {
        let failed = [container.state.as_ref(), container.last_state.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|s| s.terminated.as_ref())
            .find(|t| t.exit_code != 0 && !(is_restarted && is_lost(t)))?;
        // The end of the log, since a Python traceback names the error in its last line.
        let log = tail(failed.message.as_deref().unwrap_or("it logged nothing").trim(), LOG_LENGTH);
        let why = failed.reason.as_deref().unwrap_or("Error");
        Some((
            if is_init { INIT_FAILED } else { CRASHING },
            format!("container {} ended with {why} (exit code {}): {log}", container.name, failed.exit_code),
        ))
    };
    let ContainerState { waiting: waits, terminated, .. } = container.state.as_ref()?;
    if let Some(waits) = waits {
        let reason = waits.reason.as_deref().unwrap_or_default();
        let message = waits.message.as_deref().unwrap_or_default();
        let detail = format!("container {}: {reason}: {message}", container.name);
        return match waiting(reason) {
            Some(Waiting::Pull | Waiting::Image) => Some((IMAGE_PULL_FAILED, detail)),
            Some(Waiting::Start) => Some((CONTAINER_FAILED, detail)),
            None if reason == "CrashLoopBackOff" => ended(),
            None => None,
        };
    }
    let failed = terminated.as_ref().is_some_and(|t| t.exit_code != 0);
    // An init container that failed and runs again counts as failed until it has succeeded.
    let failed_before = is_init && !container.ready && container.restart_count > 0;
    (failed || failed_before).then(ended).flatten()
}
