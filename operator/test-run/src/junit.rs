//! The run as JUnit XML, for CI systems that show nothing else. Pure.

use std::time::Duration;

use copr_operator_api::v1alpha1::{CoprTestRunStatus, Outcome, TestStatus};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use quick_junit::{NonSuccessKind, Property, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::validate::Validated;

/// Renders the run.
pub fn render(run: &Validated, status: &CoprTestRunStatus) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new(run.suite());
    suite.add_properties(properties(run, status));
    let timestamps = &status.timestamps;
    if let Some(time) = between(timestamps.first_test.as_ref(), timestamps.finished.as_ref()) {
        suite.set_time(time);
    }
    if let Some(first) = &timestamps.first_test {
        suite.extra.insert("timestamp".into(), first.0.to_string().into());
    }
    suite.add_test_cases(status.tests.iter().map(|test| case(run.suite(), test)));
    let mut report = Report::new(&run.name);
    if let Some(time) = between(timestamps.started.as_ref(), timestamps.finished.as_ref()) {
        report.set_time(time);
    }
    report.add_test_suite(suite);
    report.to_string()
}

/// What was tested.
fn properties(run: &Validated, status: &CoprTestRunStatus) -> Vec<Property> {
    let source = run.source.clone().unwrap_or_default();
    let told = [
        ("instance", status.instance.clone()),
        ("repository", source.repository),
        ("commit", source.commit),
        ("pullRequest", source.pull_request.map(|number| number.to_string())),
    ];
    let told = told.into_iter().filter_map(|(name, value)| Some(Property::new(name, value?)));
    let images = status.images.iter().map(|(name, image)| Property::new(format!("image.{name}"), image));
    let packages =
        status.packages.iter().map(|p| Property::new(format!("package.{}", p.nevra), &p.repository));
    told.chain(images).chain(packages).collect()
}

fn case(suite: &str, test: &TestStatus) -> TestCase {
    let mut case = TestCase::new(test.name.as_str(), outcome(test));
    case.set_classname(format!("copr.{suite}"));
    let told = || test.duration.as_deref()?.parse::<SignedDuration>().ok()?.try_into().ok();
    if let Some(time) = between(test.started_at.as_ref(), test.finished_at.as_ref()).or_else(told) {
        case.set_time(time);
    }
    case.extra.insert("attempts".into(), test.attempts.to_string().into());
    if let Some(pod) = &test.pod {
        case.extra.insert("pod".into(), pod.as_str().into());
    }
    case
}

fn outcome(test: &TestStatus) -> TestCaseStatus {
    let mut status = match test.outcome {
        Outcome::Passed | Outcome::Flaky => TestCaseStatus::success(),
        Outcome::Skipped | Outcome::ExpectedFailure => TestCaseStatus::skipped(),
        Outcome::Failed | Outcome::UnexpectedPass => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Pending | Outcome::Running | Outcome::Error => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
    };
    if test.outcome != Outcome::Passed {
        if let Some(message) = &test.message {
            status.set_message(message.as_str());
        }
        // Of a test without a verdict no component is to blame.
        let reason = test.reason.as_ref().filter(|_| test.outcome == Outcome::Error);
        if let Some(type_) = reason.or(test.component.as_ref()) {
            status.set_type(type_.as_str());
        }
    }
    status
}

fn between(start: Option<&Time>, end: Option<&Time>) -> Option<Duration> {
    let length: SignedDuration = end?.0.duration_since(start?.0);
    length.try_into().ok()
}
