//! From a pod to the verdict of an attempt. Pure.
//!
//! A verdict is what the contract says: an exit code and the JSON that goes with it. Whatever else ends a
//! pod is an Error that tells what happened to it.

use copr_operator_api::v1alpha1::{Outcome, TestResult};
use copr_operator_kernel::{
    disruption::{self, Cause},
    event,
    pods::{self, Waiting},
    report,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Event, Pod};
use kube::ResourceExt;
use serde::Deserialize;

use super::{pod::CONTAINER, reason::Reason};

/// How long the scheduler and the kubelet may have trouble with a pod. Nodes come, registries recover;
/// what hasn't by then is told.
pub const TROUBLE_GRACE: SignedDuration = SignedDuration::from_secs(60);
/// How long after a pod's deadline the kubelet may take to end it. One that doesn't is lost.
const KUBELET_GRACE: SignedDuration = SignedDuration::from_secs(60);

/// So many parts of a test that didn't pass are told; the log has the rest.
const RESULTS_MAX: usize = 10;
/// In so many characters.
const RESULT_NAME_MAX: usize = 255;
const RESULT_MESSAGE_MAX: usize = 160;

/// How far an attempt is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has no verdict.
    Unfinished {
        /// When the container started.
        started: Option<Timestamp>,
        /// When to look again if nothing happens before.
        look_again: Option<Timestamp>,
    },
    /// It has ended.
    Ended(Ended),
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// The first failing line, or what happened to the pod.
    pub message: String,
    /// The component of Copr to look at.
    pub component: String,
    /// Why there is no verdict, if there is none.
    pub reason: Option<Reason>,
    /// The parts of the test that didn't pass, as far as it tells.
    pub results: Vec<TestResult>,
    /// What makes two failures the same, if the test says so itself.
    pub fingerprint: Option<String>,
    /// When the container started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

impl Ended {
    /// An attempt without a verdict.
    pub fn error(reason: Reason, message: String) -> Self {
        Self {
            outcome: Outcome::Error,
            message,
            component: String::new(),
            reason: Some(reason),
            results: Vec::new(),
            fingerprint: None,
            started: None,
            finished: None,
        }
    }
}

/// What a test leaves in its termination message.
#[derive(Deserialize)]
struct Report {
    outcome: Reported,
    #[serde(default)]
    message: String,
    #[serde(default)]
    component: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    results: Vec<Part>,
    #[serde(default)]
    fingerprint: Option<String>,
}

/// A part of a test in its report.
#[derive(Deserialize)]
struct Part {
    name: String,
    outcome: Reported,
    #[serde(default)]
    message: String,
}

impl Part {
    fn result(self) -> TestResult {
        TestResult {
            name: report::truncate(self.name, RESULT_NAME_MAX),
            outcome: self.outcome.outcome(),
            message: Some(report::truncate(self.message, RESULT_MESSAGE_MAX)).filter(|said| !said.is_empty()),
        }
    }
}

#[derive(Deserialize, strum::Display, Clone, Copy, Debug, PartialEq, Eq)]
enum Reported {
    Passed,
    Skipped,
    Failed,
    Error,
}

impl Reported {
    const fn exit_code(self) -> i32 {
        match self {
            Self::Passed | Self::Skipped => 0,
            Self::Failed => 1,
            Self::Error => 2,
        }
    }

    const fn outcome(self) -> Outcome {
        match self {
            Self::Passed => Outcome::Passed,
            Self::Skipped => Outcome::Skipped,
            Self::Failed => Outcome::Failed,
            Self::Error => Outcome::Error,
        }
    }
}

