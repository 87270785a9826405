//! Objects that hold what can't be made again.

use k8s_openapi::api::core::v1::Secret;

use super::*;
use crate::testing::{ApiServer, assert_hides, get, patch, post};

const SECRETS: &str = "/api/v1/namespaces/team/secrets";
const NAME: &str = "demo-credentials";
/// "hunter2", as a Secret has it.
const ENCODED: &str = "aHVudGVyMg==";

/// The credentials, made from what was read at that version.
fn credentials(version: Option<&str>) -> Planned {
    let secret: Secret = serde_json::from_value(json!({
        "metadata": {"name": NAME, "resourceVersion": version, "labels": {(labels::COMPONENT): "credentials"}},
        "data": {"a": ENCODED, "b": ENCODED},
    }))
    .unwrap();
    planned(&secret, Lifetime::CreateOnce).unwrap()
}

/// As the API server has them, lacking a key.
fn present() -> Value {
    let mut secret = owned_by("u1", NAME);
    secret["kind"] = "Secret".into();
    secret["data"] = json!({"a": ENCODED});
    secret
}

async fn apply(server: &ApiServer, version: Option<&str>) -> Outcome {
    let plan = [credentials(version), config_map("demo-conf", "frontend")];
    apply_all(&server.client(), &owner(), &plan[..1], &Memory::default()).await
}

#[tokio::test]
async fn they_are_created_and_not_applied() {
    let created = post(SECRETS)
        .query("fieldManager", FIELD_MANAGER)
        .body(json!({"data": {"a": ENCODED, "b": ENCODED}}));
    let server = ApiServer::expects([get(one(SECRETS, NAME)), created.answers(present())]);
    assert_eq!(apply(&server, None).await.result().unwrap(), 1);
}

#[tokio::test]
async fn only_what_they_lack_is_written_to_the_version_that_was_read() {
    let server = ApiServer::expects([
        get(one(SECRETS, NAME)).answers(present()),
        patch(one(SECRETS, NAME)).body(json!({"metadata": {"resourceVersion": "5"}, "data": {"b": ENCODED}})),
    ]);
    assert_eq!(apply(&server, Some("5")).await.result().unwrap(), 1);
    assert_eq!(server.requests()[1].body["data"].get("a"), None);
}

#[tokio::test]
async fn of_two_writers_the_slower_one_begins_anew() {
    let changed_before = || get(one(SECRETS, NAME)).answers(present());
    let scripts = [
        // Made, changed or deleted since they were read.
        (None, vec![changed_before()]),
        (Some("4"), vec![changed_before()]),
        (Some("5"), vec![get(one(SECRETS, NAME))]),
        // Or at the very moment.
        (
            None,
            vec![get(one(SECRETS, NAME)), post(SECRETS).refuses(ApiServer::ALREADY_EXISTS, "there is one")],
        ),
        (
            Some("5"),
            vec![changed_before(), patch(one(SECRETS, NAME)).refuses(ApiServer::CONFLICT, "changed")],
        ),
    ];
    for (version, script) in scripts {
        let server = ApiServer::expects(script);
        let outcome = apply(&server, version).await;
        assert!(matches!(&outcome.failures[..], [Error::Raced { .. }]), "{outcome:?}");
        assert!(!outcome.failures[0].is_final());
    }
}

#[tokio::test]
async fn without_them_nothing_else_is_applied_and_an_error_tells_none_of_them() {
    let plan = [credentials(None), config_map("demo-conf", "frontend"), stateful_set("demo-redis", "redis")];
    let refused = post(SECRETS).refuses(ApiServer::FORBIDDEN, "exceeded quota: secrets");
    let server = ApiServer::expects([get(one(SECRETS, NAME)), refused]);
    let outcome = apply_all(&server.client(), &owner(), &plan, &Memory::default()).await;
    let incomplete = ["credentials", "frontend", "redis"].map(str::to_owned);
    assert_eq!((outcome.written, outcome.incomplete), (0, BTreeSet::from(incomplete)));
    let [failure] = &outcome.failures[..] else { panic!("{:?}", outcome.failures) };
    assert!(failure.is_final());
    assert_hides(&["hunter2", ENCODED], failure);
}

#[tokio::test]
async fn those_of_a_stranger_are_not_touched() {
    let mut foreign = present();
    foreign["metadata"]["ownerReferences"] = json!([]);
    let server = ApiServer::expects([get(one(SECRETS, NAME)).answers(foreign)]);
    let outcome = apply(&server, Some("5")).await;
    assert!(matches!(&outcome.failures[..], [Error::NameTaken { .. }]));
    assert_hides(&["hunter2", ENCODED], &outcome.failures[0]);
}
