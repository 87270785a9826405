//! The suite `tmt`: tests of a folder of a git repository, each with a verdict.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, with_namespace};
use copr_operator_api::v1alpha1::{CoprTestRun, Outcome, Phase, SuiteGit, SuiteName, TestStatus};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service};
use serde_json::{Value, json};

const START: Duration = Duration::from_secs(120);
const RUN: Duration = Duration::from_secs(9 * 60);

const METADATA: &str = include_str!("tmt/main.fmf");
/// Makes a repository with the metadata in a folder of it, and serves it.
const SERVE: &str = "
set -e
mkdir -p /tmp/git/tests/checks/tmt/.fmf
cd /tmp/git/tests
echo 1 > checks/tmt/.fmf/version
cp /metadata/main.fmf checks/tmt/
git init --quiet --initial-branch main
git add .
git -c user.name=e2e -c user.email=e2e@localhost commit --quiet --message tests
exec git daemon --reuseaddr --export-all --base-path=/tmp/git
";

fn of_kind<K: serde::de::DeserializeOwned>(object: Value) -> Result<K> {
    serde_json::from_value(object).context("not an object of its kind")
}

/// A git server with the metadata, by the name `git`.
async fn serve_metadata(ctx: &Context) -> Result<()> {
    let images = fixtures::images();
    let map = json!({"metadata": {"name": "metadata"}, "data": {"main.fmf": METADATA}});
    ctx.create(&of_kind::<ConfigMap>(map)?).await?;
    let service =
        json!({"metadata": {"name": "git"}, "spec": {"selector": {"app": "git"}, "ports": [{"port": 9418}]}});
    ctx.create(&of_kind::<Service>(service)?).await?;
    let pod = json!({
        "metadata": {"name": "git", "labels": {"app": "git"}},
        "spec": {
            "containers": [{
                "name": "git",
                "image": format!("{}/copr-sanity-tmt:{}", images.registry.unwrap_or_default(), images.tag),
                "command": ["bash", "-c", SERVE],
                "volumeMounts": [{"name": "metadata", "mountPath": "/metadata"}],
                "readinessProbe": {"tcpSocket": {"port": 9418}},
            }],
            "volumes": [{"name": "metadata", "configMap": {"name": "metadata"}}],
        },
    });
    ctx.create(&of_kind::<Pod>(pod)?).await?;
    let is_ready = |pod: &Pod| {
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
        conditions.is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
    };
    ctx.until::<Pod>("git", "ready", START, is_ready).await?;
    Ok(())
}

fn test<'a>(run: &'a CoprTestRun, name: &str) -> Result<&'a TestStatus> {
    let test = fixtures::tests(run).iter().find(|test| test.name == name);
    test.with_context(|| format!("no {name} in {:?}", run.status))
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn each_tmt_test_has_a_verdict() -> Result<()> {
    with_namespace("tmt", |ctx| async move {
        serve_metadata(&ctx).await?;
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        let mut run = fixtures::run_against("run", "copr", &[]);
        run.spec.suite.name = SuiteName::Tmt;
        run.spec.suite.git = Some(SuiteGit {
            url: format!("git://git.{}.svc/tests", ctx.namespace),
            reference: Some("main".into()),
            path: Some("checks/tmt".into()),
        });
        run.spec.suite.retries = 0;
        ctx.create(&run).await?;
        let run = ctx.until::<CoprTestRun>("run", "finished", RUN, fixtures::finished).await?;
        let suite = run.status.as_ref().and_then(|status| status.suite.clone()).context("no suite")?;
        ensure!(suite.name == "tmt" && suite.tests == 3, "{suite:?}");
        ensure!(suite.commit.is_some_and(|commit| commit.len() == 40), "the commit of the tests is known");

        let asks = test(&run, "/asks")?;
        ensure!(asks.outcome == Outcome::Passed, "{asks:?}");
        let fails = test(&run, "/fails")?;
        ensure!(fails.outcome == Outcome::Failed && fails.fingerprint.is_some(), "{fails:?}");
        let breaks = test(&run, "/breaks")?;
        ensure!(breaks.outcome == Outcome::Error, "{breaks:?}");
        ensure!(breaks.reason.as_deref() == Some("TestBroken"), "{breaks:?}");
        ensure!(
            breaks.message.as_deref().is_some_and(|said| said.contains("nothing to test with")),
            "{breaks:?}"
        );
        ensure!(fixtures::phase(&run) == Phase::Failed, "{:?}", run.status);
        Ok(())
    })
    .await
}