/// Looks at the pod of an attempt. `warnings` are events about pods.
pub fn judge(pod: &Pod, warnings: &[Event], now: Timestamp) -> Progress {
    let name = pod.name_any();
    let ended = test_container(pod).and_then(terminated).map(|end| read(&name, end));
    match (ended, interruption(pod)) {
        // What passed, passed: the pod needs no life after that.
        (Some(ended), _) if matches!(ended.outcome, Outcome::Passed | Outcome::Skipped) => {
            Progress::Ended(ended)
        }
        (Some(ended), Some((reason, message))) => Progress::Ended(Ended {
            started: ended.started,
            finished: ended.finished,
            ..Ended::error(reason, message)
        }),
        (Some(ended), None) => Progress::Ended(ended),
        (None, Some((reason, message))) => Progress::Ended(Ended::error(reason, message)),
        (None, None) => unfinished(pod, &name, warnings, now),
    }
}

/// Whether nothing of the test runs any more; its log is worth keeping.
pub fn has_ended(pod: &Pod) -> bool {
    pods::has_ended(pod) || test_container(pod).and_then(terminated).is_some()
}

/// Whether its container ended by itself, with nothing to complain of.
pub fn has_succeeded(pod: &Pod) -> bool {
    test_container(pod).and_then(terminated).is_some_and(|end| end.exit_code == 0)
}

/// The status of the container that runs the test.
pub fn test_container(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.iter().find(|status| status.name == CONTAINER)
}

fn terminated(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.state.as_ref()?.terminated.as_ref()
}

/// The verdict in an ended container.
fn read(pod: &str, end: &ContainerStateTerminated) -> Ended {
    let started = end.started_at.as_ref().map(|time| time.0);
    let finished = end.finished_at.as_ref().map(|time| time.0);
    let message = end.message.as_deref().unwrap_or_default().trim();
    let ended = match serde_json::from_str::<Report>(message) {
        Ok(report) if report.outcome.exit_code() == end.exit_code => Ended {
            outcome: report.outcome.outcome(),
            message: report.message,
            component: report.component,
            reason: (report.outcome == Reported::Error).then(|| Reason::of_suite(&report.reason)),
            results: failing(report.results),
            fingerprint: report.fingerprint.filter(|said| is_fingerprint(said)),
            started,
            finished,
        },
        Ok(report) => Ended::error(
            Reason::NoVerdict,
            format!(
                "pod {pod} says {} but exited with {}, not {}",
                report.outcome,
                end.exit_code,
                report.outcome.exit_code()
            ),
        ),
        Err(_) => {
            let (reason, message) = without_verdict(pod, end, message);
            Ended::error(reason, message)
        }
    };
    Ended { started, finished, ..ended }
}

/// The parts that didn't pass, those that failed first.
fn failing(parts: Vec<Part>) -> Vec<TestResult> {
    let mut results: Vec<_> =
        parts.into_iter().filter(|part| part.outcome != Reported::Passed).map(Part::result).collect();
    results.sort_by_key(|result| !result.outcome.is_red());
    results.truncate(RESULTS_MAX);
    results
}

/// Whether a text can be compared with another one's: it goes into the status as it is.
fn is_fingerprint(said: &str) -> bool {
    (1..=64).contains(&said.len()) && said.chars().all(|c| c.is_ascii_alphanumeric())
}

/// What happened to a container that left no verdict.
fn without_verdict(pod: &str, end: &ContainerStateTerminated, message: &str) -> (Reason, String) {
    let tail = |lead: &str| match message {
        "" => String::new(),
        message => format!("{lead}{}", report::truncate(message.to_owned(), 256)),
    };
    match (end.reason.as_deref().unwrap_or_default(), end.exit_code) {
        ("StartError" | "ContainerCannotRun", _) => {
            (Reason::PodStartFailed, format!("pod {pod} could not start its container{}", tail(": ")))
        }
        (_, code) if code > 128 => {
            (Reason::NoVerdict, format!("pod {pod} was killed by signal {} without a verdict", code - 128))
        }
        (_, code) => (
            Reason::NoVerdict,
            format!("pod {pod} exited with {code} without a verdict{}", tail("; it left: ")),
        ),
    }
}

