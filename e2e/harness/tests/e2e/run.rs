//! A run, from apply to verdict to nothing.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, kstatus, leftovers, with_namespace};
use copr_operator_api::{
    labels,
    v1alpha1::{CoprInstance, CoprTestRun, Outcome, Phase},
};
use copr_operator_kernel::conditions;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::{ResourceExt, api::ListParams};

const RUN: Duration = Duration::from_secs(15 * 60);
const START: Duration = Duration::from_secs(5 * 60);
const SOON: Duration = Duration::from_secs(60);
const GONE: Duration = Duration::from_secs(2 * 60);

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_run_by_template_passes_every_test_and_leaves_nothing() -> Result<()> {
    with_namespace("run", |ctx| async move {
        ctx.create(&fixtures::run("smoke", fixtures::instance_spec(), &[])).await?;
        let provisioning = |run: &CoprTestRun| fixtures::phase(run) == Phase::Provisioning;
        let run = ctx.until::<CoprTestRun>("smoke", "provisioning", START, provisioning).await?;
        ensure!(kstatus(&run)? == "InProgress", "{:?}", run.status);
        let run = ctx.until::<CoprTestRun>("smoke", "finished", RUN, fixtures::finished).await?;
        ensure!(kstatus(&run)? == "Current", "{:?}", run.status);

        for test in fixtures::tests(&run) {
            ensure!(
                test.outcome == Outcome::Passed,
                "{} is {:?}: {:?}",
                test.name,
                test.outcome,
                test.message
            );
        }
        ensure!(fixtures::phase(&run) == Phase::Passed, "{:?}", run.status);
        ensure!(fixtures::tests(&run).len() == 9, "the suite has {} tests", fixtures::tests(&run).len());
        summary_counts_the_tests(&run)?;
        timestamps_are_in_order(&run)?;
        junit_says_the_same(&ctx, &run).await?;

        ctx.delete::<CoprTestRun>("smoke", GONE).await?;
        leftovers(&ctx, GONE).await
    })
    .await
}

fn summary_counts_the_tests(run: &CoprTestRun) -> Result<()> {
    let status = run.status.as_ref().context("no status")?;
    let summary = status.summary.context("no summary")?;
    ensure!((summary.total, summary.passed) == (9, 9), "{summary:?}");
    ensure!((summary.failed, summary.skipped, summary.error) == (0, 0, 0), "{summary:?}");
    ensure!(!status.images.is_empty(), "no images");
    for (component, image) in &status.images {
        ensure!(image.contains("@sha256:"), "the image of {component} is not given by digest: {image}");
    }
    Ok(())
}

fn timestamps_are_in_order(run: &CoprTestRun) -> Result<()> {
    let times = run.status.clone().unwrap_or_default().timestamps;
    let in_order = [
        ("started", times.started),
        ("imagesReady", times.images_ready),
        ("instanceReady", times.instance_ready),
        ("firstTest", times.first_test),
        ("finished", times.finished),
    ];
    let mut before = None;
    for (name, time) in in_order {
        let time = time.with_context(|| format!("no timestamp {name}"))?.0;
        ensure!(before <= Some(time), "{name} is {time}, before {before:?}");
        before = Some(time);
    }
    Ok(())
}

async fn junit_says_the_same(ctx: &Context, run: &CoprTestRun) -> Result<()> {
    let name = run
        .status
        .as_ref()
        .and_then(|status| status.junit.clone())
        .context("no name of the JUnit ConfigMap")?;
    let map = ctx.api::<ConfigMap>().get(&name).await.context("failed to get the JUnit ConfigMap")?;
    let xml = map.data.unwrap_or_default().remove("junit.xml").context("no key junit.xml")?;
    let document = roxmltree::Document::parse(&xml).with_context(|| format!("not XML: {xml}"))?;
    let count = |tag| document.descendants().filter(|node| node.has_tag_name(tag)).count();
    ensure!(count("testcase") == 9 && count("failure") == 0 && count("error") == 0, "{xml}");
    for test in fixtures::tests(run) {
        let case = document.descendants().find(|node| node.attribute("name") == Some(&test.name));
        ensure!(case.is_some_and(|case| case.has_tag_name("testcase")), "{} isn't in {xml}", test.name);
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_run_deleted_before_its_instance_is_ready_leaves_nothing() -> Result<()> {
    with_namespace("deleted-early", |ctx| async move {
        ctx.create(&fixtures::run("smoke", fixtures::instance_spec(), &[])).await?;
        ctx.until::<CoprInstance>("smoke", "there", START, |_| true).await?;
        ctx.delete::<CoprTestRun>("smoke", GONE).await?;
        leftovers(&ctx, GONE).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_run_deleted_while_its_tests_run_leaves_nothing() -> Result<()> {
    with_namespace("deleted-late", |ctx| async move {
        ctx.create(&fixtures::run("smoke", fixtures::instance_spec(), &["parallel-builds"])).await?;
        let running =
            |run: &CoprTestRun| fixtures::tests(run).iter().any(|test| test.outcome == Outcome::Running);
        ctx.until::<CoprTestRun>("smoke", "running a test", START, running).await?;
        ctx.delete::<CoprTestRun>("smoke", GONE).await?;
        leftovers(&ctx, GONE).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_cancelled_run_ends_soon_and_its_instance_goes() -> Result<()> {
    with_namespace("cancelled", |ctx| async move {
        ctx.create(&fixtures::run("smoke", fixtures::instance_spec(), &["build-spec"])).await?;
        ctx.until::<CoprInstance>("smoke", "there", START, |_| true).await?;
        ctx.cancel("smoke").await?;
        let run = ctx.until::<CoprTestRun>("smoke", "finished", GONE, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Cancelled, "{:?}", run.status);
        ctx.until_gone::<CoprInstance>("smoke", GONE).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn two_runs_that_begin_together_and_need_every_builder_take_turns() -> Result<()> {
    with_namespace("turns", |ctx| async move {
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        let ready = |instance: &CoprInstance| {
            let status = instance.status.clone().unwrap_or_default();
            conditions::is_true(&status.conditions, "Ready")
        };
        ctx.until::<CoprInstance>("copr", "ready", START, ready).await?;
        // More than two: who comes first is chance.
        let names = ["a", "b", "c", "d"];
        let runs: Vec<_> =
            names.iter().map(|name| fixtures::run_against(name, "copr", &["parallel-builds"])).collect();
        futures::future::try_join_all(runs.iter().map(|run| ctx.create(run))).await?;
        let said = |run: &CoprTestRun| {
            let status = run.status.clone().unwrap_or_default();
            let waits = conditions::get(&status.conditions, "Succeeded")
                .is_some_and(|c| c.message.contains("runs alone"));
            waits || fixtures::tests(run).iter().any(|test| test.outcome == Outcome::Running)
        };
        for name in names {
            ctx.until::<CoprTestRun>(name, "running, or telling for what it waits", SOON, said).await?;
        }
        let query = ListParams::default().labels(labels::TEST);
        let pods: Vec<_> = ctx.api::<Pod>().list(&query).await?.iter().map(ResourceExt::name_any).collect();
        ensure!(pods.len() == 1, "not one test at a time: {pods:?}");
        for name in names {
            ctx.cancel(name).await?;
        }
        for name in names {
            ctx.until::<CoprTestRun>(name, "finished", GONE, fixtures::finished).await?;
        }
        Ok(())
    })
    .await
}
