//! A status stays small, however many tests a run has: what a table doesn't show is in the JUnit report. Pure.

use copr_operator_api::v1alpha1::{CoprTestRunStatus, Outcome, TestStatus};
use copr_operator_kernel::report;

/// Of 64 KiB, what the JSON may take: managed fields and the rest of the object come on top.
pub const LIMIT: usize = 60 * 1024;

/// Shortens the status, step by step, until it is small enough. What isn't final is left alone: decisions are made by it.
pub fn compact(status: &mut CoprTestRunStatus) {
    let steps: [fn(&mut TestStatus); 6] = [
        |test| shorten(test, 200),
        |test| {
            if test.outcome == Outcome::Passed {
                least(test);
            }
        },
        |test| {
            test.results.clear();
            shorten(test, 80);
        },
        brief,
        |test| shorten(test, 40),
        least,
    ];
    for step in steps {
        if size(status) <= LIMIT {
            return;
        }
        status.tests.iter_mut().filter(|test| test.outcome.is_final()).for_each(step);
    }
}

fn shorten(test: &mut TestStatus, limit: usize) {
    test.message = test.message.take().map(|message| report::truncate(message, limit));
    for result in &mut test.results {
        result.message = result.message.take().map(|message| report::truncate(message, limit));
    }
}

/// The verdict and little more.
fn brief(test: &mut TestStatus) {
    *test = TestStatus {
        name: std::mem::take(&mut test.name),
        outcome: test.outcome,
        attempts: test.attempts,
        failed_attempts: test.failed_attempts,
        duration: test.duration.take(),
        message: test.message.take(),
        reason: test.reason.take(),
        fingerprint: test.fingerprint.take(),
        component: test.component.take(),
        ..TestStatus::default()
    };
}

/// The verdict and nothing more.
fn least(test: &mut TestStatus) {
    *test = TestStatus {
        name: std::mem::take(&mut test.name),
        outcome: test.outcome,
        attempts: test.attempts,
        reason: test.reason.take(),
        ..TestStatus::default()
    };
}

fn size(status: &CoprTestRunStatus) -> usize {
    serde_json::to_vec(status).map_or(0, |json| json.len())
}

#[cfg(test)]
mod tests {
    use copr_operator_api::v1alpha1::{SourcePackage, SourceStatus, TestResult};

    use super::*;

    fn test(number: usize, outcome: Outcome) -> TestStatus {
        let time = "2026-11-26T10:00:00Z".parse::<jiff::Timestamp>().unwrap().into();
        TestStatus {
            name: format!("a-test-of-a-large-suite-with-number-{number}"),
            outcome,
            duration: Some("1m41s".into()),
            attempts: 1,
            message: Some("x".repeat(512)),
            component: Some("frontend".into()),
            fingerprint: Some("0123456789ab".into()),
            results: vec![TestResult { name: "Test".into(), outcome, message: Some("y".repeat(200)) }; 10],
            pod: Some(format!("a-run-with-a-long-name-a-test-of-a-l-0123ab-{number}")),
            started_at: Some(time),
            ..TestStatus::default()
        }
    }

    fn of(outcome: Outcome, count: usize) -> CoprTestRunStatus {
        let tests = (0..count).map(|number| test(number, outcome)).collect();
        CoprTestRunStatus { tests, ..CoprTestRunStatus::default() }
    }

    #[test]
    fn five_hundred_tests_fit_however_they_ended() {
        for outcome in [Outcome::Passed, Outcome::Failed, Outcome::Error] {
            let mut status = of(outcome, 500);
            compact(&mut status);
            assert!(size(&status) <= LIMIT, "{outcome:?}: {}", size(&status));
            assert!(status.tests.iter().all(|test| test.outcome == outcome && !test.name.is_empty()));
        }
    }

    #[test]
    fn as_many_packages_as_a_source_may_have_fit_beside_them() {
        let mut status = of(Outcome::Failed, 500);
        let package = |number| SourcePackage {
            name: format!("{number}{}", "a".repeat(60)),
            folder: "f".repeat(128),
            commits: vec!["0123456789ab".into(); 4],
            nevra: Some("n".repeat(128)),
            repository: Some("r".repeat(63)),
            commit: Some("0123456789ab".into()),
            there: true,
        };
        let packages: Vec<_> = (0..32).map(package).collect();
        status.source = Some(SourceStatus { packages: packages.clone(), ..SourceStatus::default() });
        compact(&mut status);
        assert!(size(&status) <= LIMIT, "{}", size(&status));
        assert_eq!(status.source.unwrap().packages, packages);
    }

    #[test]
    fn a_small_status_is_left_alone() {
        let mut status = of(Outcome::Failed, 9);
        compact(&mut status);
        assert_eq!(status, of(Outcome::Failed, 9));
    }

    #[test]
    fn failures_keep_their_words_beside_many_that_passed() {
        let mut status = of(Outcome::Passed, 300);
        status.tests.push(test(300, Outcome::Failed));
        compact(&mut status);
        assert!(size(&status) <= LIMIT);
        let failed = status.tests.last().unwrap();
        assert!(failed.message.as_ref().is_some_and(|message| message.len() >= 80), "{failed:?}");
        assert!(failed.pod.is_some(), "its log can still be found");
    }
}
