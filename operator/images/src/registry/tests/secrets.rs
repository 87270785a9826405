//! Whose credentials a registry is asked with: what the spec names, and OpenShift's own.

use copr_operator_api::v1alpha1::{CoprInstanceSpec, Registry};
use copr_operator_kernel::testing::{ApiServer, Exchange, assert_hides, get};
use serde_json::{Value, json};

use crate::{
    dependency,
    registry::{
        Login,
        access::{Error, of_prebuilt, target},
    },
};

const SERVICE_CA: &str = "/api/v1/namespaces/team/configmaps/openshift-service-ca.crt";

fn secret(name: &str) -> Exchange {
    get(format!("/api/v1/namespaces/team/secrets/{name}"))
}

/// Data of a Secret, of which the value is base64 already.
fn data(key: &str, value: &str) -> Value {
    json!({"data": {key: value}})
}

/// `{"auths": {"r.example": {"auth": "bWU6aHVudGVyMg=="}}}`: me, and hunter2.
const DOCKER_CONFIG: &str = "eyJhdXRocyI6IHsici5leGFtcGxlIjogeyJhdXRoIjogImJXVTZhSFZ1ZEdWeU1nPT0ifX19";
/// The same without `auths`, as the older kind of Secret has it.
const DOCKER_CFG: &str = "eyJyLmV4YW1wbGUiOiB7ImF1dGgiOiAiYldVNmFIVnVkR1Z5TWc9PSJ9fQ==";
/// `{"auths": hunter2}`
const MALFORMED: &str = "eyJhdXRocyI6IGh1bnRlcjJ9";

fn me() -> Login {
    Login::Basic("me".into(), "hunter2".into())
}

fn registry() -> Registry {
    serde_json::from_value(
        json!({"url": "r.example/copr", "pushSecret": {"name": "push"}, "caConfigMap": {"name": "ca"}}),
    )
    .unwrap()
}

fn spec() -> CoprInstanceSpec {
    let spec = json!({"chroots": ["x-1-x86_64"], "images": {"pullSecrets": ["older", "newer"]}, "registry": registry()});
    serde_json::from_value(spec).unwrap()
}

/// A certificate.
fn pem() -> String {
    rcgen::generate_simple_self_signed(vec!["r.example".to_owned()]).unwrap().cert.pem()
}

fn ca(pem: &str) -> Exchange {
    get("/api/v1/namespaces/team/configmaps/ca").answers(json!({"data": {"ca.crt": pem}}))
}

#[tokio::test]
async fn the_registry_of_the_spec_is_asked_with_the_push_secret() {
    let pem = pem();
    let server =
        ApiServer::expects([secret("push").answers(data(".dockerconfigjson", DOCKER_CONFIG)), ca(&pem)]);
    let target = target(&server.client(), "team", Some(&registry())).await.unwrap();
    assert_eq!(target.access.keyring.find("r.example", "copr/x").0, me());
    assert_eq!((target.access.authority.as_ref(), target.authority_key), (Some(&pem), "ca.crt"));
}

#[tokio::test]
async fn a_secret_that_can_not_be_read_is_told_by_its_place_alone() {
    let server = ApiServer::expects([secret("push").answers(data(".dockerconfigjson", MALFORMED))]);
    let error = target(&server.client(), "team", Some(&registry())).await.unwrap_err();
    assert_eq!(error.to_string(), "registry.pushSecret: the Secret push is malformed at line 1, column 11");
    assert_eq!(error.reason(), "SecretInvalid");
    assert_hides(&["hunter2"], &error);
}

#[tokio::test]
async fn another_registry_is_asked_with_the_pull_secrets_of_either_kind() {
    let server = ApiServer::expects([
        secret("older").answers(data(".dockercfg", DOCKER_CFG)),
        secret("older").answers(data(".dockercfg", DOCKER_CFG)),
        secret("newer").answers(data(".dockerconfigjson", DOCKER_CONFIG)),
    ]);
    let access = of_prebuilt(&server.client(), "team", &spec(), "other.example/x:1").await.unwrap();
    let (login, asked) = access.keyring.find("r.example", "x");
    assert_eq!((login, asked.as_str()), (me(), "with the credentials of Secret older (images.pullSecrets)"));
    drop(server);

    let server =
        ApiServer::expects([secret("push").answers(data(".dockerconfigjson", DOCKER_CONFIG)), ca(&pem())]);
    of_prebuilt(&server.client(), "team", &spec(), "r.example/other:1").await.unwrap();
}

#[tokio::test]
async fn a_missing_pull_secret_is_missing() {
    let server = ApiServer::expects([secret("older")]);
    let error = of_prebuilt(&server.client(), "team", &spec(), "other.example/x:1").await.unwrap_err();
    assert!(matches!(error, Error::Dependency(dependency::Error::NotFound { .. })), "{error:?}");
}

#[tokio::test]
async fn without_a_registry_it_is_openshifts_or_none() {
    let groups = |groups: Value| {
        get("/apis").answers(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
    };
    let version = json!({"groupVersion": "imageregistry.operator.openshift.io/v1", "version": "v1"});
    let group = json!([{
        "name": "imageregistry.operator.openshift.io", "versions": [version], "preferredVersion": version,
    }]);
    let resources = get("/apis/imageregistry.operator.openshift.io/v1")
        .answers(json!({"groupVersion": "imageregistry.operator.openshift.io/v1", "resources": []}));
    let pem = pem();
    let authority = get(SERVICE_CA).answers(json!({"data": {"service-ca.crt": pem}}));
    let server = ApiServer::expects([groups(group), resources, authority]);
    let target_of = async |server: &ApiServer| target(&server.client(), "team", None).await;
    let internal = target_of(&server).await.unwrap();
    assert_eq!(internal.registry.url, "image-registry.openshift-image-registry.svc:5000/team");
    assert_eq!((internal.access.authority.as_ref(), internal.authority_key), (Some(&pem), "service-ca.crt"));
    drop(server);

    let error = target_of(&ApiServer::expects([groups(json!([]))])).await.unwrap_err();
    assert_eq!(error.reason(), "InvalidSpec");
    // Not to know is not to have none.
    for trouble in [get("/apis").refuses(ApiServer::FORBIDDEN, "no"), get("/apis").is_cut_off()] {
        let error = target_of(&ApiServer::expects([trouble])).await.unwrap_err();
        assert_eq!(error.reason(), "DependencyUnreadable");
    }
}
