//! The attempts of one test: what became of the present one, whether there is another.
//!
//! A test is `Pending` before its first attempt and between two, `Running` while an attempt has no verdict.
//! Everything is derived from the recorded status and the pods, and pods are created before they are
//! recorded: a pod that the status doesn't know is an attempt that the operator could not record, one that
//! the status knows and that isn't there has vanished.

use copr_operator_api::v1alpha1::{CoprTestRunStatus, Outcome, TestStatus};
use copr_operator_kernel::report;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Time};
use kube::ResourceExt;

use super::Wake;
use crate::{
    builders::Obstacle,
    dereference::Observed,
    disturbance::disturbance,
    evidence,
    expected::{Expected, fingerprint},
    pod,
    reason::Reason,
    suite::Test,
    validate::Validated,
    verdict::{self, Ended, Progress},
};

/// Status messages are for a table; the log has the rest.
const MESSAGE_MAX: usize = 512;
/// How long the API server may refuse the pod of an attempt, such as for a quota that other pods use up.
const REFUSAL_GRACE: SignedDuration = SignedDuration::from_secs(60);
/// The pause before another attempt after something that may pass by itself; twice as long each time.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// No pause is longer than this many doublings.
const DOUBLINGS: i32 = 3;

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
    pub fn observe(&self, of: &Test, test: &mut TestStatus, wake: &mut Wake) {
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
            self.observe_refusal(test, wake);
            return;
        }
        let current = self.pods(&test.name).find(|pod| pod::attempt(pod) == test.attempts);
        let progress = current.map_or_else(
            || vanished(test),
            |pod| {
                evidence::stuck(pod, self.observed.now)
                    .unwrap_or_else(|| verdict::judge(pod, &self.observed.warnings, self.observed.now))
            },
        );
        match progress {
            Progress::Unfinished { started, look_again } => {
                if let Some(started) = started {
                    test.started_at = Some(Time(started));
                }
                if let Some(moment) = look_again {
                    wake.at(moment);
                }
                // It would wait for a builder until its deadline. Its pod is deleted, which makes it clean up.
                if let Some((reason, why)) = self.obstacle(of, wake) {
                    self.record(test, Ended::error(reason, why));
                }
            }
            Progress::Ended(ended) => match self.settled(of, current, ended, wake) {
                Some(ended) => self.record(test, ended),
                None => test.message = Some("failed; judged once the instance is seen undisturbed".into()),
            },
        }
    }

    fn pods<'a>(&'a self, test: &'a str) -> impl Iterator<Item = &'a Pod> {
        self.observed.pods.iter().filter(move |pod| pod::runs(pod, test))
    }

    /// What keeps a test from building for longer than it is to wait, if anything.
    fn obstacle(&self, test: &Test, wake: &mut Wake) -> Option<(Reason, String)> {
        match self.run.target.alive()?.builders.obstacle(test, self.observed.now) {
            Obstacle::None => None,
            Obstacle::Until(moment) => {
                wake.at(moment);
                None
            }
            Obstacle::Lasting(reason, message) => Some((reason, message)),
        }
    }

    /// Counts an attempt whose pod the API server has refused for too long.
    fn observe_refusal(&self, test: &mut TestStatus, wake: &mut Wake) {
        let Some(since) = &test.refused_since else { return };
        let patience = since.0 + REFUSAL_GRACE;
        if self.observed.now < patience {
            wake.at(patience);
            return;
        }
        let message = test.message.take().unwrap_or_default();
        self.without_pod(test, Reason::PodRefused, message);
    }

    /// Counts an attempt that can't be made now, instead of starting a pod that would wait in vain.
    pub fn blocked(&self, of: &Test, test: &mut TestStatus, wake: &mut Wake) -> bool {
        let Some((reason, why)) = self.obstacle(of, wake) else { return false };
        self.without_pod(test, reason, why);
        true
    }

    fn without_pod(&self, test: &mut TestStatus, reason: Reason, why: String) {
        test.attempts += 1;
        test.pod = None;
        test.started_at = None;
        test.refused_since = None;
        self.record(test, Ended::error(reason, why));
    }

    /// The end of an attempt as it counts: a failure of a disturbed instance is none of Copr's, and before
    /// the instance had time to show its state nothing is said.
    fn settled(&self, of: &Test, pod: Option<&Pod>, ended: Ended, wake: &mut Wake) -> Option<Ended> {
        let now = self.observed.now;
        if ended.outcome != Outcome::Failed {
            return Some(ended);
        }
        let since = pod.map_or(now, |pod| created(pod, now));
        let finished = ended.finished.unwrap_or(now);
        let disturbed = || {
            let what = disturbance(&self.run.target, &self.observed.instance_pods, since)?;
            Some((Reason::InstanceDisturbed, format!("the instance was disturbed: {what}")))
        };
        let shared = || {
            let beside = self.beside(pod?, since, finished).filter(|_| of.exclusive)?;
            let what = pod::describe(beside);
            Some((Reason::InstanceShared, format!("{what} ran beside this test, which needs every builder")))
        };
        let builders = || self.run.target.alive()?.builders.excuse(of, since, finished);
        if let Some((reason, what)) = disturbed().or_else(shared).or_else(builders) {
            let message = format!("{what}; the test said: {}", ended.message);
            return Some(Ended { outcome: Outcome::Error, reason: Some(reason), message, ..ended });
        }
        let settled = ended.finished.unwrap_or(now) + self.settle;
        if now < settled {
            wake.at(settled);
            return None;
        }
        Some(ended)
    }

    /// Another test's pod on the same instance that lived within this span of time.
    fn beside(&self, own: &Pod, from: Timestamp, until: Timestamp) -> Option<&Pod> {
        self.observed.pods.iter().chain(&self.observed.other_pods).find(|pod| {
            let end = verdict::test_container(pod)
                .and_then(|c| c.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref())
                .map(|time| time.0);
            pod.name_any() != own.name_any()
                && created(pod, self.observed.now) < until
                && end.is_none_or(|end| end > from)
        })
    }

    /// Records the end of an attempt. An Error that may be tried again leaves the test Pending.
    fn record(&self, test: &mut TestStatus, ended: Ended) {
        let started = ended.started.map(Time).or_else(|| test.started_at.clone());
        let finished = ended.finished.unwrap_or(self.observed.now);
        test.duration = started.as_ref().map(|started| report::duration(finished.duration_since(started.0)));
        test.started_at = started;
        test.finished_at = Some(Time(finished));
        test.component = Some(ended.component).filter(|component| !component.is_empty());
        test.reason = ended.reason.map(|reason| reason.to_string());
        test.results = ended.results;
        let message = match ended.outcome {
            Outcome::Failed if ended.message.is_empty() => "failed without a message".into(),
            _ => ended.message,
        };
        let errors_allowed = self.run.retries + evidence::more_attempts(self.run, ended.reason);
        let (outcome, message) = match ended.outcome {
            Outcome::Failed => {
                let alike =
                    || fingerprint(test.component.as_deref().unwrap_or_default(), &message, &test.results);
                test.fingerprint = Some(ended.fingerprint.unwrap_or_else(alike));
                test.failed_attempts += 1;
                self.failed(test, message)
            }
            Outcome::Passed => self.passed(test),
            Outcome::Error if test.attempts - test.failed_attempts <= errors_allowed => {
                (Outcome::Pending, format!("attempt {}: {message}", test.attempts))
            }
            outcome => (outcome, message),
        };
        test.outcome = outcome;
        test.message = Some(report::truncate(message, MESSAGE_MAX)).filter(|message| !message.is_empty());
    }

    /// What a failure counts as, and what is said of it.
    fn failed(&self, test: &TestStatus, message: String) -> (Outcome, String) {
        let expected = Expected::of(&self.run.expected, &test.name, self.observed.now);
        if let Some(reason) = expected.accepts(&test.results) {
            return (Outcome::ExpectedFailure, format!("expected ({reason}): {message}"));
        }
        if test.failed_attempts <= self.run.retries_after_failure {
            return (Outcome::Pending, format!("attempt {}: {message}", test.attempts));
        }
        (Outcome::Failed, message)
    }

    /// The same of what passed.
    fn passed(&self, test: &TestStatus) -> (Outcome, String) {
        let expected = Expected::of(&self.run.expected, &test.name, self.observed.now);
        if let Some(reason) = expected.reason() {
            let message = format!("passed, though suite.expectedFailures says that it fails ({reason})");
            return (Outcome::UnexpectedPass, message);
        }
        if test.failed_attempts > 0 {
            let before = test.message.as_deref().unwrap_or("it failed");
            return (Outcome::Flaky, format!("passed on attempt {}; {before}", test.attempts));
        }
        (Outcome::Passed, String::new())
    }
}

