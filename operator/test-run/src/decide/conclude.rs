//! Phase, summary and conditions: what follows from the outcomes of the tests.

use std::fmt::Write;

use copr_operator_api::v1alpha1::{CoprTestRunStatus, Outcome, Phase, Summary, TestStatus};
use copr_operator_kernel::{
    conditions::{self, Finding, Outlook, Standing},
    report,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{End, turns};
use crate::{
    source,
    target::{self, State},
    validate::Validated,
};

/// Types of the conditions of a run.
pub mod types {
    /// Whether tests can start.
    pub const INSTANCE_READY: &str = "InstanceReady";
    /// The verdict; Unknown until the end.
    pub const SUCCEEDED: &str = "Succeeded";
    /// Whether the verdict is final.
    pub const FINISHED: &str = "Finished";
    /// Whether the forge has said which packages are needed; there only with `source.packages`.
    pub const PACKAGES_KNOWN: &str = "PackagesKnown";
}

/// Reasons of the conditions Succeeded and Finished.
pub mod reasons {
    /// Something that the run refers to is missing.
    pub const PENDING: &str = "Pending";
    /// Images are being built.
    pub const BUILDING: &str = "Building";
    /// The instance comes up.
    pub const PROVISIONING: &str = "Provisioning";
    /// Tests run.
    pub const RUNNING: &str = "Running";
    /// Every test passed or was skipped.
    pub const PASSED: &str = "Passed";
    /// At least one test failed.
    pub const FAILED: &str = "Failed";
    /// No test failed, but at least one has no verdict.
    pub const ERROR: &str = "Error";
    /// Ended early by `spec.cancel`.
    pub const CANCELLED: &str = "Cancelled";
}

/// Messages of conditions are read in a table, too.
const MESSAGE_MAX: usize = 1024;
/// Of each test that did not pass, this much is repeated in the message of the run.
const EXCERPT_MAX: usize = 160;

/// Why the tests that have not ended get no verdict.
pub fn unfinished(end: &End, run: &Validated, status: &CoprTestRunStatus) -> String {
    let name = &run.target.name;
    match end {
        End::Cancelled => "cancelled".into(),
        End::Superseded(by) => format!("cancelled by the newer CoprTestRun {by} of its concurrency.group"),
        End::SuiteUnusable(why) => why.clone(),
        End::Timeout => format!("the run's timeout of {} passed", run.timeout.text),
        End::InstanceLost => format!("CoprInstance {name} was deleted during the run"),
        End::PackagesUnknown => {
            let (within, why) = (wait(run), instance_ready(run, status).message);
            format!("it wasn't known within {within} which packages are to be tested: {why}")
        }
        End::PackagesMissing => {
            format!("the packages that are to be tested didn't come: {}", instance_ready(run, status).message)
        }
        End::ImagesFailed => {
            format!("the images of CoprInstance {name} can't be had: {}", instance_ready(run, status).message)
        }
        End::ImagesNotReady => {
            let why = instance_ready(run, status).message;
            format!(
                "the images of CoprInstance {name} were not there within {}: {why}",
                run.build_timeout.text
            )
        }
        End::InstanceNotReady => {
            let why = instance_ready(run, status).message;
            format!("CoprInstance {name} was not ready for tests within {}: {why}", run.ready_timeout.text)
        }
    }
}

/// How long packages are asked and waited for, in the user's words.
fn wait(run: &Validated) -> &str {
    run.wait.as_ref().map_or("", |wait| &wait.text)
}

/// Sets phase, summary and conditions. `end` is what ended tests early, if it did end any; `waits` is what is waited for, where
/// it isn't the instance.
pub fn conclude(
    run: &Validated,
    status: &mut CoprTestRunStatus,
    end: Option<&End>,
    waits: Option<&str>,
    now: Timestamp,
) {
    let instance = instance_ready(run, status);
    let summary = summary(&status.tests);
    status.summary = Some(summary);
    status.phase = phase(run, status, end);
    let (succeeded, finished) = if status.phase.is_final() {
        status.timestamps.finished.get_or_insert(Time(now));
        let message = match end {
            Some(
                end @ (End::InstanceNotReady
                | End::PackagesUnknown
                | End::PackagesMissing
                | End::ImagesFailed
                | End::ImagesNotReady
                | End::SuiteUnusable(_)),
            ) => unfinished(end, run, status),
            Some(end) if status.tests.is_empty() => unfinished(end, run, status),
            Some(end) => format!("{}; {}", unfinished(end, run, status), verdict_message(status, summary)),
            None => verdict_message(status, summary),
        };
        final_verdicts(status.phase, message)
    } else {
        let message = progress_message(status, summary, &instance, waits);
        let reason = reason(status.phase);
        (Finding::unknown(reason, message.clone()), Finding::no(reason, message))
    };
    conditions::set(&mut status.conditions, types::INSTANCE_READY, instance, run.generation, now);
    say(status, succeeded, finished, run.generation, now);
}

/// Sets Succeeded and Finished, and what tools make of them that know no runs. A cancelled run is no more than one that failed to
/// them: whoever waits for a run waits for its tests to pass.
fn say(
    status: &mut CoprTestRunStatus,
    succeeded: Finding,
    finished: Finding,
    generation: Option<i64>,
    now: Timestamp,
) {
    let outlook = match (finished.is_true(), succeeded.is_true()) {
        (false, _) => Outlook::GoesOn,
        (true, true) => Outlook::Reached,
        (true, false) => Outlook::Stalled,
    };
    let standing = Standing::new(outlook, &finished.reason, &*finished.message);
    conditions::set(&mut status.conditions, types::SUCCEEDED, succeeded, generation, now);
    conditions::set(&mut status.conditions, types::FINISHED, finished, generation, now);
    conditions::set_standing(&mut status.conditions, standing, generation, now);
}

/// The end of a run that can't be started at all, such as one without an image of the suite.
pub fn refuse(status: &mut CoprTestRunStatus, why: &str, generation: Option<i64>, now: Timestamp) {
    if status.phase.is_final() {
        return;
    }
    status.phase = Phase::Error;
    status.observed_generation = generation;
    status.timestamps.started.get_or_insert(Time(now));
    status.timestamps.finished.get_or_insert(Time(now));
    let (succeeded, finished) = final_verdicts(Phase::Error, why.to_owned());
    say(status, succeeded, finished, generation, now);
}

/// Says that the API server refused the run's instance.
pub fn instance_refused(status: &mut CoprTestRunStatus, why: &str, now: Timestamp) {
    let name = status.instance.as_deref().unwrap_or_default();
    let message = report::truncate(format!("CoprInstance {name} could not be created: {why}"), MESSAGE_MAX);
    let generation = status.observed_generation;
    let reason = target::reasons::REFUSED;
    let instance = Finding::no(reason, message.clone());
    conditions::set(&mut status.conditions, types::INSTANCE_READY, instance, generation, now);
    let succeeded = Finding::unknown(reasons::PROVISIONING, message.clone());
    say(status, succeeded, Finding::no(reasons::PROVISIONING, message), generation, now);
}

/// Says again what the run waits for, once the API server has refused pods of tests that were to run.
pub fn pods_refused(status: &mut CoprTestRunStatus, waits: Option<&str>, now: Timestamp) {
    let instance = match conditions::get(&status.conditions, types::INSTANCE_READY) {
        Some(known) if known.status == "True" => Finding::yes(&known.reason, known.message.clone()),
        Some(known) => Finding::no(&known.reason, known.message.clone()),
        None => return,
    };
    let message = progress_message(status, summary(&status.tests), &instance, waits);
    let (reason, generation) = (reason(status.phase), status.observed_generation);
    let succeeded = Finding::unknown(reason, message.clone());
    say(status, succeeded, Finding::no(reason, message), generation, now);
}

/// The condition InstanceReady. The run's own instance is missing only until it is created; if that was
/// refused, the reason stays.
fn instance_ready(run: &Validated, status: &CoprTestRunStatus) -> Finding {
    if run.template.is_none() || !matches!(run.target.state, State::Missing) {
        return run.target.finding();
    }
    if !source::is_known(run, status) {
        let known = conditions::get(&status.conditions, types::PACKAGES_KNOWN);
        let why = known.map(|known| known.message.clone()).unwrap_or_default();
        return Finding::no(target::reasons::PACKAGES_UNKNOWN, why);
    }
    match conditions::get(&status.conditions, types::INSTANCE_READY) {
        Some(known) if known.reason == target::reasons::REFUSED => {
            Finding::no(target::reasons::REFUSED, known.message.clone())
        }
        _ if status.timestamps.instance_ready.is_some() => run.target.finding(),
        _ if status.timestamps.admitted.is_none() => Finding::no(
            target::reasons::QUEUED,
            format!("CoprInstance {} is created when the run leaves the queue", run.target.name),
        ),
        _ => Finding::no(
            target::reasons::CREATING,
            format!("CoprInstance {} is being created", run.target.name),
        ),
    }
}

fn phase(run: &Validated, status: &CoprTestRunStatus, end: Option<&End>) -> Phase {
    let any = |outcome| status.tests.iter().any(|test| test.outcome == outcome);
    if matches!(end, Some(End::Cancelled | End::Superseded(_))) {
        Phase::Cancelled
    } else if end.is_some() && status.suite.is_none() {
        Phase::Error
    } else if status.suite.is_some() && status.tests.iter().all(|test| test.outcome.is_final()) {
        if any(Outcome::Failed) || any(Outcome::UnexpectedPass) {
            Phase::Failed
        } else if any(Outcome::Error) {
            Phase::Error
        } else {
            Phase::Passed
        }
    } else if status.timestamps.first_test.is_some() {
        Phase::Running
    } else if status.timestamps.admitted.is_none() {
        Phase::Pending
    } else {
        match &run.target.state {
            State::Unusable { .. } => Phase::Pending,
            State::Missing if run.template.is_none() => Phase::Pending,
            _ if run.target.images == target::ImagesState::Awaited => Phase::Pending,
            State::Missing | State::NotReady { .. } if source::is_waiting(run, status) => Phase::Pending,
            State::Missing if run.template.as_ref().is_some_and(|template| template.packages.is_some()) => {
                Phase::Building
            }
            _ if run.target.images == target::ImagesState::Pending => Phase::Building,
            _ => Phase::Provisioning,
        }
    }
}

const fn reason(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => reasons::PENDING,
        Phase::Building => reasons::BUILDING,
        Phase::Provisioning => reasons::PROVISIONING,
        Phase::Running => reasons::RUNNING,
        Phase::Passed => reasons::PASSED,
        Phase::Failed => reasons::FAILED,
        Phase::Error => reasons::ERROR,
        Phase::Cancelled => reasons::CANCELLED,
    }
}

