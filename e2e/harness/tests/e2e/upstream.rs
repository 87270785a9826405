//! The suite `upstream`: scripts of a git repository, each judged by its journal, and what is made of that.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, with_namespace};
use copr_operator_api::v1alpha1::{
    CoprTestRun, ExpectedFailure, Outcome, Phase, SuiteGit, SuiteName, TestStatus,
};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service};
use serde_json::{Value, json};

const START: Duration = Duration::from_secs(120);
const RUN: Duration = Duration::from_secs(9 * 60);

const SCRIPTS: [(&str, &str); 3] = [
    ("runtest-builds.sh", include_str!("upstream/runtest-builds.sh")),
    ("runtest-breaks.sh", include_str!("upstream/runtest-breaks.sh")),
    ("runtest-leaves.sh", include_str!("upstream/runtest-leaves.sh")),
];
/// Makes a repository of the scripts, in the folder where Copr's has them, and serves it.
const SERVE: &str = "
set -e
folder=/tmp/git/copr/beaker-tests/Sanity/copr-cli-basic-operations
mkdir -p $folder
cp /scripts/*.sh $folder
cd /tmp/git/copr
git init --quiet --initial-branch main
git add .
git -c user.name=e2e -c user.email=e2e@localhost commit --quiet --message scripts
exec git daemon --reuseaddr --export-all --base-path=/tmp/git
";

fn of_kind<K: serde::de::DeserializeOwned>(object: Value) -> Result<K> {
    serde_json::from_value(object).context("not an object of its kind")
}

/// A git server with the scripts, by the name `git`.
async fn serve_scripts(ctx: &Context) -> Result<()> {
    let images = fixtures::images();
    let data: serde_json::Map<_, _> =
        SCRIPTS.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
    ctx.create(&of_kind::<ConfigMap>(json!({"metadata": {"name": "scripts"}, "data": data}))?).await?;
    let service =
        json!({"metadata": {"name": "git"}, "spec": {"selector": {"app": "git"}, "ports": [{"port": 9418}]}});
    ctx.create(&of_kind::<Service>(service)?).await?;
    let pod = json!({
        "metadata": {"name": "git", "labels": {"app": "git"}},
        "spec": {
            "containers": [{
                "name": "git",
                "image": format!("{}/copr-sanity-upstream:{}", images.registry.unwrap_or_default(), images.tag),
                "command": ["bash", "-c", SERVE],
                "volumeMounts": [{"name": "scripts", "mountPath": "/scripts"}],
                "readinessProbe": {"tcpSocket": {"port": 9418}},
            }],
            "volumes": [{"name": "scripts", "configMap": {"name": "scripts"}}],
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

fn upstream(ctx: &Context, name: &str) -> CoprTestRun {
    let mut run = fixtures::run_against(name, "copr", &[]);
    run.spec.suite.name = SuiteName::Upstream;
    let url = format!("git://git.{}.svc/copr", ctx.namespace);
    run.spec.suite.git = Some(SuiteGit { url, reference: Some("main".into()), path: None });
    run.spec.suite.retries = 0;
    run
}

fn test<'a>(run: &'a CoprTestRun, name: &str) -> Result<&'a TestStatus> {
    let test = fixtures::tests(run).iter().find(|test| test.name == name);
    test.with_context(|| format!("no {name} in {:?}", run.status))
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn each_script_has_a_verdict_and_what_was_red_is_run_again() -> Result<()> {
    with_namespace("upstream", |ctx| async move {
        serve_scripts(&ctx).await?;
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        ctx.create(&upstream(&ctx, "first")).await?;
        let first = ctx.until::<CoprTestRun>("first", "finished", RUN, fixtures::finished).await?;
        let suite = first.status.as_ref().and_then(|status| status.suite.clone()).context("no suite")?;
        ensure!(suite.name == "upstream" && suite.tests == 3, "{suite:?}");
        ensure!(suite.commit.is_some_and(|commit| commit.len() == 40), "the commit of the scripts is known");

        let builds = test(&first, "runtest-builds")?;
        ensure!(builds.outcome == Outcome::Passed, "{builds:?}");
        let breaks = test(&first, "runtest-breaks")?;
        ensure!(breaks.outcome == Outcome::Failed && breaks.fingerprint.is_some(), "{breaks:?}");
        let part = breaks.results.first().context("no part that failed")?;
        ensure!(part.name.contains("projects"), "{breaks:?}");
        let leaves = test(&first, "runtest-leaves")?;
        ensure!(leaves.outcome == Outcome::Error, "{leaves:?}");
        ensure!(leaves.reason.as_deref() == Some("JournalIncomplete"), "{leaves:?}");
        ensure!(fixtures::phase(&first) == Phase::Failed, "{:?}", first.status);

        let mut again = upstream(&ctx, "again");
        again.spec.rerun_of = Some("first".into());
        again.spec.suite.expected_failures = vec![ExpectedFailure {
            test: "runtest-breaks".into(),
            result: Some(part.name.clone()),
            reason: "known".into(),
            expires: None,
        }];
        ctx.create(&again).await?;
        let again = ctx.until::<CoprTestRun>("again", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::tests(&again).len() == 2, "{:?}", again.status);
        let same = test(&again, "runtest-breaks")?;
        ensure!(same.outcome == Outcome::ExpectedFailure, "{same:?}");
        ensure!(same.fingerprint == breaks.fingerprint, "another failure: {same:?} {breaks:?}");
        // What has no verdict is nobody's known failure.
        ensure!(fixtures::phase(&again) == Phase::Error, "{:?}", again.status);
        Ok(())
    })
    .await
}
