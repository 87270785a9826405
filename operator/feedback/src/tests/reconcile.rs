//! A whole reconcile: an API server that follows a script, and a forge.

use std::time::Duration;

use copr_operator_api::v1alpha1::{CoprTestRun, ReportState};
use copr_operator_kernel::testing::{ApiServer, Exchange, HttpServer, get, patch, post};
use jiff::{SignedDuration, Timestamp};
use kube::runtime::events::{Recorder, Reporter};
use serde_json::{Value, json};

use super::{TOKEN, failed, forge, github::GitHub, reply, run, secret};
use crate::{
    Backoff, Context, Error,
    exchange::{self, Failure},
    pauses::Pauses,
    steps,
};

const RUN: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/ci/coprtestruns/pr-7";
const STATUS: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/ci/coprtestruns/pr-7/status";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/ci/events";

fn noon() -> Timestamp {
    "2026-11-26T12:00:00Z".parse().unwrap()
}

fn there(run: &CoprTestRun) -> Exchange {
    get(RUN).answers(serde_json::to_value(run).unwrap())
}

fn token() -> Exchange {
    get("/api/v1/namespaces/ci/secrets/robot").answers(secret(&[("token", TOKEN)]))
}

/// Written by its own manager, and nothing else of the status with it.
fn written(condition: &Value, reports: &Value) -> Exchange {
    patch(STATUS)
        .query("fieldManager", "copr-operator-feedback")
        .query("force", "true")
        .body(json!({"status": {"conditions": [condition], "reports": reports}}))
}

async fn reconciled(
    run: &CoprTestRun,
    script: Vec<Exchange>,
) -> (Result<Option<Timestamp>, Error>, ApiServer) {
    reconciled_with(Pauses::default(), run, script).await
}

async fn reconciled_with(
    pauses: Pauses,
    run: &CoprTestRun,
    script: Vec<Exchange>,
) -> (Result<Option<Timestamp>, Error>, ApiServer) {
    let server = ApiServer::expects(script);
    let client = server.client();
    let reporter = Reporter { controller: "copr-operator".into(), instance: None };
    let context = Context {
        recorder: Recorder::new(client.clone(), reporter),
        http: exchange::client().unwrap(),
        pauses,
        backoff: Backoff::default(),
        client,
    };
    (steps(run, &context, noon).await, server)
}

/// The run with the status that was written.
fn after(mut run: CoprTestRun, server: &ApiServer) -> CoprTestRun {
    let request = server.requests().into_iter().find(|request| request.path == STATUS).unwrap();
    let patch = &request.body["status"];
    assert_eq!(patch.as_object().unwrap().len(), 2, "{patch}");
    let status = run.status.as_mut().unwrap();
    status.reports = serde_json::from_value(patch["reports"].clone()).unwrap();
    status.conditions = serde_json::from_value(patch["conditions"].clone()).unwrap();
    run
}

#[tokio::test]
async fn a_run_is_reported_at_its_start_and_at_its_end_and_not_between() {
    let github = GitHub::start().await;
    let spec = forge(&github.server.url);
    let started = run(&spec);
    let told = written(
        &json!({"type": "Reported", "status": "Unknown", "reason": "Started", "observedGeneration": 1}),
        &json!([{"target": "CommitStatus", "state": "Delivered", "event": "Started", "attempts": 1}]),
    );
    let (result, server) = reconciled(&started, vec![there(&started), token(), told]).await;
    assert_eq!(result.unwrap(), None);
    let known = after(started, &server);

    // Nothing new: nothing is read, said or written.
    let (result, _server) = reconciled(&known, vec![there(&known)]).await;
    assert_eq!(result.unwrap(), None);

    let mut ended = failed(&spec);
    ended.status.as_mut().unwrap().reports = known.status.unwrap().reports;
    let told = written(
        &json!({"type": "Reported", "status": "True", "reason": "Delivered"}),
        &json!([{"state": "Delivered", "event": "Finished", "attempts": 1, "reportedAt": "2026-11-26T12:00:00Z"}]),
    );
    let (result, _server) = reconciled(&ended, vec![there(&ended), token(), told]).await;
    assert_eq!(result.unwrap(), None);
    assert_eq!(github.statuses().len(), 2);
}

