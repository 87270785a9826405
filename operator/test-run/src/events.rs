//! The turning points of a run, told as events. What to tell is pure: it follows from the status before and
//! after, so that a reconcile that changes nothing tells nothing.

use std::borrow::Cow;

use copr_operator_api::{
    status::images::NOT_YET_THERE,
    v1alpha1::{CoprTestRunStatus, Outcome, Phase, TestStatus},
};
use copr_operator_kernel::{conditions, report};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Resource,
    runtime::events::{Event, EventType, Recorder},
};

use super::{decide::types, target};

/// The API server takes no longer note.
const NOTE_MAX: usize = 1000;
/// Nor a longer action.
const ACTION_MAX: usize = 128;

/// Something worth an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Normal or Warning.
    pub type_: EventType,
    /// One CamelCase word.
    pub reason: &'static str,
    /// What the operator was doing, and with which test: the Recorder counts events as one that differ in nothing but the note.
    pub action: Cow<'static, str>,
    /// A sentence.
    pub note: String,
    /// The pod that it is about, if any.
    pub pod: Option<String>,
}

/// What to tell of the step from one status to the next.
pub fn transitions(old: &CoprTestRunStatus, new: &CoprTestRunStatus) -> Vec<Notice> {
    let mut notices = Vec::new();
    let instance = new.instance.as_deref().unwrap_or_default();
    let mut tell = |type_, reason, action: &'static str, note: String, test: Option<&TestStatus>| {
        let note = report::truncate(note, NOTE_MAX);
        let action = test.map_or(Cow::Borrowed(action), |test| {
            report::truncate(format!("{action} {}", test.name), ACTION_MAX).into()
        });
        notices.push(Notice { type_, reason, action, note, pod: test.and_then(|test| test.pod.clone()) });
    };
    if let Some(known) =
        conditions::get(&new.conditions, types::PACKAGES_KNOWN).filter(|c| c.status != "Unknown")
    {
        let before = conditions::get(&old.conditions, types::PACKAGES_KNOWN);
        if before.is_none_or(|before| (&before.reason, &before.message) != (&known.reason, &known.message)) {
            let (type_, reason) = match known.status.as_str() {
                "True" => (EventType::Normal, "PackagesKnown"),
                _ => (EventType::Warning, "PackagesUnknown"),
            };
            tell(type_, reason, "AskForge", format!("{}: {}", known.reason, known.message), None);
        }
    }
    if old.timestamps.packages_there.is_none() && new.timestamps.packages_there.is_some() {
        let note = "the repositories have every package that is to be tested".to_owned();
        tell(EventType::Normal, "PackagesThere", "AwaitPackages", note, None);
    }
    if old.phase != new.phase && new.phase == Phase::Building {
        let note = format!("images are being built for CoprInstance {instance}");
        tell(EventType::Normal, "Building", "Build", note, None);
    }
    if old.phase == Phase::Building
        && old.timestamps.images_ready.is_none()
        && new.timestamps.images_ready.is_some()
    {
        let note = format!("every image of CoprInstance {instance} is in the registry");
        tell(EventType::Normal, "ImagesReady", "Build", note, None);
    }
    if old.phase != new.phase && new.phase == Phase::Provisioning {
        let note = format!("waiting for CoprInstance {instance}");
        tell(EventType::Normal, "Provisioning", "Provision", note, None);
    }
    let (missing, why) = (message(new, types::INSTANCE_READY), reason(new, types::INSTANCE_READY));
    if why == NOT_YET_THERE && reason(old, types::INSTANCE_READY) != why {
        tell(EventType::Normal, "PackagesAwaited", "AwaitPackages", missing.clone(), None);
    }
    // Of what is about to be made there is nothing to say, nor of packages what is said above.
    let is_told =
        matches!(why, NOT_YET_THERE | target::reasons::PACKAGES_UNKNOWN | target::reasons::CREATING);
    if new.phase == Phase::Pending && !is_told && missing != message(old, types::INSTANCE_READY) {
        tell(EventType::Warning, "InstanceUnusable", "Provision", missing, None);
    }
    if old.timestamps.instance_ready.is_none() && new.timestamps.instance_ready.is_some() {
        let note = format!("every component of CoprInstance {instance} answers");
        tell(EventType::Normal, "InstanceReady", "Provision", note, None);
    }
    if old.timestamps.first_test.is_none() && new.timestamps.first_test.is_some() {
        tell(EventType::Normal, "TestsStarted", "Test", format!("{} tests", new.tests.len()), None);
    }
    for test in &new.tests {
        let before = old.tests.iter().find(|before| before.name == test.name);
        if let Some((type_, reason, note)) = of_test(before, test) {
            tell(type_, reason, "Test", note, Some(test));
        }
    }
    if !old.phase.is_final() && new.phase.is_final() {
        let type_ = if new.phase == Phase::Passed { EventType::Normal } else { EventType::Warning };
        tell(
            type_,
            "Finished",
            "Conclude",
            format!("{}: {}", new.phase, message(new, types::SUCCEEDED)),
            None,
        );
    }
    notices
}

