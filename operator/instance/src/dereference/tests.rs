use copr_operator_kernel::testing::{ApiServer, Exchange, assert_hides, get};
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{AUTHORITY, EXTERNAL, MINIMAL, parse, private_provider};

const INSTANCE: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprinstances/demo";
/// The Secrets that are rendered from the credentials, in the order in which they are read.
const RENDERED: [&str; 5] =
    ["demo-backend-ssh", "demo-builder", "demo-client", "demo-database", "demo-frontend"];

fn read(name: &str) -> Exchange {
    get(format!("/api/v1/namespaces/team/secrets/{name}"))
}

/// A Secret as the API server has it.
fn secret(name: &str, metadata: &Value, data: &BTreeMap<String, String>) -> Value {
    let secret = Secret { string_data: Some(data.clone()), ..Secret::default() };
    let mut secret = serde_json::to_value(secret).unwrap();
    let text = secret["stringData"].take();
    let data = text.as_object().unwrap().iter().map(|(key, value)| {
        let bytes = k8s_openapi::ByteString(value.as_str().unwrap().as_bytes().to_vec());
        (key.clone(), serde_json::to_value(bytes).unwrap())
    });
    secret["data"] = Value::Object(data.collect());
    secret["metadata"] = metadata.clone();
    secret["metadata"]["name"] = name.into();
    secret
}

fn known(credentials: &Credentials, rotation: Option<&str>) -> Exchange {
    let metadata = json!({"resourceVersion": "5", "annotations": rotation.map(|made_for| json!({(ROTATION): made_for}))});
    read("demo-credentials").answers(secret("demo-credentials", &metadata, &credentials.to_data()))
}

fn kubernetes() -> Exchange {
    get("/apis").answers(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []}))
}

async fn observe(server: &ApiServer, instance: &CoprInstance) -> Result<Observed, Error> {
    let kinds = served::Cache::from(Served::default());
    dereference(&server.client(), &Platforms::default(), &kinds, instance).await
}

#[tokio::test]
async fn credentials_that_are_complete_are_taken_as_they_are() {
    let credentials = Credentials::generate().unwrap();
    let server = ApiServer::expects([known(&credentials, None), kubernetes()]);
    let observed = observe(&server, &parse(MINIMAL)).await.unwrap();
    assert!(observed.credentials == credentials);
    assert_eq!((observed.credentials_version.as_deref(), observed.rotation), (Some("5"), None));
}

#[tokio::test]
async fn lost_ones_are_found_again_in_what_the_operator_rendered_from_them() {
    let ours = json!({"labels": {(labels::MANAGED_BY): FIELD_MANAGER}, "annotations": {(ROTATION): "2"}});
    let client = BTreeMap::from([("login".into(), "my-login".into()), ("token".into(), "my-token".into())]);
    let foreign = BTreeMap::from([("password".to_owned(), "a-strangers".to_owned())]);
    let rendered = RENDERED.map(|name| match name {
        "demo-client" => read(name).answers(secret(name, &ours, &client)),
        // Anybody's may have the name.
        "demo-database" => read(name).answers(secret(name, &json!({}), &foreign)),
        _ => read(name),
    });
    let script = [read("demo-credentials")].into_iter().chain(rendered).chain([kubernetes()]);
    let server = ApiServer::expects(script);
    let observed = observe(&server, &parse(MINIMAL)).await.unwrap();
    let found = &observed.credentials;
    assert_eq!((found.api_login.as_str(), found.api_token.as_str()), ("my-login", "my-token"));
    assert_ne!(found.database_password, "a-strangers");
    assert_eq!((observed.credentials_version, observed.rotation.as_deref()), (None, Some("2")));
}

#[tokio::test]
async fn while_a_secret_can_not_be_read_nothing_is_made_anew() {
    let conversations: [Vec<Exchange>; 4] = [
        vec![read("demo-credentials").refuses(ApiServer::FORBIDDEN, "not you")],
        vec![read("demo-credentials").refuses(ApiServer::INTERNAL_ERROR, "etcd")],
        vec![read("demo-credentials").is_cut_off()],
        vec![read("demo-credentials"), read(RENDERED[0]), read(RENDERED[1]).is_cut_off()],
    ];
    for script in conversations {
        let server = ApiServer::expects(script);
        assert!(matches!(observe(&server, &parse(MINIMAL)).await, Err(Error::ReadSecret { .. })));
    }
}

