//! API-server tests of `spec.report` of a run: what is admitted, what is refused, that its status is written by a field manager of its own.

use anyhow::{Result, ensure};
use copr_e2e::{
    admission::{all_admitted, all_refused, apply},
    fixtures::run_json,
    with_namespace,
};
use copr_operator_api::v1alpha1::CoprTestRun;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

const COMMIT: &str = "5d37cd838e4b1f6a2c0d9e8f7a6b5c4d3e2f1a0b";

fn reported() -> Value {
    let mut run = run_json("run");
    run["spec"]["source"] = json!({"repository": "fedora-copr/copr", "commit": COMMIT, "pullRequest": 4305});
    run["spec"]["report"] = json!({
        "forge": {"tokenSecret": {"name": "robot"}, "comment": true},
        "webhook": {"url": "https://hooks.example.org/copr?key=1"},
    });
    run
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_report_may_be() -> Result<()> {
    with_namespace("report-admitted", |ctx| async move {
        let token = json!({"name": "robot"});
        let changes = vec![
            ("spec.report.webhook", Value::Null),
            ("spec.report.forge", Value::Null),
            ("spec.report", Value::Null),
            ("spec.source.commit", json!("a".repeat(64))),
            ("spec.report.forge", json!({"appSecret": {"name": "app"}, "apiURL": "https://github.example.org/api/v3"})),
            ("spec.report.forge", json!({"type": "Forgejo", "tokenSecret": token, "apiURL": "http://forge.team.svc:3000/api/v1", "comment": true})),
            ("spec.report.forge", json!({"type": "GitLab", "tokenSecret": token, "apiURL": "https://gitlab.com/api/v4", "repository": "a/b/c"})),
            ("spec.report.forge.context", json!("CI / sanity rawhide")),
            ("spec.report.forge.detailsURL", json!("https://console.example.org/#/runs?name=a@b")),
            ("spec.report.forge.caConfigMap", json!({"name": "ca"})),
            ("spec.report.webhook.signingSecret", json!({"name": "hook"})),
        ];
        all_admitted::<CoprTestRun>(&ctx, &reported(), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_report_may_not_be() -> Result<()> {
    with_namespace("report-refused", |ctx| async move {
        let token = json!({"name": "robot"});
        let gitlab = json!({"type": "GitLab", "tokenSecret": token, "apiURL": "https://gitlab.com/api/v4", "comment": true});
        let changes = vec![
            ("spec.report", json!({}), "report needs forge, webhook, or both"),
            ("spec.report.github", json!({}), "spec.report.github"),
            ("spec.report.forge", json!({}), "either tokenSecret or appSecret"),
            ("spec.report.forge.appSecret", json!({"name": "app"}), "either tokenSecret or appSecret"),
            ("spec.report.forge.token", json!("ghp_x"), "spec.report.forge.token"),
            ("spec.report.forge.type", json!("Gerrit"), "spec.report.forge.type"),
            ("spec.report.forge.type", json!("Forgejo"), "report.forge.apiURL is needed"),
            (
                "spec.report.forge",
                json!({"type": "Forgejo", "appSecret": {"name": "app"}, "apiURL": "https://codeberg.org/api/v1"}),
                "report.forge.appSecret is for GitHub",
            ),
            ("spec.report.forge", gitlab, "report.forge.comment is for GitHub and Forgejo"),
            ("spec.report.forge.apiURL", json!("ftp://api.example.org"), "spec.report.forge.apiURL"),
            ("spec.report.forge.apiURL", json!("https://user:word@api.example.org"), "spec.report.forge.apiURL"),
            ("spec.report.forge.repository", json!("copr"), "spec.report.forge.repository"),
            ("spec.report.forge.repository", json!("../copr"), "spec.report.forge.repository"),
            ("spec.report.forge.context", json!("-->"), "spec.report.forge.context"),
            ("spec.report.forge.context", json!(""), "spec.report.forge.context"),
            ("spec.report.forge.detailsURL", json!("javascript:alert(1)"), "spec.report.forge.detailsURL"),
            ("spec.report.webhook.url", json!("hooks.example.org"), "spec.report.webhook.url"),
            ("spec.report.webhook.url", Value::Null, "spec.report.webhook.url"),
            // What is to be told, and where, is in the source.
            ("spec.source", Value::Null, "source.commit"),
            ("spec.source.commit", json!("5d37cd838"), "source.commit"),
            ("spec.source.commit", json!(COMMIT.to_uppercase()), "source.commit"),
            ("spec.source.repository", Value::Null, "source.repository"),
            ("spec.source.repository", json!("https://github.com/fedora-copr/copr"), "source.repository"),
            ("spec.source.pullRequest", Value::Null, "source.pullRequest"),
        ];
        all_refused::<CoprTestRun>(&ctx, &reported(), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_report_has_defaults_that_one_can_read() -> Result<()> {
    with_namespace("report-defaults", |ctx| async move {
        let run = apply::<CoprTestRun>(&ctx, &reported(), true).await?;
        let forge = &run.data["spec"]["report"]["forge"];
        ensure!(forge["type"] == "GitHub" && forge["context"] == "copr-operator/sanity", "{forge}");
        Ok(())
    })
    .await
}

/// Two controllers write the status of a run: neither takes away what the other has written.
#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn reports_and_verdict_share_a_status() -> Result<()> {
    with_namespace("report-status", |ctx| async move {
        apply::<CoprTestRun>(&ctx, &reported(), false).await?;
        let condition = |type_: &str, reason: &str| {
            json!({"type": type_, "status": "Unknown", "reason": reason, "message": "",
                "lastTransitionTime": "2026-11-26T00:00:00Z"})
        };
        let mut run = ctx.api::<CoprTestRun>().get("run").await?;
        let status = json!({"phase": "Running", "conditions": [condition("Succeeded", "Running")]});
        run.status = Some(serde_json::from_value(status)?);
        ctx.api::<CoprTestRun>().replace_status("run", &PostParams::default(), &run).await?;
        let report = |state: &str| {
            json!({
                "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprTestRun", "metadata": {"name": "run"},
                "status": {
                    "conditions": [condition("Reported", state)],
                    "reports": [{"target": "CommitStatus", "state": state, "event": "Started", "digest": "0"}],
                },
            })
        };
        let params = PatchParams::apply("copr-operator-feedback").force();
        let runs = ctx.api::<CoprTestRun>();
        runs.patch_status("run", &params, &Patch::Apply(report("Waiting"))).await?;
        let mut run = runs.get("run").await?;
        if let Some(status) = &mut run.status {
            status.phase = copr_operator_api::v1alpha1::Phase::Passed;
        }
        runs.replace_status("run", &PostParams::default(), &run).await?;
        runs.patch_status("run", &params, &Patch::Apply(report("Delivered"))).await?;
        let status = serde_json::to_value(runs.get("run").await?.status)?;
        ensure!(status["phase"] == "Passed", "{status}");
        ensure!(status["conditions"].as_array().is_some_and(|all| all.len() == 2), "{status}");
        ensure!(status["reports"].as_array().is_some_and(|all| all.len() == 1), "{status}");
        ensure!(status["reports"][0]["state"] == "Delivered", "{status}");
        Ok(())
    })
    .await
}