/// A test that failed, has no verdict or is to be tried again. Those that never had a pod are told of at
/// the end of the run.
fn of_test(before: Option<&TestStatus>, test: &TestStatus) -> Option<(EventType, &'static str, String)> {
    let message = test.message.as_deref().unwrap_or_default();
    let note = format!("{}: {message}", test.name);
    let before_outcome = before.map(|before| before.outcome).unwrap_or_default();
    let ended = before_outcome != test.outcome && test.attempts > 0;
    let counted = before.map_or(0, |before| before.attempts) < test.attempts;
    match test.outcome {
        Outcome::Failed if ended => Some((EventType::Warning, "TestFailed", note)),
        Outcome::UnexpectedPass if ended => Some((EventType::Warning, "TestPassedUnexpectedly", note)),
        Outcome::Flaky if ended => Some((EventType::Warning, "TestFlaky", note)),
        Outcome::Error if ended => Some((EventType::Warning, "TestError", note)),
        Outcome::Pending if before_outcome == Outcome::Running || counted => {
            Some((EventType::Warning, "TestRetried", note))
        }
        Outcome::Running
            if test.attempts > 1 && before.is_some_and(|before| is_earlier_attempt(before, test)) =>
        {
            Some((EventType::Warning, "TestRetried", note))
        }
        _ => None,
    }
}

/// Whether the attempt before was still running when this one was recorded.
fn is_earlier_attempt(before: &TestStatus, test: &TestStatus) -> bool {
    before.outcome == Outcome::Running && before.attempts < test.attempts
}

fn reason<'a>(status: &'a CoprTestRunStatus, type_: &str) -> &'a str {
    conditions::get(&status.conditions, type_).map_or("", |condition| condition.reason.as_str())
}

fn message(status: &CoprTestRunStatus, type_: &str) -> String {
    conditions::get(&status.conditions, type_).map(|condition| condition.message.clone()).unwrap_or_default()
}

/// Publishes notices about an object. Events are for people who watch; one that can't be published must
/// not hold up the run.
pub async fn publish<K>(recorder: &Recorder, object: &K, notices: &[Notice])
where
    K: Resource<DynamicType = ()>,
{
    let reference = object.object_ref(&());
    for notice in notices {
        let secondary = notice.pod.as_ref().map(|pod| ObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Pod".into()),
            name: Some(pod.clone()),
            namespace: reference.namespace.clone(),
            ..ObjectReference::default()
        });
        let event = Event {
            type_: notice.type_,
            reason: notice.reason.into(),
            note: Some(notice.note.clone()),
            action: notice.action.clone().into_owned(),
            secondary,
        };
        if let Err(error) = recorder.publish(&event, &reference).await {
            tracing::warn!(
                run = reference.name,
                namespace = reference.namespace,
                reason = notice.reason,
                error = report::chain(&error),
                "Failed to publish an event"
            );
        }
    }
}