/// A test that nothing was done for yet. One that needs what the operator can't give ends here.
pub fn new(test: &Test) -> TestStatus {
    let status = TestStatus { name: test.name.clone(), ..TestStatus::default() };
    let Some(need) = &test.unknown_need else { return status };
    let message = format!("the suite says that it needs {need:?}, which this operator knows nothing of");
    TestStatus {
        outcome: Outcome::Error,
        reason: Some(Reason::NeedUnknown.to_string()),
        message: Some(report::truncate(message, MESSAGE_MAX)),
        ..status
    }
}

/// The tests that wait for an attempt, in order; not those that pause before another one.
pub fn startable<'a>(
    run: &'a Validated,
    tests: &'a mut [TestStatus],
    now: Timestamp,
    wake: &mut Wake,
) -> Vec<(&'a Test, &'a mut TestStatus)> {
    let mut ready = Vec::new();
    for (test, status) in run.tests().iter().zip(tests) {
        if status.outcome != Outcome::Pending {
            continue;
        }
        match resumes(status).filter(|moment| now < *moment) {
            Some(moment) => wake.at(moment),
            None => ready.push((test, status)),
        }
    }
    ready
}

/// When another attempt may be made after one that ended for what may pass by itself.
fn resumes(test: &TestStatus) -> Option<Timestamp> {
    let ended = test.finished_at.as_ref().filter(|_| Reason::of(test).is_some_and(Reason::may_pass))?;
    let doublings = u32::try_from((test.attempts - 1).clamp(0, DOUBLINGS)).unwrap_or_default();
    Some(ended.0 + PAUSE * 2_i32.pow(doublings))
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
        test.reason = None;
    }
    test.results = Vec::new();
    test.outcome = Outcome::Running;
    test.attempts = attempt;
    test.pod = Some(pod);
    test.started_at = Some(Time(at));
    test.finished_at = None;
    test.duration = None;
    test.component = None;
    // Until the API server refuses it again.
    test.refused_since = None;
}

