//! Runs and instances that unit tests show.
#![expect(clippy::needless_pass_by_value, reason = "what is given is a literal")]

use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun, CoprTestRunStatus, ImageStatus};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// So many seconds after the runs began.
pub fn at(seconds: i64) -> Timestamp {
    "2026-11-26T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn time(seconds: i64) -> String {
    at(seconds).to_string()
}

fn condition(type_: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": time(0)})
}

pub fn run_object(name: &str, spec: Value, status: Value) -> Value {
    json!({
        "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprTestRun",
        "metadata": {"name": name, "namespace": "team", "uid": "0b1d", "generation": 1, "resourceVersion": "8"},
        "spec": spec, "status": status,
    })
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub fn spec() -> Value {
    json!({
        "instance": {"template": {
            "packages": {"repositories": [
                {"name": "pr-7", "baseURL": "https://r.example/pr-7/", "priority": 10},
                {"name": "copr-dev", "baseURL": "https://r.example/dev/", "priority": 50}]},
            "registry": {"url": "quay.io/you"}, "chroots": ["fedora-44-x86_64"]}},
        "suite": {"name": "smoke"},
        "source": {"repository": "fedora-copr/copr", "commit": "5d37cd838218ab0097d1da08b1682094b95b9ac6", "pullRequest": 7},
    })
}

fn suite() -> Value {
    json!({"name": "smoke", "version": "1", "image": "quay.io/you/copr-sanity@sha256:5a", "tests": 6, "list": "pr-7-suite"})
}

fn timestamps() -> Value {
    json!({"started": time(0), "admitted": time(0), "imagesReady": time(190), "instanceReady": time(260),
           "firstTest": time(262), "finished": time(402)})
}

pub fn red_object() -> Value {
    run_object(
        "pr-7",
        spec(),
        json!({
            "phase": "Failed", "observedGeneration": 1,
            "conditions": [
                condition("Finished", "True", "Failed", "the verdict is final"),
                condition("InstanceReady", "True", "Available", "tests can start"),
                condition("Succeeded", "False", "Failed", "1 of 7 tests failed: build-spec (backend)"),
            ],
            "summary": {"total": 7, "passed": 2, "failed": 1, "skipped": 1, "error": 1, "expectedFailures": 1, "unexpectedPasses": 1, "flaky": 1},
            "suite": suite(),
            "instance": "pr-7",
            "junit": "pr-7-junit",
            "tests": [
                {"name": "project-lifecycle", "outcome": "Passed", "duration": "4s", "attempts": 1, "pod": "pr-7-project-lifecycle-1",
                 "startedAt": time(262), "finishedAt": time(266)},
                {"name": "build-spec", "outcome": "Failed", "duration": "1m5s", "attempts": 1, "component": "backend",
                 "message": "the build of hello failed:\n  <error> & \"worse\"", "pod": "pr-7-build-spec-1", "failedAttempts": 1,
                 "fingerprint": "53632f6344363255", "startedAt": time(262), "finishedAt": time(327),
                 "results": [{"name": "Test/the build succeeds", "outcome": "Failed", "message": "expected succeeded, got failed"}]},
                {"name": "build-srpm", "outcome": "Error", "attempts": 2, "reason": "BuilderOutOfMemory",
                 "message": "builder pr-7-builder-0b1d was killed for its memory (limit 512Mi)", "pod": "pr-7-build-srpm-2"},
                {"name": "webui", "outcome": "Flaky", "duration": "12s", "attempts": 2, "failedAttempts": 1, "pod": "pr-7-webui-2"},
                {"name": "chroots", "outcome": "Skipped", "duration": "1s", "attempts": 1, "message": "one chroot only", "pod": "pr-7-chroots-1"},
                {"name": "modules", "outcome": "ExpectedFailure", "duration": "3s", "attempts": 1,
                 "message": "https://issues.example/1: no modules", "pod": "pr-7-modules-1"},
                {"name": "signatures", "outcome": "UnexpectedPass", "duration": "3s", "attempts": 1,
                 "message": "expected to fail: https://issues.example/2", "pod": "pr-7-signatures-1"},
            ],
            "timestamps": timestamps(),
            "images": {"frontend": "quay.io/you/copr-frontend@sha256:f7", "backend": "quay.io/you/copr-backend@sha256:b7"},
            "packages": [
                {"nevra": "copr-backend-2.7-1.git.5.5d37cd8.fc44.noarch", "repository": "pr-7"},
                {"nevra": "copr-frontend-2.8-1.fc44.noarch", "repository": "copr-dev"},
                {"nevra": "python3-copr-common-1.2-1.fc44.noarch", "repository": "copr-dev"},
            ],
            "evidence": {"artifact": "quay.io/you/copr-evidence@sha256:ee", "bytes": 4096, "truncated": false},
        }),
    )
}

pub fn red() -> CoprTestRun {
    parse(red_object())
}

pub fn green_object() -> Value {
    let passed = |name: &str| json!({"name": name, "outcome": "Passed", "duration": "9s", "attempts": 1, "pod": format!("pr-6-{name}-1")});
    run_object(
        "pr-6",
        spec(),
        json!({
            "phase": "Passed", "observedGeneration": 1,
            "conditions": [condition("Succeeded", "True", "Passed", "5 tests passed"), condition("Finished", "True", "Passed", "")],
            "summary": {"total": 5, "passed": 4, "failed": 0, "skipped": 0, "error": 0, "expectedFailures": 1},
            "suite": suite(), "instance": "pr-6", "junit": "pr-6-junit",
            "tests": [
                passed("project-lifecycle"), passed("build-spec"), passed("build-srpm"), passed("webui"),
                {"name": "modules", "outcome": "ExpectedFailure", "attempts": 1, "message": "https://issues.example/1: no modules"},
            ],
            "timestamps": timestamps(),
            "images": {"frontend": "quay.io/you/copr-frontend@sha256:f6", "backend": "quay.io/you/copr-backend@sha256:b7"},
            "packages": [
                {"nevra": "copr-backend-2.6-1.fc44.noarch", "repository": "copr-dev"},
                {"nevra": "copr-frontend-2.8-1.fc44.noarch", "repository": "copr-dev"},
                {"nevra": "copr-mocks-1.0-1.fc44.noarch", "repository": "copr-dev"},
            ],
        }),
    )
}

pub fn green() -> CoprTestRun {
    parse(green_object())
}

/// One with words about itself.
pub fn described() -> CoprTestRun {
    let mut run = green_object();
    run["metadata"]["annotations"] = json!({"kubernetes.io/description": "mine, over\nthose of Fedora"});
    parse(run)
}

/// A run that ended before its first test.
pub fn no_images() -> CoprTestRun {
    let message = "ImagesUnavailable: image frontend: nothing provides python3-flask";
    let status = json!({"phase": "Error", "conditions": [condition("Succeeded", "False", "Error", message)],
                        "summary": {"total": 0, "passed": 0, "failed": 0, "skipped": 0, "error": 0},
                        "timestamps": {"started": time(0), "finished": time(60)}});
    parse(run_object("pr-8", spec(), status))
}

fn image(component: &str, state: &str, more: Value) -> Value {
    let mut image = json!({"component": component, "state": state, "inputHash": "h"});
    image.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    image
}

/// Images, as an instance tells of them in the end.
pub fn images() -> Vec<ImageStatus> {
    let package = |nevra: &str, repository: &str| json!({"nevra": nevra, "repository": repository});
    let keygen = [
        package("copr-keygen-2.2-1.fc44.noarch", "pr-7"),
        package("obs-signd-2.7-1.fc44.x86_64", "copr-dev"),
        package("python3-copr-common-1.8-1.fc44.noarch", "copr-dev"),
    ];
    let images = [
        image("base", "Reused", json!({})),
        image("keygen", "Pushed", json!({"elapsed": "9s", "packages": keygen})),
        image("frontend", "Failed", json!({"message": "nothing provides\n  python3-flask"})),
    ];
    images.into_iter().map(parse).collect()
}

/// A run, and the images of its instance, from minute to minute.
pub fn course() -> Vec<(CoprTestRunStatus, Vec<ImageStatus>)> {
    let waits = |reason: &str, message: &str| json!([condition("InstanceReady", "False", reason, message)]);
    let test = |name: &str, outcome: &str, more: Value| {
        let mut test = json!({"name": name, "outcome": outcome, "attempts": 1});
        test.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        test
    };
    let states = [
        (json!({"phase": "Pending", "queuePlace": 2}), json!([])),
        (
            json!({"phase": "Building", "conditions": waits("ImagesBuilding", "0 of 2 images are there")}),
            json!([
                image("base", "Building", json!({"startedAt": time(50)})),
                image("frontend", "Queued", json!({}))
            ]),
        ),
        (
            json!({"phase": "Building", "conditions": waits("ImagesBuilding", "1 of 2 images is there")}),
            json!([
                image("base", "Pushed", json!({"elapsed": "58s"})),
                image("frontend", "Building", json!({"startedAt": time(110)})),
            ]),
        ),
        (
            json!({"phase": "Provisioning", "conditions": waits("Starting", "frontend, backend:\nwaiting for the database")}),
            json!([
                image("base", "Pushed", json!({"elapsed": "58s"})),
                image("frontend", "Reused", json!({}))
            ]),
        ),
        (
            json!({"phase": "Running", "conditions": [condition("InstanceReady", "True", "Available", "")], "tests": [
                test("webui", "Running", json!({"startedAt": time(230)})), test("build-spec", "Pending", json!({}))]}),
            json!([]),
        ),
        (
            json!({"phase": "Running", "conditions": [condition("InstanceReady", "True", "Available", "")], "tests": [
                test("webui", "Passed", json!({"duration": "41s"})),
                test("build-spec", "Running", json!({"attempts": 2, "startedAt": time(290)}))]}),
            json!([]),
        ),
        (
            json!({"phase": "Failed", "conditions": [condition("Succeeded", "False", "Failed", "1 of 2 tests failed")], "tests": [
                test("webui", "Passed", json!({"duration": "41s"})),
                test("build-spec", "Failed", json!({"attempts": 2, "duration": "50s", "message": "the build\nfailed"}))]}),
            json!([]),
        ),
    ];
    states.into_iter().map(|(status, images)| (parse(status), parse(images))).collect()
}

pub fn instance_object(name: &str, status: Value) -> Value {
    json!({
        "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprInstance",
        "metadata": {"name": name, "namespace": "team", "generation": 1, "resourceVersion": "8"},
        "spec": {"images": {"registry": "quay.io/you"}, "chroots": ["fedora-44-x86_64"]},
        "status": status,
    })
}

fn component(name: &str, ready: bool, reason: &str, message: &str) -> Value {
    json!({"name": name, "ready": ready, "reason": reason, "message": message, "lastTransitionTime": time(530)})
}

pub fn instances() -> Vec<(&'static str, CoprInstance)> {
    let endpoints = json!({"frontend": "http://a-frontend.team.svc:5000", "backend": "http://b", "distGit": "http://d",
                           "public": {"frontend": "https://copr.example.org", "results": "https://r", "distGit": "https://g"}});
    let states = [
        ("unseen", json!({"observedGeneration": -1})),
        (
            "ready",
            json!({"observedGeneration": 1, "endpoints": endpoints, "clientSecret": "a-client", "expiresAt": time(4200),
                   "conditions": [condition("Ready", "True", "Ready", ""), condition("Available", "True", "Available", ""),
                                  condition("BuildersReady", "False", "BuilderRefused", "violates PodSecurity \"restricted\"")],
                   "builderIncidents": [{"time": time(500), "pod": "b", "reason": "BuilderOutOfMemory", "message": "builder b was killed"}]}),
        ),
        (
            "building",
            json!({"observedGeneration": 1,
                   "conditions": [condition("Ready", "False", "ImagesBuilding", "1 of 4 images is there"),
                                  condition("Reconciling", "True", "ImagesBuilding", ""),
                                  condition("ImagesReady", "False", "ImagesBuilding", "1 of 4 images is there")],
                   "packages": {"specHash": "x", "images": [
                       image("base", "Pushed", json!({})), image("database", "Building", json!({"startedAt": time(540)})),
                       image("frontend", "Failed", json!({"retryAt": time(640), "message": "nothing provides\npython3-flask"})),
                       image("backend", "Queued", json!({}))]}}),
        ),
        (
            "stalled",
            json!({"observedGeneration": 1, "endpoints": endpoints,
                   "conditions": [condition("Ready", "False", "Unschedulable", "database"), condition("Stalled", "True", "Unschedulable", ""),
                                  condition("Available", "False", "Unschedulable", ""), condition("ImagesReady", "True", "ImagesReady", "")],
                   "components": [component("database", false, "Unschedulable", "pod a-database-0: 0/1 nodes are available"),
                                  component("redis", true, "Available", ""),
                                  component("frontend", false, "Starting", "pod a-frontend-0 waits for the database")]}),
        ),
    ];
    states.into_iter().map(|(name, status)| (name, parse(instance_object("a", status)))).collect()
}