/// What was done to the pod from outside, if anything.
fn interruption(pod: &Pod) -> Option<(Reason, String)> {
    let done = disruption::of(pod).map(|done| {
        let reason = match done.cause {
            Cause::OutOfMemory => Reason::PodOutOfMemory,
            Cause::Evicted => Reason::PodEvicted,
            Cause::Deadline => Reason::DeadlineExceeded,
            Cause::NodeLost | Cause::Other => Reason::PodLost,
        };
        (reason, done.message)
    });
    let deleted = || {
        pod.metadata.deletion_timestamp.as_ref()?;
        Some((Reason::PodLost, format!("pod {} was deleted while it ran", pod.name_any())))
    };
    done.or_else(deleted)
}

/// A pod that nothing has ended: is it on its way?
fn unfinished(pod: &Pod, name: &str, warnings: &[Event], now: Timestamp) -> Progress {
    let status = pod.status.clone().unwrap_or_default();
    if has_ended(pod) {
        let message = format!("pod {name} ended without a status of its container");
        return Progress::Ended(Ended::error(Reason::NoVerdict, message));
    }
    let created = pod.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0);
    let patience = created + TROUBLE_GRACE;
    let pending = test_container(pod).and_then(|test| test.state.as_ref()?.running.as_ref()).is_none();
    if let Some((reason, message)) = trouble(pod, name).or_else(|| stuck(pod, name, warnings)) {
        return if now < patience {
            Progress::Unfinished { started: None, look_again: Some(patience) }
        } else {
            Progress::Ended(Ended::error(reason, message))
        };
    }
    let allowed =
        pod.spec.as_ref().and_then(|spec| spec.active_deadline_seconds).map(SignedDuration::from_secs);
    let overdue = match (&status.start_time, allowed) {
        (Some(start), Some(allowed)) => Some(start.0 + allowed + KUBELET_GRACE),
        _ => None,
    };
    if overdue.is_some_and(|overdue| now >= overdue) {
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or("unknown");
        let message = format!("pod {name} is lost: node {node} did not end it at its deadline");
        return Progress::Ended(Ended::error(Reason::PodLost, message));
    }
    let running = test_container(pod).and_then(|status| status.state.as_ref()?.running.as_ref());
    Progress::Unfinished {
        started: running.and_then(|running| running.started_at.as_ref()).map(|time| time.0),
        // What keeps a pod pending is in its events only, and those are read once it has lasted.
        look_again: Some(patience).filter(|patience| pending && now < *patience).or(overdue),
    }
}

/// What keeps the pod from starting, in the words of the scheduler or the kubelet.
fn trouble(pod: &Pod, name: &str) -> Option<(Reason, String)> {
    let because =
        |message: &Option<String>| message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    if let Some(scheduled) =
        pods::condition(pod, "PodScheduled").filter(|condition| condition.status == "False")
    {
        let message = format!("pod {name} could not be scheduled{}", because(&scheduled.message));
        return Some((Reason::PodUnschedulable, message));
    }
    let test = test_container(pod)?;
    let waiting = test.state.as_ref()?.waiting.as_ref()?;
    let kubelets = waiting.reason.as_deref()?;
    let (reason, what) = match pods::waiting(kubelets)? {
        Waiting::Pull | Waiting::Image => {
            (Reason::PodImagePullFailed, format!("could not get its image {}", test.image))
        }
        Waiting::Start => (Reason::PodStartFailed, format!("could not start its container ({kubelets})")),
    };
    Some((reason, format!("pod {name} {what}{}", because(&waiting.message))))
}

/// What keeps the kubelet from setting the pod up: a volume, the sandbox.
fn stuck(pod: &Pod, name: &str, warnings: &[Event]) -> Option<(Reason, String)> {
    let newest = event::newest(warnings, pod.metadata.uid.as_ref(), |reason| reason.starts_with("Failed"))?;
    let (reason, message) =
        (newest.reason.as_deref().unwrap_or_default(), newest.message.as_deref().unwrap_or_default());
    let said = report::truncate(message.to_owned(), 256);
    Some((Reason::PodStartFailed, format!("pod {name} could not be set up ({reason}): {said}")))
}
