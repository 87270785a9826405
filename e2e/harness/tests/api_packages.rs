//! API-server tests: which packages and registries are admitted, which are refused, and that the refusal says what to do.

use anyhow::{Result, ensure};
use copr_e2e::{
    admission::{all_admitted, all_refused, apply},
    with_namespace,
};
use copr_operator_api::v1alpha1::CoprInstance;
use serde_json::{Value, json};

const URL: &str = "https://repositories.example/fedora-44-x86_64/";

/// The smallest instance whose images are built.
fn instance() -> Value {
    json!({
        "apiVersion": "copr.fedorainfracloud.org/v1alpha1",
        "kind": "CoprInstance",
        "metadata": {"name": "copr"},
        "spec": {
            "packages": {"repositories": [{"name": "main", "baseURL": URL}]},
            "registry": {"url": "quay.io/team"},
            "chroots": ["fedora-44-x86_64"],
        },
    })
}

/// One repository, with this in it.
fn repository(field: &str, value: &Value) -> Value {
    let mut repository = json!({"name": "main", "baseURL": URL});
    repository[field] = value.clone();
    json!([repository])
}

fn url(url: &str) -> Value {
    repository("baseURL", &json!(url))
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn packages_may_be() -> Result<()> {
    with_namespace("packages-admitted", |ctx| async move {
        let everything = json!([
            {"name": "copr-dev", "baseURL": URL, "priority": 50, "gpgKey": "https://repositories.example/pubkey.gpg"},
            {"name": "pr-4305", "baseURL": "http://127.0.0.1:8080/pr", "priority": 1, "credentialsSecret": {"name": "login"}},
        ]);
        let changes = vec![
            ("spec.packages.revision", json!("2026-11-24")),
            ("spec.packages.repositories", everything),
            ("spec.packages.repositories", url("https://copr.example/results/@copr/copr-dev/fedora-44-x86_64/")),
            ("spec.packages.baseImage", json!("registry.example:5000/fedora@sha256:0123")),
            ("spec.packages.require", json!({"commit": "5d37cd838"})),
            (
                "spec.packages.require",
                json!({"packages": {"copr-frontend": "9278b61", "copr-keygen": "2.2-1.fc44", "copr-cli": "1:2"}}),
            ),
            ("spec.packages.pins", json!({"copr-frontend": "2.7-1.fc44", "copr-cli": "1:2~rc1-1"})),
            ("spec.packages.repositories", repository("caConfigMap", &json!({"name": "inhouse"}))),
            ("spec.packages.require", json!({"versions": {"copr-frontend": "2.7-1.fc44"}})),
            (
                "spec.packages.require",
                json!({"commits": {"copr-frontend": ["9278b61", "5d37cd838e4b1f6a2c0d9e8f7a6b5c4d3e2f1a0b"]}, "timeout": "2h"}),
            ),
            ("spec.packages.require", json!({"commit": "5d37cd838", "timeout": "1h30m"})),
            ("spec.packages.build", json!({"isolation": "Privileged", "cacheClaim": "cache", "timeout": "1h30m"})),
            ("spec.packages.build", json!({"resources": {"limits": {"memory": "2Gi"}}})),
            // On OpenShift the cluster has one.
            ("spec.registry", Value::Null),
            ("spec.registry", json!({"url": "registry.team.svc:5000/a/b", "insecure": true, "retention": "36h", "deleteUnused": true})),
            ("spec.registry", json!({"url": "quay.io/team", "pushSecret": {"name": "p"}, "caConfigMap": {"name": "c"}})),
            // A prebuilt image wins over what would be built.
            ("spec.database.image", json!("quay.io/me/postgresql:17")),
            ("spec.packages.build", json!({"pod": {"nodeSelector": {"disk": "ssd"}, "priorityClassName": "low"}})),
        ];
        all_admitted::<CoprInstance>(&ctx, &instance(), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn packages_may_not_be() -> Result<()> {
    with_namespace("packages-refused", |ctx| async move {
        let twice = json!([{"name": "main", "baseURL": URL}, {"name": "main", "baseURL": URL}]);
        let at = "spec.packages.repositories";
        let element = "spec.packages.repositories[0]";
        let changes = vec![
            (at, json!([]), "spec.packages.repositories"),
            (at, Value::Null, "spec.packages.repositories"),
            (at, twice, "duplicate entries for key [name=\"main\"]"),
            // Malformed URLs.
            (at, url("repositories.example/main"), "baseURL is an http or https URL"),
            (at, url("ftp://repositories.example/main"), "baseURL is an http or https URL"),
            (at, url("file:///srv/main"), "baseURL is an http or https URL"),
            (at, url("https:///main"), "baseURL is an http or https URL"),
            (at, url("https://repositories.example/fedora-$releasever/"), "without variables"),
            (
                at,
                url("https://repositories.example/main?arch=x86_64"),
                "without variables, query or fragment",
            ),
            (at, url("https://repositories.example/a b"), "baseURL is an http or https URL"),
            (at, url("https://repositories.example/main#a"), "without variables, query or fragment"),
            // More than one, and what dnf would take for another setting.
            (at, url("https://a.example/,https://b.example/"), "baseURL is an http or https URL"),
            (at, url("https://a.example/a\nproxy=http://b.example"), "baseURL is an http or https URL"),
            (at, url(""), element),
            // Credentials are told where they go.
            (at, url("https://me:secret@repositories.example/"), "put them into a Secret"),
            (at, url("https://token@repositories.example/"), "name it in credentialsSecret"),
            (
                at,
                repository("gpgKey", &json!("https://me:secret@keys.example/a")),
                "gpgKey must not hold credentials",
            ),
            (at, repository("gpgKey", &json!("/etc/pki/key")), "gpgKey is the https URL"),
            (at, repository("gpgKey", &json!("http://keys.example/a")), "gpgKey is the https URL"),
            (at, repository("caConfigMap", &json!("inhouse")), "caConfigMap"),
            ("spec.packages.pins", json!({"copr-cli": "1.2"}), "exact versions as [epoch:]version-release"),
            (
                "spec.packages.pins",
                json!({"copr-cli": "1.2-1,x"}),
                "exact versions as [epoch:]version-release",
            ),
            (at, repository("name", &json!("a b")), element),
            (at, repository("name", &json!("a]b")), element),
            (at, repository("name", &json!("")), element),
            (at, repository("priority", &json!(0)), "priority"),
            (at, repository("priority", &json!(100)), "priority"),
            (at, repository("credentialsSecret", &json!({"name": "x", "key": "y"})), "credentialsSecret.key"),
            (at, repository("gpgkey", &json!(URL)), "gpgkey"),
            ("spec.packages.baseImage", json!("docker://fedora:44"), "without a scheme"),
            ("spec.packages.baseImage", json!(""), "spec.packages.baseImage"),
            ("spec.packages.build.timeout", json!("soon"), "spec.packages.build.timeout"),
            ("spec.packages.build.timeout", json!("1s"), "between 10s and 24h"),
            ("spec.packages.build.isolation", json!("None"), "spec.packages.build.isolation"),
            (
                "spec.packages.build.pod.labels",
                json!({"app.kubernetes.io/part-of": "x"}),
                "pod.labels: app.kubernetes.io/",
            ),
            ("spec.packages.repository", json!([]), "spec.packages.repository"),
            // Registries.
            ("spec.registry.url", json!("https://quay.io/team"), "without a scheme"),
            ("spec.registry.url", json!("quay.io/team/"), "url is a host and path"),
            ("spec.registry.url", json!("me:secret@quay.io/team"), "url is a host and path"),
            ("spec.registry.url", json!("quay.io/Team"), "url is a host and path"),
            ("spec.registry.url", Value::Null, "spec.registry.url"),
            ("spec.registry.retention", json!("a week"), "spec.registry.retention"),
            ("spec.registry.retention", json!("0s"), "retention is a duration"),
            ("spec.registry.retention", json!("7d"), "spec.registry.retention"),
            ("spec.registry.deleteUnused", json!("always"), "spec.registry.deleteUnused"),
            ("spec.registry.pushSecret", json!("robot"), "spec.registry.pushSecret"),
            ("spec.registry.plainHTTP", json!(true), "spec.registry.plainHTTP"),
            // Both, and neither.
            ("spec.images.registry", json!("quay.io/copr"), "with packages, images.registry cannot be given"),
            ("spec.packages", Value::Null, "give packages to build images from"),
        ];
        all_refused::<CoprInstance>(&ctx, &instance(), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn requirements_may_not_be() -> Result<()> {
    with_namespace("requirements-refused", |ctx| async move {
        let changes = vec![
            ("spec.packages.require", json!({}), "require needs a commit, packages, commits or versions"),
            // A time alone requires nothing.
            (
                "spec.packages.require",
                json!({"timeout": "1h"}),
                "require needs a commit, packages, commits or versions",
            ),
            ("spec.packages.require", json!({"commits": {}}), "spec.packages.require.commits"),
            (
                "spec.packages.require",
                json!({"commits": {"copr-cli": []}}),
                "spec.packages.require.commits.copr-cli",
            ),
            (
                "spec.packages.require",
                json!({"commits": {"copr-cli": "5d37cd8"}}),
                "spec.packages.require.commits.copr-cli",
            ),
            (
                "spec.packages.require",
                json!({"commits": {"copr-cli": ["5d37cd"]}}),
                "spec.packages.require.commits.copr-cli[0]",
            ),
            (
                "spec.packages.require",
                json!({"commits": {"copr-cli": ["2.7-1.fc44"]}}),
                "spec.packages.require.commits.copr-cli[0]",
            ),
            (
                "spec.packages.require",
                json!({"commits": {"copr-cli": vec!["5d37cd8"; 9]}}),
                "spec.packages.require.commits.copr-cli",
            ),
            (
                "spec.packages.require",
                json!({"commit": "5d37cd8", "timeout": "1s"}),
                "timeout is a duration between 10s and 24h",
            ),
            (
                "spec.packages.require",
                json!({"commit": "5d37cd8", "timeout": "soon"}),
                "spec.packages.require.timeout",
            ),
            ("spec.packages.require", json!({"packages": {}}), "packages names at least one package"),
            ("spec.packages.require", json!({"packages": {"copr-cli": "5d37cd8 "}}), "commits of 7 to 40"),
            ("spec.packages.require", json!({"commit": "5d37cd"}), "spec.packages.require.commit"),
            ("spec.packages.require", json!({"commit": "HEAD~1234"}), "spec.packages.require.commit"),
            ("spec.packages.require", json!({"versions": {}}), "versions names at least one package"),
        ];
        all_refused::<CoprInstance>(&ctx, &instance(), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn what_is_left_out_of_packages_has_defaults_that_one_can_read() -> Result<()> {
    with_namespace("packages-defaults", |ctx| async move {
        let spec = apply::<CoprInstance>(&ctx, &instance(), true).await?.data["spec"].take();
        ensure!(spec["packages"]["baseImage"] == "registry.fedoraproject.org/fedora:44", "{spec}");
        ensure!(
            spec["packages"]["repositories"][0].get("priority").is_none(),
            "a list has to stay as it was applied: {spec}"
        );
        ensure!(
            spec["packages"]["build"] == json!({"isolation": "UserNamespace", "timeout": "30m", "pod": {}}),
            "{spec}"
        );
        ensure!(spec["registry"]["retention"] == "168h", "{spec}");
        // An object of the version before looks as it did: nothing is resolved again.
        ensure!(spec["registry"].get("deleteUnused").is_none(), "{spec}");
        Ok(())
    })
    .await
}
