//! Events, as somebody gets them who checks the signature.

use copr_operator_api::v1alpha1::CoprTestRun;
use copr_operator_kernel::testing::{ApiServer, Exchange, HttpServer, get};
use serde_json::{Value, json};

use super::{failed, reply, report, run, secret};
use crate::{
    exchange::{self, Failure},
    news, webhook,
};

const KEY: &str = "It's a Secret to Everybody";

fn keyed() -> Exchange {
    get("/api/v1/namespaces/ci/secrets/hook").answers(secret(&[("key", KEY)]))
}

async fn send(run: &CoprTestRun, script: impl IntoIterator<Item = Exchange>) -> Result<(), Failure> {
    let api = ApiServer::expects(script);
    let news = news::news(run).unwrap();
    let event = crate::render::event(&news);
    let hook = report(run).webhook.as_ref().unwrap();
    webhook::send((&api.client(), "ci"), &exchange::client().unwrap(), hook, &event).await
}

fn signed(url: &str) -> Value {
    json!({"webhook": {"url": format!("{url}/hooks?key=hidden"), "signingSecret": {"name": "hook"}}})
}

#[tokio::test]
async fn an_event_is_signed_over_what_was_sent() {
    let server = HttpServer::start(|_| reply(204, "")).await;
    send(&failed(&signed(&server.url)), [keyed()]).await.unwrap();
    let request = server.requests().remove(0);
    assert_eq!(request.line(), "POST /hooks?key=hidden");
    assert_eq!(request.header("content-type"), "application/cloudevents+json; charset=utf-8");
    let expected = webhook::signature(KEY, request.body.as_bytes());
    assert_eq!(request.header("x-copr-signature-256"), expected);
    assert_eq!(request.json()["type"], "org.fedorainfracloud.copr.testrun.finished");
    assert_eq!(request.header("authorization"), "");
}

/// The example of GitHub's documentation.
#[test]
fn the_signature_is_as_github_makes_it() {
    assert_eq!(
        webhook::signature(KEY, b"Hello, World!"),
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    );
}

#[tokio::test]
async fn without_a_key_there_is_no_signature() {
    let server = HttpServer::start(|_| reply(200, "")).await;
    send(&run(&json!({"webhook": {"url": server.url}})), []).await.unwrap();
    let request = server.requests().remove(0);
    assert!(!request.headers.contains_key("x-copr-signature-256"));
    assert_eq!(request.json()["type"], "org.fedorainfracloud.copr.testrun.started");
}

#[tokio::test]
async fn a_key_that_is_missing_sends_nothing() {
    let server = HttpServer::start(|_| reply(200, "")).await;
    let script = [get("/api/v1/namespaces/ci/secrets/hook")];
    let failure = send(&run(&signed(&server.url)), script).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "report.webhook.signingSecret: there is no Secret hook in this namespace"
    );
    assert_eq!(server.asked(), [""; 0]);
}

/// Whoever writes a URL into a spec must not read through the operator, and the URL may be a secret.
#[tokio::test]
async fn of_an_answer_only_the_status_is_told() {
    let server = HttpServer::start(|_| reply(410, json!({"message": "internal"}))).await;
    let failure = send(&run(&signed(&server.url)), [keyed()]).await.unwrap_err();
    let told = format!("{failure} {failure:?}");
    assert!(told.contains("answered 410 Gone"), "{told}");
    assert!(["internal", "hidden", "hooks", KEY].iter().all(|secret| !told.contains(secret)), "{told}");
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_where_it_is_named_and_nowhere_else() {
    let server = HttpServer::start_tls(|_| reply(204, "")).await;
    let failure = send(&run(&json!({"webhook": {"url": server.url}})), []).await.unwrap_err();
    assert!(failure.to_string().contains("invalid peer certificate"), "{failure}");
    assert!(matches!(failure, Failure::Passing { .. }));

    let trusting = json!({"webhook": {"url": server.url, "caConfigMap": {"name": "ca"}}});
    let map =
        |pem: &str| get("/api/v1/namespaces/ci/configmaps/ca").answers(json!({"data": {"ca.crt": pem}}));
    send(&run(&trusting), [map(&server.certificate)]).await.unwrap();
    assert_eq!(server.asked(), ["POST /"]);
    let failure = send(&run(&trusting), [map("none")]).await.unwrap_err();
    assert!(
        failure.to_string().starts_with("report.webhook.caConfigMap: the ConfigMap ca is malformed"),
        "{failure}"
    );
}
