//! Builds that are interrupted, and those that are no longer wanted.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{
    Site, fixtures, leftovers, packaged,
    site::{a_build_runs, builds, exactly},
    with_namespace,
};
use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun, ImageState, Phase};
use k8s_openapi::api::core::v1::Pod;
use kube::api::EvictParams;

use super::SOON;

const GONE: Duration = Duration::from_secs(2 * 60);

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_build_whose_pod_is_evicted_still_ends_with_its_image() -> Result<()> {
    with_namespace("evicted", |ctx| async move {
        let site = Site::new(&ctx).await?;
        let spec = packaged::without_pods(site.spec(&["redis"])?);
        ctx.create(&fixtures::instance("copr", spec)).await?;
        let pod = a_build_runs(&ctx).await?;
        let evicted = ctx.api::<Pod>().evict(&pod, &EvictParams::default()).await;
        evicted.with_context(|| format!("failed to evict {pod}"))?;
        ctx.until_gone::<Pod>(&pod, SOON).await?;

        let copr = site.images_of("copr").await?;
        exactly(&copr, ImageState::Pushed, &["base", "redis"])?;
        let jobs = builds(&ctx, "copr").await?;
        ensure!(jobs.len() == 2, "not one Job for each image: {jobs:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_run_cancelled_while_images_are_built_stops_the_builds_and_leaves_nothing() -> Result<()> {
    with_namespace("cancelled-build", |ctx| async move {
        let site = Site::new(&ctx).await?;
        ctx.create(&fixtures::run("smoke", site.spec(&["redis"])?, &["auth"])).await?;
        let is_building = |run: &CoprTestRun| fixtures::phase(run) == Phase::Building;
        ctx.until::<CoprTestRun>("smoke", "Building", SOON, is_building).await?;
        a_build_runs(&ctx).await?;
        ctx.cancel("smoke").await?;
        let run = ctx.until::<CoprTestRun>("smoke", "finished", GONE, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Cancelled, "{:?}", run.status);
        ctx.until_gone::<CoprInstance>("smoke", GONE).await?;
        ctx.delete::<CoprTestRun>("smoke", GONE).await?;
        leftovers(&ctx, GONE).await
    })
    .await
}
