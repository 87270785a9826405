//! API-server tests of `spec.source.packages` of a run: what is admitted, what is refused, and that it doesn't change.

use anyhow::{Result, ensure};
use copr_e2e::{
    admission::{all_admitted, all_refused, apply},
    fixtures::run_json,
    with_namespace,
};
use copr_operator_api::v1alpha1::CoprTestRun;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

const COMMIT: &str = "5d37cd838e4b1f6a2c0d9e8f7a6b5c4d3e2f1a0b";

/// A run of a pull request's packages.
fn run() -> Value {
    let mut run = run_json("run");
    run["spec"]["instance"] = json!({"template": {
        "packages": {"repositories": [{"name": "main", "baseURL": "https://repositories.example/main/"}]},
        "registry": {"url": "quay.io/team"},
        "chroots": ["fedora-44-x86_64"],
    }});
    run["spec"]["source"] =
        json!({"repository": "fedora-copr/copr", "commit": COMMIT, "pullRequest": 4305, "packages": {}});
    run
}

fn packages(field: &str, value: &Value) -> Value {
    let mut packages = json!({"folders": {"copr-cli": "cli"}});
    packages[field] = value.clone();
    packages
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn packages_of_a_source_may_be() -> Result<()> {
    with_namespace("source-admitted", |ctx| async move {
        let changes = vec![
            ("spec.source.commit", Value::Null),
            ("spec.source.commit", json!("a".repeat(64))),
            ("spec.source.pullRequest", Value::Null),
            ("spec.source.repository", json!("somebody/copr")),
            ("spec.source.packages", packages("waitTimeout", &json!("1h30m"))),
            ("spec.source.packages", packages("tokenSecret", &json!({"name": "robot"}))),
            ("spec.source.packages", packages("caConfigMap", &json!({"name": "inhouse"}))),
            ("spec.source.packages", packages("apiURL", &json!("https://github.example.org/api/v3"))),
            ("spec.source.packages", packages("folders", &json!({"copr-builder": "rpmbuild", "x": "a/b-c"}))),
            // Without packages a source is anything.
            ("spec.source", json!({"commit": "HEAD"})),
        ];
        all_admitted::<CoprTestRun>(&ctx, &run(), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn packages_of_a_source_may_not_be() -> Result<()> {
    with_namespace("source-refused", |ctx| async move {
        let prebuilt =
            json!({"template": {"images": {"registry": "quay.io/copr"}, "chroots": ["fedora-44-x86_64"]}});
        let at = "spec.source.packages";
        let changes = vec![
            (
                "spec.instance",
                json!({"name": "copr"}),
                "source.packages needs instance.template with packages",
            ),
            ("spec.instance", prebuilt, "source.packages needs instance.template with packages"),
            ("spec.source.repository", Value::Null, "source.packages needs source.repository as owner/name"),
            (
                "spec.source.repository",
                json!("copr"),
                "source.packages needs source.repository as owner/name",
            ),
            (
                "spec.source.repository",
                json!("https://github.com/fedora-copr/copr"),
                "source.packages needs source.repository as owner/name",
            ),
            ("spec.source.repository", json!("fedora-copr/other"), "source.packages.folders is needed"),
            ("spec.source.commit", json!("5d37cd838"), "source.packages needs the whole hash of the commit"),
            ("spec.source.commit", json!("main"), "source.packages needs the whole hash of the commit"),
            (
                "spec.source",
                json!({"repository": "fedora-copr/copr", "packages": {}}),
                "source.packages needs source.commit, source.pullRequest, or both",
            ),
            (at, packages("waitTimeout", &json!("1s")), "waitTimeout is a duration between 10s and 24h"),
            (at, packages("waitTimeout", &json!("soon")), "spec.source.packages.waitTimeout"),
            (at, packages("apiURL", &json!("ftp://api.example.org")), "spec.source.packages.apiURL"),
            (
                at,
                packages("apiURL", &json!("https://me:word@api.example.org")),
                "spec.source.packages.apiURL",
            ),
            (at, packages("token", &json!("ghp_x")), "spec.source.packages.token"),
            (at, packages("folders", &json!({})), "spec.source.packages.folders"),
            (
                at,
                packages("folders", &json!({"copr-cli": "../cli"})),
                "spec.source.packages.folders.copr-cli",
            ),
            (at, packages("folders", &json!({"copr-cli": "/cli"})), "spec.source.packages.folders.copr-cli"),
            (at, packages("folders", &json!({"copr-cli": ""})), "spec.source.packages.folders.copr-cli"),
            (at, packages("folders", &json!({"a b": "cli"})), "the keys of folders are names of packages"),
        ];
        all_refused::<CoprTestRun>(&ctx, &run(), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn what_a_run_looks_up_does_not_change_under_it() -> Result<()> {
    with_namespace("source-changed", |ctx| async move {
        let spec = apply::<CoprTestRun>(&ctx, &run(), false).await?.data["spec"].take();
        ensure!(spec["source"]["packages"] == json!({"waitTimeout": "2h"}), "{spec}");
        let change = async |patch: Value| {
            let runs = ctx.api::<CoprTestRun>();
            runs.patch("run", &PatchParams::default(), &Patch::Merge(json!({"spec": patch}))).await
        };
        for patch in [
            json!({"source": {"commit": "a".repeat(40)}}),
            json!({"source": {"packages": null}}),
            json!({"source": {"packages": {"waitTimeout": "3h"}}}),
            json!({"source": null}),
        ] {
            let refused = change(patch.clone()).await;
            let said = refused.err().map(|error| error.to_string()).unwrap_or_default();
            ensure!(said.contains("source.packages cannot change once the run exists"), "{patch}: {said}");
        }
        change(json!({"cancel": true})).await?;
        Ok(())
    })
    .await
}
