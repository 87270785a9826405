//! Reports as they are sent, to servers that behave as forges do.

mod comments;
mod due;
mod faults;
mod github;
mod reconcile;
mod rendering;
mod statuses;
mod webhook;

use copr_operator_api::v1alpha1::{CoprTestRun, Report};
pub use copr_operator_kernel::testing::reply;
use serde_json::{Value, json};

pub const APP_KEY: &str = include_str!("app-key.pem");
pub const COMMIT: &str = "5d37cd838e4b1f6a2c0d9e8f7a6b5c4d3e2f1a0b";
pub const TOKEN: &str = "ghp_hunter2hunter2";

/// A run of two tests that goes on.
pub fn run(report: &Value) -> CoprTestRun {
    changed(report, json!({"phase": "Running", "timestamps": {"started": "2026-11-26T08:00:00Z"}}))
}

/// One that has ended: a test passed and another failed.
pub fn failed(report: &Value) -> CoprTestRun {
    changed(
        report,
        json!({
            "phase": "Failed",
            "timestamps": {"started": "2026-11-26T08:00:00Z", "finished": "2026-11-26T08:12:30Z"},
            "summary": {"total": 2, "passed": 1, "failed": 1, "skipped": 0, "error": 0},
            "tests": [
                {"name": "auth", "outcome": "Passed", "duration": "3s", "attempts": 1},
                {"name": "build-spec", "outcome": "Failed", "duration": "41s", "attempts": 1,
                 "component": "keygen", "message": "no key within 60 s"},
            ],
        }),
    )
}

pub fn changed(report: &Value, mut status: Value) -> CoprTestRun {
    status["instance"] = json!("copr");
    serde_json::from_value(json!({
        "apiVersion": "copr.fedorainfracloud.org/v1alpha1",
        "kind": "CoprTestRun",
        "metadata": {"name": "pr-7", "namespace": "ci", "uid": "5d37cd83-0000-4000-8000-000000000001", "generation": 1,
            "creationTimestamp": "2026-11-26T07:59:58Z"},
        "spec": {
            "instance": {"name": "copr"},
            "source": {"repository": "fedora-copr/copr", "commit": COMMIT, "pullRequest": 7},
            "report": report,
        },
        "status": status,
    }))
    .unwrap()
}

/// A report to a forge at that URL.
pub fn forge(url: &str) -> Value {
    json!({"forge": {"type": "GitHub", "apiURL": url, "tokenSecret": {"name": "robot"}}})
}

pub fn report(run: &CoprTestRun) -> &Report {
    run.spec.report.as_ref().unwrap()
}

/// A Secret with these keys.
pub fn secret(data: &[(&str, &str)]) -> Value {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    let data: serde_json::Map<_, _> =
        data.iter().map(|(key, value)| ((*key).to_owned(), json!(BASE64_STANDARD.encode(value)))).collect();
    json!({"data": data})
}