#[tokio::test]
async fn a_revoked_token_is_told_once_and_tried_again() {
    let github = GitHub::start().await;
    let run = failed(&forge(&github.server.url));
    let revoked = || get("/api/v1/namespaces/ci/secrets/robot").answers(secret(&[("token", "revoked")]));
    let words =
        format!("{} answered 401 Unauthorized: Bad credentials", github.server.url.replace("http://", ""));
    let told = written(
        &json!({"type": "Reported", "status": "False", "reason": "Refused", "message": format!("CommitStatus: {words}")}),
        &json!([{"state": "Refused", "message": words, "retryAt": "2026-11-26T12:00:05Z"}]),
    );
    let event =
        post(EVENTS).body(json!({"reason": "ReportRefused", "note": format!("CommitStatus: {words}")}));
    let (result, server) = reconciled(&run, vec![there(&run), revoked(), told, event]).await;
    assert_eq!(result.unwrap(), Some(noon() + SignedDuration::from_secs(5)));
    let sent = format!("{:?}", server.requests());
    assert!(!sent.contains("Bearer") && !sent.contains("revoked"), "{sent}");

    // Not before its time.
    let known = after(run, &server);
    let (result, _server) = reconciled(&known, vec![there(&known)]).await;
    assert_eq!(result.unwrap(), Some(noon() + SignedDuration::from_secs(5)));

    // Its second refusal is no news for people.
    let mut later = known;
    later.status.as_mut().unwrap().reports[0].retry_at = None;
    let told =
        written(&json!({"status": "False"}), &json!([{"attempts": 2, "retryAt": "2026-11-26T12:00:10Z"}]));
    let (result, _server) = reconciled(&later, vec![there(&later), revoked(), told]).await;
    result.unwrap();
}

#[tokio::test]
async fn one_who_can_not_be_told_keeps_nothing_from_the_others() {
    let github = GitHub::start().await;
    let hook = HttpServer::start(|_| reply(503, "").with("Retry-After", 1200)).await;
    let mut spec = forge(&github.server.url);
    spec["forge"]["comment"] = json!(true);
    spec["webhook"] = json!({"url": hook.url});
    github.fails_once("statuses", reply(502, ""));
    let run = failed(&spec);
    let told = written(
        &json!({"type": "Reported", "status": "Unknown", "reason": "Waiting"}),
        &json!([
            {"target": "CommitStatus", "state": "Waiting", "retryAt": "2026-11-26T12:00:05Z"},
            {"target": "Comment", "state": "Delivered"},
            {"target": "Webhook", "state": "Waiting", "retryAt": "2026-11-26T12:20:00Z"},
        ]),
    );
    let (result, server) = reconciled(&run, vec![there(&run), token(), token(), told]).await;
    assert_eq!(result.unwrap(), Some(noon() + SignedDuration::from_secs(5)));
    assert_eq!(github.comments().len(), 1);
    let known = after(run, &server).status.unwrap().reports;
    assert_eq!(known[1].state, ReportState::Delivered);
}

#[tokio::test]
async fn a_github_app_asks_for_a_token_first_and_knows_its_own_comments() {
    let github = HttpServer::start(|request| {
        let is = |end: &str| request.path.split('?').next().unwrap().ends_with(end);
        let ours =
            "<!-- copr-operator report copr-operator/sanity of a run created at 2026-11-26T07:00:00Z -->";
        match request.method.as_str() {
            "POST" if is("/app/installations/34/access_tokens") => {
                reply(201, json!({"token": "ghs_granted"}))
            }
            _ if request.header("authorization") != "Bearer ghs_granted" => reply(401, "{}"),
            "GET" => reply(
                200,
                json!([
                    {"id": 1, "body": ours, "user": {"id": 9}, "performed_via_github_app": null},
                    {"id": 2, "body": ours, "user": {"id": 9}, "performed_via_github_app": {"id": 12}},
                ]),
            ),
            _ => reply(200, "{}"),
        }
    })
    .await;
    let spec = json!({"forge": {"apiURL": github.url, "appSecret": {"name": "app"}, "comment": true}});
    let keys = [("appId", "12"), ("installationId", "34"), ("privateKey", super::APP_KEY)];
    let app = || get("/api/v1/namespaces/ci/secrets/app").answers(secret(&keys));
    let run = failed(&spec);
    let told = written(&json!({"status": "True"}), &json!([{"state": "Delivered"}, {"state": "Delivered"}]));
    let script = vec![there(&run), app(), app(), app(), app(), app(), app(), told];
    let (result, _server) = reconciled(&run, script).await;
    assert_eq!(result.unwrap(), None);
    assert_eq!(github.asked().last().unwrap(), "PATCH /repos/fedora-copr/copr/issues/comments/2");
    let first = github.requests().remove(0);
    assert_eq!(first.header("authorization").split('.').count(), 3, "a JSON Web Token");
}

