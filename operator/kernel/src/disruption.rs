//! What was done to a pod from outside: by the kernel, the kubelet, the scheduler or the node controller. Pure.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod, PodStatus};
use kube::ResourceExt as _;

use crate::{pods, report::truncate};

/// The longest message of the cluster that is repeated; more is cut off.
const MESSAGE_LENGTH: usize = 400;

/// What kind of end it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A container had more memory than it may.
    OutOfMemory,
    /// Evicted for want of resources, by a drain or for a more important pod.
    Evicted,
    /// The node went away, or what ran on it is unknown.
    NodeLost,
    /// `activeDeadlineSeconds` was over.
    Deadline,
    /// Anything else.
    Other,
}

/// An end from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disruption {
    /// What kind.
    pub cause: Cause,
    /// With the pod's name and the cluster's own words.
    pub message: String,
    /// When, as far as the pod says.
    pub time: Option<Timestamp>,
}

/// What was done to the pod, if anything. A pod that is only being deleted wasn't disrupted: its owner does that, too.
pub fn of(pod: &Pod) -> Option<Disruption> {
    let name = pod.name_any();
    let status = pod.status.as_ref()?;
    // Out of memory is looked for first, since a pod that uses too much memory may be evicted for that as well, which says less.
    out_of_memory(&name, status).or_else(|| target(pod, &name, status)).or_else(|| ended(&name, status))
}

/// A container of it was killed for its memory.
fn out_of_memory(name: &str, status: &PodStatus) -> Option<Disruption> {
    let (container, end) = terminated(status).find(|(_, end)| end.reason.as_deref() == Some("OOMKilled"))?;
    Some(Disruption {
        cause: Cause::OutOfMemory,
        message: format!(
            "pod {name} ran out of memory: container {container} was OOMKilled{}",
            because(end.message.as_deref())
        ),
        time: finished(end),
    })
}

/// The condition DisruptionTarget, which Kubernetes sets on a pod before it disrupts it.
fn target(pod: &Pod, name: &str, status: &PodStatus) -> Option<Disruption> {
    let condition =
        pods::condition(pod, "DisruptionTarget").filter(|condition| condition.status == "True")?;
    let reason = condition.reason.as_deref().unwrap_or("DisruptionTarget");
    let cause = match reason {
        "DeletionByTaintManager" | "DeletionByPodGC" => Cause::NodeLost,
        // The other reasons (a node under pressure or shutting down, a drain, preemption) differ in `status.reason` only.
        _ if matches!(status.reason.as_deref(), Some("NodeShutdown" | "Shutdown" | "Terminated")) => {
            Cause::NodeLost
        }
        _ => Cause::Evicted,
    };
    let message = condition.message.as_deref().filter(|text| !text.is_empty());
    Some(Disruption {
        cause,
        message: format!(
            "pod {name} was disrupted ({reason}){}",
            because(message.or(status.message.as_deref()))
        ),
        time: condition.last_transition_time.as_ref().map(|time| time.0),
    })
}

/// A pod has a reason of its own only when the kubelet or a controller ended it.
fn ended(name: &str, status: &PodStatus) -> Option<Disruption> {
    let time = terminated(status).find_map(|(_, end)| finished(end));
    let Some(reason) = status.reason.as_deref().filter(|reason| !reason.is_empty()) else {
        let (_, end) =
            terminated(status).find(|(_, end)| end.reason.as_deref() == Some("ContainerStatusUnknown"))?;
        return Some(Disruption {
            cause: Cause::NodeLost,
            message: format!("pod {name} ended unseen{}", because(end.message.as_deref())),
            time,
        });
    };
    let (cause, verb) = match reason {
        "Evicted" | "Preempting" => (Cause::Evicted, "was evicted".to_owned()),
        "NodeLost" | "NodeShutdown" | "Shutdown" | "Terminated" => {
            (Cause::NodeLost, format!("was ended ({reason})"))
        }
        "DeadlineExceeded" => (Cause::Deadline, format!("was ended ({reason})")),
        _ => (Cause::Other, format!("was ended ({reason})")),
    };
    Some(Disruption {
        cause,
        message: format!("pod {name} {verb}{}", because(status.message.as_deref())),
        time,
    })
}

fn terminated(status: &PodStatus) -> impl Iterator<Item = (&str, &ContainerStateTerminated)> {
    let containers = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    containers.filter_map(|container| {
        Some((container.name.as_str(), container.state.as_ref()?.terminated.as_ref()?))
    })
}

fn finished(end: &ContainerStateTerminated) -> Option<Timestamp> {
    end.finished_at.as_ref().map(|time| time.0)
}

fn because(message: Option<&str>) -> String {
    match message.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => format!(": {}", truncate(text.to_owned(), MESSAGE_LENGTH)),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: &Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap()
    }

    fn container(reason: &str, exit_code: i32) -> Value {
        json!([{"name": "c", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": {
            "reason": reason, "exitCode": exit_code, "finishedAt": "1970-01-01T00:00:07Z",
        }}}])
    }

    #[test]
    fn ends_from_outside_are_told_apart_in_the_words_of_the_cluster() {
        let target = |reason: &str| json!({"type": "DisruptionTarget", "status": "True", "reason": reason, "message": "why"});
        for (status, cause, message) in [
            (
                json!({"phase": "Failed", "containerStatuses": container("OOMKilled", 137)}),
                Cause::OutOfMemory,
                "pod p ran out of memory: container c was OOMKilled",
            ),
            (
                json!({"phase": "Running", "conditions": [target("DeletionByTaintManager")]}),
                Cause::NodeLost,
                "pod p was disrupted (DeletionByTaintManager): why",
            ),
            (
                json!({"phase": "Running", "conditions": [target("EvictionByEvictionAPI")]}),
                Cause::Evicted,
                "pod p was disrupted (EvictionByEvictionAPI): why",
            ),
            (
                json!({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}),
                Cause::Evicted,
                "pod p was evicted: low on memory",
            ),
            (json!({"phase": "Failed", "reason": "NodeLost"}), Cause::NodeLost, "pod p was ended (NodeLost)"),
            (
                json!({"phase": "Failed", "reason": "Terminated", "conditions": [target("TerminationByKubelet")]}),
                Cause::NodeLost,
                "pod p was disrupted (TerminationByKubelet): why",
            ),
            (
                json!({"phase": "Failed", "containerStatuses": container("ContainerStatusUnknown", 137)}),
                Cause::NodeLost,
                "pod p ended unseen",
            ),
            (
                json!({"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": "no device"}),
                Cause::Other,
                "pod p was ended (UnexpectedAdmissionError): no device",
            ),
        ] {
            let found = of(&pod(&status)).unwrap();
            assert_eq!((found.cause, found.message.as_str()), (cause, message));
        }
    }

    #[test]
    fn a_failed_container_and_a_deletion_are_none() {
        assert_eq!(of(&pod(&json!({"phase": "Failed", "containerStatuses": container("Error", 1)}))), None);
        let mut deleted = pod(&json!({"phase": "Running"}));
        deleted.metadata.deletion_timestamp = Some(Timestamp::UNIX_EPOCH.into());
        assert_eq!(of(&deleted), None);
    }

    #[test]
    fn the_time_is_the_containers_own() {
        let found =
            of(&pod(&json!({"phase": "Failed", "containerStatuses": container("OOMKilled", 137)}))).unwrap();
        assert_eq!(found.time, Timestamp::from_second(7).ok());
    }
}
