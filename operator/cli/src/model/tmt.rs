//! `results.yaml` of a tmt test with `result: custom`: every test of the run is a result of its own.

use std::collections::BTreeMap;

use copr_operator_api::v1alpha1::{CoprTestRun, Outcome, TestStatus};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::Serialize;

use super::{between, one_line, verdict};

/// An entry of the file.
#[derive(Serialize, Debug)]
#[serde(rename_all = "kebab-case")]
struct Entry {
    name: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_result: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    note: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    log: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subresult: Vec<Sub>,
}

#[derive(Serialize, Debug)]
struct Sub {
    name: String,
    result: &'static str,
}

/// The file. `logs` are those that lie beside it, by the names of their tests.
pub fn results(
    run: &CoprTestRun,
    logs: &BTreeMap<String, String>,
) -> Result<String, serde_saphyr::ser::Error> {
    let status = run.status.clone().unwrap_or_default();
    let entries: Vec<_> = if status.tests.is_empty() {
        // The run itself: without any result tmt says "no results", and not why.
        let result = match verdict::exit(status.phase) {
            verdict::Exit::Fine => "pass",
            verdict::Exit::Failed => "fail",
            verdict::Exit::Trouble if status.phase.is_final() => "error",
            verdict::Exit::Trouble => "pending",
        };
        let note = vec![verdict::headline(&status)];
        vec![Entry {
            name: "/".into(),
            result,
            original_result: None,
            note,
            log: vec![],
            start_time: None,
            end_time: None,
            duration: None,
            subresult: vec![],
        }]
    } else {
        let suite = status.suite.as_ref().map_or("sanity", |suite| suite.name.as_str());
        status.tests.iter().map(|test| entry(suite, test, logs.get(&test.name))).collect()
    };
    serde_saphyr::to_string(&entries)
}

fn entry(suite: &str, test: &TestStatus, log: Option<&String>) -> Entry {
    let mut note = Vec::new();
    if test.outcome == Outcome::Flaky {
        note.push(format!(
            "flaky: it passed on attempt {}, after {} failed",
            test.attempts, test.failed_attempts
        ));
    }
    note.extend(test.reason.clone().filter(|_| test.outcome == Outcome::Error));
    note.extend(test.message.as_deref().filter(|_| test.outcome != Outcome::Passed).map(one_line));
    Entry {
        // One that has slashes is below, as tmt has it.
        name: format!("/{suite}/{}", test.name.trim_start_matches('/')),
        result: result(test.outcome),
        original_result: match test.outcome {
            Outcome::ExpectedFailure => Some("fail"),
            Outcome::UnexpectedPass => Some("pass"),
            _ => None,
        },
        note,
        log: log.cloned().into_iter().collect(),
        start_time: test.started_at.as_ref().map(at),
        end_time: test.finished_at.as_ref().map(at),
        duration: took(test).map(clock),
        subresult: test
            .results
            .iter()
            .map(|part| Sub {
                name: format!("/{}", part.name.trim_start_matches('/')),
                result: result(part.outcome),
            })
            .collect(),
    }
}

/// Never `warn`: it counts as failed.
fn result(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed | Outcome::ExpectedFailure | Outcome::Flaky => "pass",
        Outcome::Failed | Outcome::UnexpectedPass => "fail",
        Outcome::Error => "error",
        Outcome::Skipped => "skip",
        Outcome::Pending | Outcome::Running => "pending",
    }
}

fn took(test: &TestStatus) -> Option<SignedDuration> {
    let told = || test.duration.as_deref()?.parse::<SignedDuration>().ok();
    between(test.started_at.as_ref(), test.finished_at.as_ref()).or_else(told)
}

/// Its schema wants parts of a second.
fn at(time: &Time) -> String {
    time.0.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// As tmt reads it.
fn clock(took: SignedDuration) -> String {
    let seconds = took.as_secs().max(0);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::{super::fixtures, *};

    #[test]
    fn every_test_is_a_result() {
        let logs = [("build-spec".to_owned(), "build-spec/output.txt".to_owned())].into();
        insta::assert_snapshot!(results(&fixtures::red(), &logs).unwrap());
    }

    #[test]
    fn a_run_without_tests_says_why() {
        insta::assert_snapshot!(results(&fixtures::no_images(), &BTreeMap::new()).unwrap());
    }

    #[test]
    fn a_duration_has_two_digits_and_may_have_more_hours() {
        assert_eq!(clock(SignedDuration::from_secs(41)), "00:00:41");
        assert_eq!(clock(SignedDuration::from_secs(360_061)), "100:01:01");
    }
}
