//! The attempts of one test: what became of the present one, whether there is another.
//!
//! A test is `Pending` before its first attempt and between two, `Running` while an attempt has no verdict.
//! Everything is derived from the recorded status and the pods, and pods are created before they are
//! recorded: a pod that the status doesn't know is an attempt that the operator could not record, one that
//! the status knows and that isn't there has vanished.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Time};
use kube::ResourceExt;

use super::{
    super::{
        dereference::Observed,
        disturbance::disturbance,
        pod,
        suite::Test,
        validate::Validated,
        verdict::{self, Ended, Progress},
    },
    Wake,
};
use crate::{
    api::v1alpha1::{Outcome, TestStatus},
    report,
};

/// Status messages are for a table; the log has the rest.
const MESSAGE_MAX: usize = 512;

/// Looks at the attempts of tests.
pub struct Judge<'a> {
    /// The run.
    pub run: &'a Validated,
    /// The cluster.
    pub observed: &'a Observed,
    /// How long after its end a failed attempt is judged.
    pub settle: SignedDuration,
}

impl Judge<'_> {
    /// Brings the status of a test up to what its pods say. An outcome that is final stays.
    pub fn observe(&self, test: &mut TestStatus, wake: &mut Wake) {
        if test.outcome.is_final() {
            return;
        }
        let latest = self.pods(&test.name).max_by_key(|pod| pod::attempt(pod));
        if let Some(unrecorded) = latest.filter(|pod| pod::attempt(pod) > test.attempts) {
            begin(
                test,
                unrecorded.name_any(),
                pod::attempt(unrecorded),
                created(unrecorded, self.observed.now),
            );
        }
        if test.outcome != Outcome::Running {
            return;
        }
        let current = self.pods(&test.name).find(|pod| pod::attempt(pod) == test.attempts);
        let progress = current.map_or_else(|| vanished(test), |pod| verdict::judge(pod, self.observed.now));
        match progress {
            Progress::Unfinished { started, look_again } => {
                if let Some(started) = started {
                    test.started_at = Some(Time(started));
                }
                if let Some(moment) = look_again {
                    wake.at(moment);
                }
            }
            Progress::Ended(ended) => match self.settled(current, ended, wake) {
                Some(ended) => self.record(test, ended),
                None => test.message = Some("failed; judged once the instance is seen undisturbed".into()),
            },
        }
    }

    fn pods<'a>(&'a self, test: &'a str) -> impl Iterator<Item = &'a Pod> {
        self.observed.pods.iter().filter(move |pod| pod::test(pod) == Some(test))
    }

    /// The end of an attempt as it counts: a failure of a disturbed instance is none of Copr's, and before
    /// the instance had time to show its state nothing is said.
    fn settled(&self, pod: Option<&Pod>, ended: Ended, wake: &mut Wake) -> Option<Ended> {
        let now = self.observed.now;
        if ended.outcome != Outcome::Failed {
            return Some(ended);
        }
        let since = pod.map_or(now, |pod| created(pod, now));
        if let Some(what) = disturbance(&self.run.target, &self.observed.instance_pods, since) {
            let message = format!("the instance was disturbed: {what}; the test said: {}", ended.message);
            return Some(Ended { outcome: Outcome::Error, message, ..ended });
        }
        let settled = ended.finished.unwrap_or(now) + self.settle;
        if now < settled {
            wake.at(settled);
            return None;
        }
        Some(ended)
    }

    /// Records the end of an attempt. An Error that may be tried again leaves the test Pending.
    fn record(&self, test: &mut TestStatus, ended: Ended) {
        let started = ended.started.map(Time).or_else(|| test.started_at.clone());
        let finished = ended.finished.unwrap_or(self.observed.now);
        test.duration = started.as_ref().map(|started| report::duration(finished.duration_since(started.0)));
        test.started_at = started;
        test.finished_at = Some(Time(finished));
        test.component = Some(ended.component).filter(|component| !component.is_empty());
        let again = ended.outcome == Outcome::Error && test.attempts <= self.run.retries;
        test.outcome = if again { Outcome::Pending } else { ended.outcome };
        let message = match (ended.outcome, ended.message) {
            (Outcome::Passed, _) => String::new(),
            (Outcome::Failed, message) if message.is_empty() => "failed without a message".into(),
            (_, message) if again => format!("attempt {}: {message}", test.attempts),
            (_, message) => message,
        };
        test.message = Some(report::truncate(message, MESSAGE_MAX)).filter(|message| !message.is_empty());
    }
}

/// The tests that wait for an attempt, in order.
pub fn startable<'a>(
    run: &'a Validated,
    tests: &'a mut [TestStatus],
) -> impl Iterator<Item = (Test, &'a mut TestStatus)> {
    run.tests.iter().copied().zip(tests).filter(|(_, status)| status.outcome == Outcome::Pending)
}

/// Starts the next attempt; returns its number.
pub fn start(run: &Validated, test: &mut TestStatus, now: Timestamp) -> i32 {
    let attempt = test.attempts + 1;
    let name = pod::name(&run.name, &test.name, attempt);
    begin(test, name, attempt, now);
    attempt
}

/// An attempt begins. The message of the one before stays: it says why there is another.
fn begin(test: &mut TestStatus, pod: String, attempt: i32, at: Timestamp) {
    if attempt == 1 {
        test.message = None;
    }
    test.outcome = Outcome::Running;
    test.attempts = attempt;
    test.pod = Some(pod);
    test.started_at = Some(Time(at));
    test.finished_at = None;
    test.duration = None;
    test.component = None;
}

/// Takes back an attempt whose pod the API server refused.
pub fn not_created(tests: &mut [TestStatus], pod: &str, why: &str) {
    for test in tests.iter_mut().filter(|test| test.pod.as_deref() == Some(pod)) {
        test.outcome = Outcome::Pending;
        test.attempts -= 1;
        test.pod = None;
        test.started_at = None;
        test.message = Some(report::truncate(format!("pod {pod} could not be created: {why}"), MESSAGE_MAX));
    }
}

/// Ends every unfinished test without a verdict; tells whether there was one.
pub fn give_up(tests: &mut [TestStatus], why: &str, now: Timestamp) -> bool {
    let mut any = false;
    for test in tests.iter_mut().filter(|test| !test.outcome.is_final()) {
        let running = test.outcome == Outcome::Running;
        if running {
            test.finished_at = Some(Time(now));
            test.duration =
                test.started_at.as_ref().map(|started| report::duration(now.duration_since(started.0)));
        }
        // What was said before tells more than that the time was up.
        let before =
            test.message.take().map(|message| format!("; before that: {message}")).unwrap_or_default();
        test.outcome = Outcome::Error;
        test.message = Some(report::truncate(format!("{why}{before}"), MESSAGE_MAX));
        any = true;
    }
    any
}

fn vanished(test: &TestStatus) -> Progress {
    let pod = test.pod.as_deref().unwrap_or("of the test");
    Progress::Ended(Ended::error(format!("pod {pod} vanished before it had a verdict")))
}

fn created(pod: &Pod, now: Timestamp) -> Timestamp {
    pod.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0)
}
