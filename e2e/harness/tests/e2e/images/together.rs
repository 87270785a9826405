//! Several instances that need the same image at once.

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{
    Context, Site, fixtures, packaged,
    site::{BUILD, builds},
    with_namespace,
};
use copr_operator_api::v1alpha1::{CoprInstance, ImageState};

use super::SOON;

/// The first one's build is lost with it, so that the two that waited have to agree on who builds.
#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn of_three_instances_one_builds_at_a_time_and_those_that_wait_outlive_it() -> Result<()> {
    with_namespace("together-a", |a| async move {
        with_namespace("together-b", |b| async move {
            with_namespace("together-c", |c| async move { Box::pin(share(&a, &b, &c)).await }).await
        })
        .await
    })
    .await
}

async fn share(a: &Context, b: &Context, c: &Context) -> Result<()> {
    let site = Site::new(a).await?;
    let spec = packaged::without_pods(site.spec(&["keygen"])?);
    a.create(&fixtures::instance("first", spec.clone())).await?;
    let building = |instance: &CoprInstance| packaged::state(instance, "base") == Some(ImageState::Building);
    a.until("first", "building", SOON, building).await?;
    for (ctx, name) in [(b, "second"), (c, "third")] {
        ctx.create(&fixtures::instance(name, spec.clone())).await?;
        waits(ctx, name, &a.namespace).await?;
    }

    a.delete::<CoprInstance>("first", SOON).await?;
    let second = b.until("second", "provided", BUILD, packaged::are_ready).await?;
    let third = c.until("third", "provided", BUILD, packaged::are_ready).await?;
    for component in ["base", "keygen"] {
        let states = [packaged::state(&second, component), packaged::state(&third, component)];
        let one = states.contains(&Some(ImageState::Pushed)) && states.contains(&Some(ImageState::Reused));
        ensure!(one, "{component}: {states:?}");
        let images = [&second, &third].map(|of| packaged::image(of, component).and_then(|i| i.image.clone()));
        ensure!(images[0] == images[1], "{component}: {images:?}");
    }
    let jobs = [builds(b, "second").await?, builds(c, "third").await?].concat();
    ensure!(jobs.len() == 2, "not one Job for each image: {jobs:?}");
    ensure!(builds(a, "first").await?.is_empty(), "the builds of a deleted instance are still there");
    Ok(())
}

/// Nobody learns whose build it is.
async fn waits(ctx: &Context, name: &str, of_others: &str) -> Result<()> {
    let waits = |instance: &CoprInstance| {
        packaged::image(instance, "base").is_some_and(|image| {
            let said = image.message.as_deref().unwrap_or_default();
            image.state == ImageState::Queued
                && said.contains("another instance")
                && !said.contains(of_others)
        })
    };
    ctx.until(name, "waiting for another instance", SOON, waits)
        .await
        .context("it doesn't say that it waits")?;
    Ok(())
}