#[tokio::test]
async fn a_secret_that_is_missing_is_told_by_its_field() {
    let run = failed(&forge("http://localhost:1"));
    let words = "report.forge.tokenSecret: there is no Secret robot in this namespace";
    let told = written(
        &json!({"status": "False", "message": format!("CommitStatus: {words}")}),
        &json!([{"state": "Refused"}]),
    );
    let missing = get("/api/v1/namespaces/ci/secrets/robot");
    let (result, _server) = reconciled(&run, vec![there(&run), missing, told, post(EVENTS)]).await;
    result.unwrap();
}

#[tokio::test]
async fn a_run_that_is_gone_or_going_or_new_is_left_alone() {
    let run = failed(&forge("http://localhost:1"));
    let (result, _server) = reconciled(&run, vec![get(RUN)]).await;
    assert_eq!(result.unwrap(), None);
    let mut going = serde_json::to_value(&run).unwrap();
    going["metadata"]["deletionTimestamp"] = json!("2026-11-26T12:00:00Z");
    let (result, _server) = reconciled(&run, vec![get(RUN).answers(going)]).await;
    assert_eq!(result.unwrap(), None);
    let mut new = serde_json::to_value(&run).unwrap();
    new["status"] = json!({"observedGeneration": -1});
    let (result, _server) = reconciled(&run, vec![get(RUN).answers(new)]).await;
    assert_eq!(result.unwrap(), None);
}

#[tokio::test]
async fn what_can_not_be_written_is_said_again() {
    let github = GitHub::start().await;
    let run = failed(&forge(&github.server.url));
    let refused = patch(STATUS).refuses(ApiServer::INTERNAL_ERROR, "etcd");
    let (result, _server) = reconciled(&run, vec![there(&run), token(), refused]).await;
    assert!(matches!(result, Err(Error::Status(_))));
    let (result, _server) = reconciled(&run, vec![there(&run), token(), patch(STATUS)]).await;
    result.unwrap();
    assert_eq!(github.statuses()[0], github.statuses()[1]);
}

/// One limit is for everything that is said there, and for nobody else.
#[tokio::test]
async fn a_forge_that_wants_to_be_left_alone_gets_no_comment_either() {
    let github = GitHub::start().await;
    let hook = HttpServer::start(|_| reply(204, "")).await;
    let mut spec = forge(&github.server.url);
    spec["forge"]["comment"] = json!(true);
    spec["webhook"] = json!({"url": hook.url});
    github.fails_once("statuses", reply(429, "").with("Retry-After", 1800));
    let run = failed(&spec);
    let told = written(
        &json!({"type": "Reported", "status": "Unknown", "reason": "Waiting"}),
        &json!([
            {"target": "CommitStatus", "state": "Waiting", "attempts": 1, "retryAt": "2026-11-26T12:30:00Z"},
            {"target": "Comment", "state": "Waiting", "attempts": 0, "retryAt": "2026-11-26T12:30:00Z"},
            {"target": "Webhook", "state": "Delivered"},
        ]),
    );
    let (result, _server) = reconciled(&run, vec![there(&run), token(), told]).await;
    assert_eq!(result.unwrap(), Some(noon() + SignedDuration::from_mins(30)));
    assert_eq!(github.server.asked().len(), 1);
}

#[tokio::test]
async fn so_gets_no_other_run_of_the_namespace_but_those_of_others_are_reported() {
    let asked = |namespace, host: &str| {
        let (pauses, failure) = (
            Pauses::default(),
            Failure::Passing { words: "429".into(), pause: Some(Duration::from_secs(60)) },
        );
        pauses.note(namespace, host, &failure, noon());
        pauses
    };
    let github = GitHub::start().await;
    let (run, host) = (failed(&forge(&github.server.url)), github.server.url.replace("http://", ""));
    let held = written(
        &json!({"reason": "Waiting", "message": "CommitStatus: 429"}),
        &json!([{"state": "Waiting", "attempts": 0, "retryAt": "2026-11-26T12:01:00Z"}]),
    );
    let (result, _server) = reconciled_with(asked("ci", &host), &run, vec![there(&run), held]).await;
    result.unwrap();
    assert_eq!(github.statuses().len(), 0);
    for pauses in [asked("others", &host), asked("ci", "localhost:1")] {
        let said = written(&json!({"status": "True"}), &json!([{"state": "Delivered"}]));
        let (result, _server) = reconciled_with(pauses, &run, vec![there(&run), token(), said]).await;
        result.unwrap();
    }
    assert_eq!(github.statuses().len(), 2);
}