/// Takes back an attempt whose pod the API server refused. `before` are the tests as they were before: since when it does.
pub fn not_created(
    status: &mut CoprTestRunStatus,
    before: &[TestStatus],
    pod: &str,
    why: &str,
    now: Timestamp,
) {
    for test in status.tests.iter_mut().filter(|test| test.pod.as_deref() == Some(pod)) {
        let known = before.iter().find(|known| known.name == test.name);
        test.refused_since = known.and_then(|known| known.refused_since.clone()).or(Some(Time(now)));
        test.outcome = Outcome::Pending;
        test.attempts -= 1;
        test.pod = None;
        test.started_at = None;
        test.reason = Some(Reason::PodRefused.to_string());
        test.message = Some(report::truncate(format!("pod {pod} could not be created: {why}"), MESSAGE_MAX));
    }
}

/// Skips what hasn't been started, once a test is red and the run wants no more.
pub fn fail_fast(tests: &mut [TestStatus]) {
    let is_red = |test: &&TestStatus| matches!(test.outcome, Outcome::Failed | Outcome::UnexpectedPass);
    let Some(red) = tests.iter().find(is_red).map(|test| test.name.clone()) else { return };
    for test in tests.iter_mut().filter(|test| test.outcome == Outcome::Pending) {
        test.outcome = Outcome::Skipped;
        test.refused_since = None;
        test.reason = None;
        test.message =
            Some(report::truncate(format!("not started: {red} is red, and failFast is set"), MESSAGE_MAX));
    }
}

/// Ends every unfinished test without a verdict; tells whether there was one.
pub fn give_up(tests: &mut [TestStatus], reason: Reason, why: &str, now: Timestamp) -> bool {
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
        test.refused_since = None;
        // So does its reason, where the test was only waiting when the time was up.
        if running || test.reason.is_none() || reason != Reason::TimedOut {
            test.reason = Some(reason.to_string());
        }
        test.message = Some(report::truncate(format!("{why}{before}"), MESSAGE_MAX));
        any = true;
    }
    any
}

fn vanished(test: &TestStatus) -> Progress {
    let pod = test.pod.as_deref().unwrap_or("of the test");
    Progress::Ended(Ended::error(Reason::PodLost, format!("pod {pod} vanished before it had a verdict")))
}

fn created(pod: &Pod, now: Timestamp) -> Timestamp {
    pod.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0)
}