/// Succeeded and Finished of an ended run.
fn final_verdicts(phase: Phase, message: String) -> (Finding, Finding) {
    let message = report::truncate(message, MESSAGE_MAX);
    let reason = reason(phase);
    let finished = Finding::yes(reason, message.clone());
    if phase == Phase::Passed {
        (Finding::yes(reason, message), finished)
    } else {
        (Finding::no(reason, message), finished)
    }
}

fn summary(tests: &[TestStatus]) -> Summary {
    let count = |outcome| {
        let number = tests.iter().filter(|test| test.outcome == outcome).count();
        i32::try_from(number).unwrap_or(i32::MAX)
    };
    Summary {
        total: i32::try_from(tests.len()).unwrap_or(i32::MAX),
        passed: count(Outcome::Passed) + count(Outcome::Flaky),
        failed: count(Outcome::Failed),
        skipped: count(Outcome::Skipped),
        error: count(Outcome::Error),
        expected_failures: count(Outcome::ExpectedFailure),
        unexpected_passes: count(Outcome::UnexpectedPass),
        flaky: count(Outcome::Flaky),
    }
}

/// "7 of 9 tests passed; failed: build-spec (keygen: …)".
fn verdict_message(status: &CoprTestRunStatus, summary: Summary) -> String {
    if status.tests.is_empty() {
        return "there was no test to run: the run that rerunOf names left none red".into();
    }
    let mut text = format!("{} of {} tests passed", summary.passed, summary.total);
    for (outcome, lead) in [
        (Outcome::Failed, "failed"),
        (Outcome::UnexpectedPass, "passed unexpectedly"),
        (Outcome::Error, "without a verdict"),
        (Outcome::Flaky, "flaky"),
        (Outcome::ExpectedFailure, "failed as expected"),
        (Outcome::Skipped, "skipped"),
    ] {
        let tests: Vec<_> = status.tests.iter().filter(|test| test.outcome == outcome).map(excerpt).collect();
        if !tests.is_empty() {
            // Writing into a String cannot fail.
            let _ = write!(text, "; {lead}: {}", tests.join(", "));
        }
    }
    text
}

