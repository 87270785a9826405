//! The image of the suite `upstream`, built where somebody asks for it.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{
    Context, Site, fixtures, packaged, scripts, settings,
    site::{BUILD, exactly},
    with_namespace,
};
use copr_operator_api::{
    labels,
    v1alpha1::{CoprInstance, CoprTestRun, ImageState, Phase},
};
use copr_operator_kernel::conditions;
use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt as _, api::ListParams};
use serde_json::json;

/// How long an instance may take that has its images.
const START: Duration = Duration::from_secs(5 * 60);
const RUN: Duration = Duration::from_secs(9 * 60);

/// The instance has no image of the suite, and the run says which line it lacks. With that line the image is built, and what the
/// instance runs stays as it is. Returns the image.
async fn built_for_the_run(ctx: &Context, site: &Site) -> Result<String> {
    site.images_of("copr").await?;
    let before = ctx.until::<CoprInstance>("copr", "ready", START, fixtures::ready).await?;
    let lacks = |run: &CoprTestRun| {
        let status = run.status.as_ref();
        status.and_then(|status| conditions::get(&status.conditions, "InstanceReady")).is_some_and(|c| {
            c.reason == "SuiteImageMissing" && c.message.contains("spec.tests.suites to [smoke, upstream]")
        })
    };
    ctx.until::<CoprTestRun>("first", "waiting for an image of its suite", START, lacks).await?;
    let pods = pods(ctx).await?;
    // Whoever asks for a suite doesn't ask for other packages.
    site.repositories.serve("main", settings::rebuilt_keygen()?);
    ctx.change::<CoprInstance>("copr", json!({"tests": {"suites": ["smoke", "upstream"]}})).await?;
    let is_there =
        |instance: &CoprInstance| packaged::state(instance, "sanityUpstream") == Some(ImageState::Pushed);
    let with_suite = ctx.until::<CoprInstance>("copr", "provided with the suite", BUILD, is_there).await?;
    ensure!(
        fixtures::ready(&with_suite),
        "it wasn't Ready with the suite on its way: {:?}",
        with_suite.status
    );
    exactly(&with_suite, ImageState::Pushed, &["base", "keygen", "sanity", "sanityUpstream"])?;
    let of =
        |instance: &CoprInstance| packaged::image(instance, "keygen").and_then(|image| image.image.clone());
    ensure!(
        of(&before).is_some() && of(&before) == of(&with_suite),
        "{:?} became {:?}",
        of(&before),
        of(&with_suite)
    );
    ensure!(self::pods(ctx).await? == pods, "pods were replaced");
    packaged::image(&with_suite, "sanityUpstream").and_then(|image| image.image.clone()).context("no image")
}

async fn pods(ctx: &Context) -> Result<BTreeMap<String, String>> {
    let query = ListParams::default().labels(&labels::instance_query("copr"));
    let pods = ctx.api::<Pod>().list(&query).await?;
    let of_components = pods.into_iter().filter(|pod| pod.name_any().ends_with("-0"));
    Ok(of_components.map(|pod| (pod.name_any(), pod.uid().unwrap_or_default())).collect())
}

fn digest(image: &str) -> &str {
    image.rsplit_once('@').map_or(image, |(_, digest)| digest)
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check long"]
async fn the_image_of_a_suite_is_built_when_its_line_is_there_and_nothing_else_changes() -> Result<()> {
    with_namespace("suite-image", |ctx| async move {
        let url =
            scripts::serve(&ctx, &[("runtest-builds", include_str!("../e2e/scripts/builds.sh"))]).await?;
        let site = Site::new(&ctx).await?;
        ctx.create(&fixtures::instance("copr", site.spec(&["keygen"])?)).await?;
        ctx.create(&scripts::run("first", &url)).await?;
        let image = built_for_the_run(&ctx, &site).await?;
        let first = ctx.until::<CoprTestRun>("first", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&first) == Phase::Passed, "{:?}", first.status);
        let listed = first.status.as_ref().and_then(|status| status.suite.clone()).context("no suite")?;
        ensure!(digest(&listed.image) == digest(&image), "{} isn't {image}", listed.image);
        Ok(())
    })
    .await
}
