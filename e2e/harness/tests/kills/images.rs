//! While something that a build needs is away, the build waits for it, and is not made twice.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{
    Context, Site, cluster, fixtures, packaged,
    site::{BUILD, a_build_runs, builds, exactly},
    with_namespace,
};
use copr_operator_api::{
    labels,
    v1alpha1::{CoprInstance, ImageState},
};
use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::{api::LogParams, runtime::watcher};

const SOON: Duration = Duration::from_secs(60);
const AWAY: Duration = Duration::from_secs(3 * 60);

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn the_operator_killed_during_a_build_and_away_when_it_ends() -> Result<()> {
    with_namespace("kill-building", |ctx| async move {
        let site = Site::new(&ctx).await?;
        let spec = packaged::without_pods(site.spec(&["keygen"])?);
        ctx.create(&fixtures::instance("copr", spec)).await?;
        ctx.until::<CoprInstance>("copr", "looked at", SOON, |copr| copr.status.is_some()).await?;
        ctx.operator().kill().await?;
        a_build_runs(&ctx).await?;
        ctx.operator().scale(0).await?;
        a_build_ends(&ctx).await?;
        ctx.operator().scale(1).await?;
        is_built_by_two_jobs(&ctx, &site).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn the_registry_down_while_images_are_built() -> Result<()> {
    with_namespace("kill-registry", |ctx| async move {
        let site = Site::new(&ctx).await?;
        let spec = packaged::without_pods(site.spec(&["keygen"])?);
        ctx.create(&fixtures::instance("copr", spec)).await?;
        let pod = a_build_runs(&ctx).await?;
        let away = cluster::away("registry")?;
        // Its pauses grow, so that it has been trying for half a minute by then.
        says(&ctx, &pod, "failed; again in 15 s").await?;
        let waits = packaged::waits("base", &["connection refused"]);
        ctx.until("copr", "told for what it waits", SOON, waits).await?;
        drop(away);
        is_built_by_two_jobs(&ctx, &site).await
    })
    .await
}

async fn a_build_ends(ctx: &Context) -> Result<()> {
    let builds = watcher::Config::default().labels(&format!("{}={}", labels::COMPONENT, labels::IMAGE_BUILD));
    let ended = |job: &Job| job.status.as_ref().is_some_and(|status| status.succeeded == Some(1));
    ctx.until_any(builds, "a Job that ended well", BUILD, ended).await?;
    Ok(())
}

async fn is_built_by_two_jobs(ctx: &Context, site: &Site) -> Result<()> {
    let copr = site.images_of("copr").await?;
    exactly(&copr, ImageState::Pushed, &["base", "keygen"])?;
    let jobs = builds(ctx, "copr").await?;
    ensure!(jobs.len() == 2, "not one Job for each image: {jobs:?}");
    Ok(())
}

/// Reads the log of a pod until it has the text.
async fn says(ctx: &Context, pod: &str, text: &str) -> Result<()> {
    let params = LogParams { follow: true, ..LogParams::default() };
    let log = ctx.api::<Pod>().log_stream(pod, &params).await;
    let mut lines = log.with_context(|| format!("failed to read the log of {pod}"))?.lines();
    let read = async {
        while let Some(line) = lines.try_next().await? {
            if line.contains(text) {
                return Ok(());
            }
        }
        anyhow::bail!("the log of {pod} ended")
    };
    tokio::time::timeout(AWAY, read).await.with_context(|| format!("{pod} doesn't say '{text}'"))?
}