/// "build-spec (keygen: no key within 60 s)".
fn excerpt(test: &TestStatus) -> String {
    let reason = test.reason.as_ref().filter(|_| test.outcome == Outcome::Error);
    let parts: Vec<_> = [reason.or(test.component.as_ref()), test.message.as_ref()]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    match parts.join(": ") {
        said if said.is_empty() => test.name.clone(),
        said => format!("{} ({})", test.name, report::truncate(said, EXCERPT_MAX)),
    }
}

/// What is waited for.
fn progress_message(
    status: &CoprTestRunStatus,
    summary: Summary,
    instance: &Finding,
    waits: Option<&str>,
) -> String {
    let pausing = turns::pausing(&status.tests);
    if status.phase != Phase::Running {
        // Of an instance that is ready there is nothing to say, and of what a run does in the queue neither.
        let waits: Vec<_> = pausing.as_deref().into_iter().chain(waits).collect();
        let nothing = waits.is_empty() || !(instance.is_true() || status.queue_place.is_some());
        return report::truncate(
            if nothing { instance.message.clone() } else { waits.join("; ") },
            MESSAGE_MAX,
        );
    }
    let names = |outcome| {
        let tests = status.tests.iter().filter(|test| test.outcome == outcome);
        tests.map(|test| test.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let ended = status.tests.iter().filter(|test| test.outcome.is_final()).count();
    let mut text = format!("{ended} of {} tests ended", summary.total);
    let told = [
        (Outcome::Failed, "failed"),
        (Outcome::UnexpectedPass, "passed unexpectedly"),
        (Outcome::Running, "running"),
    ];
    for (outcome, lead) in told {
        let names = names(outcome);
        if !names.is_empty() {
            // Writing into a String cannot fail.
            let _ = write!(text, "; {lead}: {names}");
        }
    }
    if let Some(pausing) = pausing {
        let _ = write!(text, "; {pausing}");
    }
    if !instance.is_true() {
        let _ = write!(
            text,
            "; no test is started, because the instance isn't ready for them: {}",
            instance.message
        );
    } else if let Some(waits) = waits {
        let _ = write!(text, "; {waits}");
    }
    report::truncate(text, MESSAGE_MAX)
}
