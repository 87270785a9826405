//! API-server tests of URLs, logins and settings of Copr's own: what is admitted, what is refused, and that the refusal names the field.

use anyhow::Result;
use copr_e2e::{
    admission::{all_admitted, all_refused, changed},
    fixtures::instance_json,
    with_namespace,
};
use copr_operator_api::v1alpha1::CoprInstance;
use serde_json::{Value, json};

fn url() -> Value {
    json!({"frontend": "copr.example.org", "results": "r.copr.example.org", "distGit": "git.copr.example.org"})
}

fn oidc() -> Value {
    json!({"metadataURL": "https://id.example.org/.well-known/openid-configuration", "clientSecret": {"name": "o"}})
}

/// A spec with a URL, and this.
fn with_url(more: Value) -> Value {
    let mut spec = instance_json("copr")["spec"].take();
    spec["url"] = url();
    if let (Some(spec), Value::Object(more)) = (spec.as_object_mut(), more) {
        spec.extend(more);
    }
    spec
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn an_instance_with_a_url_may_be() -> Result<()> {
    with_namespace("access-admitted", |ctx| async move {
        let changes = vec![
            ("spec.url", url()),
            ("spec", with_url(json!({"expose": "Ingress", "ingress": {"annotations": {"a": "b"}}}))),
            ("spec", with_url(json!({"expose": "Route"}))),
            ("spec", with_url(json!({"expose": "Gateway", "gateway": {"name": "edge"}}))),
            ("spec", with_url(json!({"login": {"oidc": oidc()}}))),
            (
                "spec",
                with_url(json!({"login": {"oidc": changed(oidc(), ("caConfigMap.name", json!("ca")))}})),
            ),
            (
                "spec",
                with_url(
                    json!({"login": {"kerberos": {"emailDomain": "x.org", "proxySecret": {"name": "k"}}}}),
                ),
            ),
            ("spec.frontend.extraConfig", json!({"A": 1, "B": [true, "x"], "C": {"d": 2.5}})),
            (
                "spec.backend.extraConfig",
                json!({"backend": {"prune_days": "3"}, "builder": {"timeout": "60"}}),
            ),
            ("spec.distGit.extraConfig", json!({"sleep_time": "5"})),
        ];
        all_admitted::<CoprInstance>(&ctx, &instance_json("copr"), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn an_instance_with_a_url_may_not_be() -> Result<()> {
    with_namespace("access-refused", |ctx| async move {
        let changes = vec![
            ("spec.url", changed(url(), ("frontend", json!("copr"))), "spec.url.frontend"),
            (
                "spec.url",
                changed(url(), ("frontend", json!("https://copr.example.org"))),
                "spec.url.frontend",
            ),
            ("spec.url", changed(url(), ("results", json!("copr.example.org:8080"))), "spec.url.results"),
            ("spec.url", changed(url(), ("distGit", json!("copr.example.org"))), "three different hosts"),
            ("spec.url", changed(url(), ("distGit", Value::Null)), "spec.url.distGit"),
            ("spec.url", changed(url(), ("scheme", json!("ftp"))), "spec.url.scheme"),
            (
                "spec.url",
                changed(changed(url(), ("scheme", json!("http"))), ("tlsSecret.name", json!("x"))),
                "tlsSecret",
            ),
            ("spec.expose", json!("Ingress"), "expose needs url"),
            ("spec.expose", json!("LoadBalancer"), "spec.expose"),
            ("spec", with_url(json!({"expose": "Gateway"})), "gateway"),
            ("spec", with_url(json!({"expose": "Ingress", "gateway": {"name": "x"}})), "gateway"),
            (
                "spec",
                changed(
                    with_url(json!({"expose": "Gateway", "gateway": {"name": "x"}})),
                    ("url.tlsSecret.name", json!("x")),
                ),
                "url.tlsSecret",
            ),
            ("spec.login", json!({"oidc": oidc()}), "login needs url"),
            ("spec", with_url(json!({"login": {}})), "oidc, kerberos"),
            (
                "spec",
                with_url(json!({"login": {"oidc": changed(oidc(), ("scopes", json!(["email"])))}})),
                "openid",
            ),
            (
                "spec",
                with_url(json!({"login": {"oidc": changed(oidc(), ("usernameClaim", json!("sub")))}})),
                "usernameClaim",
            ),
            (
                "spec",
                with_url(
                    json!({"login": {"oidc": changed(oidc(), ("metadataURL", json!("id.example.org")))}}),
                ),
                "metadataURL",
            ),
            (
                "spec",
                with_url(json!({"login": {"oidc": changed(oidc(), ("caConfigMap.key", json!("ca.crt")))}})),
                "spec.login.oidc.caConfigMap",
            ),
            (
                "spec",
                with_url(json!({"login": {"oidc": changed(
                    changed(oidc(), ("caConfigMap.name", json!("ca"))),
                    ("metadataURL", json!("http://id.example.org/x")),
                )}})),
                "login.oidc.caConfigMap is for a metadataURL with https",
            ),
            (
                "spec",
                with_url(json!({"login": {"kerberos": {"emailDomain": "x.org"}}})),
                "spec.login.kerberos.proxySecret",
            ),
            ("spec.backend.extraConfig.backend", json!({"redis_host": "x"}), "redis_host"),
            ("spec.backend.extraConfig.backend", json!({"a = b": "x"}), "backend.extraConfig.backend"),
            ("spec.backend.extraConfig.backend", json!({"prune_days": 3}), "prune_days"),
            ("spec.backend.extraConfig.ssh", json!({}), "spec.backend.extraConfig.ssh"),
            ("spec.distGit.extraConfig", json!({"frontend_auth": "x"}), "frontend_auth"),
            ("spec.distGit.extraConfig", json!({"sleep_time": "5\nlog_dir = /"}), "sleep_time"),
        ];
        all_refused::<CoprInstance>(&ctx, &instance_json("copr"), changes).await
    })
    .await
}