#[tokio::test]
async fn an_error_tells_nothing_of_what_is_in_a_secret() {
    let mut data = Credentials::generate().unwrap().to_data();
    data.insert("api-token".into(), "hunter2 '".into());
    let answer = secret("demo-credentials", &json!({"resourceVersion": "5"}), &data);
    let server = ApiServer::expects([read("demo-credentials").answers(answer)]);
    let error = observe(&server, &parse(MINIMAL)).await.unwrap_err();
    assert!(matches!(error, Error::Credentials { .. }));
    let secrets: Vec<_> = data.values().map(String::as_str).collect();
    assert_hides(&secrets, &error);
}

#[tokio::test]
async fn a_rotation_is_made_once() {
    let credentials = Credentials::generate().unwrap();
    let mut instance = parse(MINIMAL);
    instance.annotations_mut().insert(ROTATION.into(), "2".into());
    for (made_for, is_made) in [(None, true), (Some("1"), true), (Some("2"), false)] {
        let server = ApiServer::expects([known(&credentials, made_for), kubernetes()]);
        let observed = observe(&server, &instance).await.unwrap();
        assert_eq!(observed.credentials != credentials, is_made);
        assert_eq!(
            (observed.credentials_version.as_deref(), observed.rotation.as_deref()),
            (Some("5"), Some("2"))
        );
    }
}

#[tokio::test]
async fn an_external_secret_that_is_missing_is_no_failure_to_read() {
    let credentials = Credentials::generate().unwrap();
    let uri = BTreeMap::from([("uri".to_owned(), "postgresql://x".to_owned())]);
    let server = ApiServer::expects([
        known(&credentials, None),
        kubernetes(),
        read("pg").answers(secret("pg", &json!({}), &uri)),
        read("valkey"),
    ]);
    let observed = observe(&server, &parse(EXTERNAL)).await.unwrap();
    assert_eq!(observed.database_secret.unwrap().data, Some(uri));
    assert_eq!(observed.redis_secret.unwrap().data, None);
}

#[tokio::test]
async fn an_authority_is_read_and_one_that_is_missing_is_no_failure_to_read() {
    let credentials = Credentials::generate().unwrap();
    let map = || get("/api/v1/namespaces/team/configmaps/provider-ca");
    let before = || [known(&credentials, None), kubernetes(), read("copr-oidc")];
    let data = BTreeMap::from([("ca.crt".to_owned(), AUTHORITY.to_owned())]);
    for (answer, found) in [(map().answers(json!({"data": data})), Some(data.clone())), (map(), None)] {
        let script = before().into_iter().chain([answer, read("copr-kerberos")]);
        let observed = observe(&ApiServer::expects(script), &parse(&private_provider())).await.unwrap();
        assert_eq!(observed.oidc_authority.unwrap().data, found);
    }
    let script = before().into_iter().chain([map().refuses(ApiServer::FORBIDDEN, "not you")]);
    let error = observe(&ApiServer::expects(script), &parse(&private_provider())).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to read the ConfigMap provider-ca");
}

#[tokio::test]
async fn an_instance_that_is_gone_going_or_another_by_now_is_none() {
    let instance = parse(MINIMAL);
    let answer = |metadata: Value| {
        let mut object = serde_json::to_value(&instance).unwrap();
        for (key, value) in metadata.as_object().unwrap() {
            object["metadata"][key] = value.clone();
        }
        get(INSTANCE).answers(object)
    };
    let table = [
        (answer(json!({"resourceVersion": "9"})), true),
        (answer(json!({"uid": "another"})), false),
        (answer(json!({"deletionTimestamp": "2026-11-26T00:00:00Z"})), false),
        (get(INSTANCE), false),
    ];
    for (exchange, is_there) in table {
        let server = ApiServer::expects([exchange]);
        assert_eq!(fresh(&server.client(), &instance).await.unwrap().is_some(), is_there);
    }
    let server = ApiServer::expects([get(INSTANCE).is_cut_off()]);
    assert!(matches!(fresh(&server.client(), &instance).await, Err(Error::ReadInstance(_))));
}
