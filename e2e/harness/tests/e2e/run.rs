//! A run, from apply to verdict to nothing.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, kstatus, leftovers, with_namespace};
use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun, Outcome, Phase};
use k8s_openapi::api::core::v1::ConfigMap;

const RUN: Duration = Duration::from_secs(15 * 60);
const START: Duration = Duration::from_secs(5 * 60);
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
