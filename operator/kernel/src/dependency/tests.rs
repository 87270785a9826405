use serde_json::json;

use super::*;
use crate::testing::{ApiServer, assert_hides, get};

const SECRET: &str = "/api/v1/namespaces/team/secrets/robot";
const CONFIG_MAP: &str = "/api/v1/namespaces/team/configmaps/ca";

#[tokio::test]
async fn a_value_is_read_without_the_newline_that_kubectl_took_with_it() {
    let answer = json!({"data": {"password": "aHVudGVyMgo="}});
    let server = ApiServer::expects([get(SECRET).answers(answer)]);
    let value = secret(&server.client(), "team", "field", "robot", "password").await.unwrap();
    assert_eq!(value, "hunter2");
}

#[tokio::test]
async fn what_is_missing_is_named_by_field_object_and_key_and_nothing_else_is_told() {
    let other = || json!({"data": {"other": "aHVudGVyMg=="}});
    let table = [
        (get(SECRET), "SecretNotFound", "field: there is no Secret robot in this namespace"),
        (get(SECRET).answers(other()), "SecretInvalid", "field: the Secret robot has no key password"),
        (get(SECRET).answers(json!({})), "SecretInvalid", "field: the Secret robot has no key password"),
        (
            get(SECRET).refuses(ApiServer::FORBIDDEN, "not you"),
            "DependencyUnreadable",
            "failed to read the Secret robot: not you",
        ),
        (
            get(SECRET).refuses(ApiServer::INTERNAL_ERROR, "etcd"),
            "DependencyUnreadable",
            "failed to read the Secret robot: etcd",
        ),
    ];
    for (exchange, reason, said) in table {
        let server = ApiServer::expects([exchange]);
        let error = secret(&server.client(), "team", "field", "robot", "password").await.unwrap_err();
        assert_eq!((error.reason(), report::chain(&error).as_str()), (reason, said));
        assert_hides(&["hunter2", "aHVudGVyMg"], &error);
    }
    let table = [
        (get(CONFIG_MAP), "ConfigMapNotFound"),
        (get(CONFIG_MAP).answers(json!({"data": {"tls.crt": "x"}})), "ConfigMapInvalid"),
        (get(CONFIG_MAP).answers(json!({"data": {(CA_KEY): "no certificate"}})), "ConfigMapInvalid"),
        (get(CONFIG_MAP).is_cut_off(), "DependencyUnreadable"),
    ];
    for (exchange, reason) in table {
        let server = ApiServer::expects([exchange]);
        let error = authority(&server.client(), "team", "field", "ca", CA_KEY).await.unwrap_err();
        assert_eq!(error.reason(), reason);
    }
}

#[test]
fn an_authority_is_at_least_one_certificate() {
    let of = ("registry.caConfigMap", "ConfigMap", "ca", CA_KEY);
    let key = rcgen::generate_simple_self_signed(vec!["registry.example".to_owned()]).unwrap();
    is_authority(&format!("# ours\n{}", key.cert.pem()), of).unwrap();
    for nothing in ["", "nonsense", "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n"] {
        let error = is_authority(nothing, of).unwrap_err();
        assert_eq!(error.reason(), "ConfigMapInvalid");
        let said = error.to_string();
        assert!(
            said.starts_with("registry.caConfigMap: the ConfigMap ca is malformed at ca.crt: "),
            "{said}"
        );
    }
}
