//! Built once, used ever after.

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{
    Context, Site, fixtures, packaged, repository, settings,
    site::{BUILD, builds, exactly},
    told, with_namespace,
};
use copr_operator_api::v1alpha1::{CoprInstance, ImageState, InstalledPackage};
use k8s_openapi::api::core::v1::Pod;

use super::SOON;

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn what_was_built_runs_by_digest_and_another_namespace_reuses_it_without_a_job() -> Result<()> {
    with_namespace("reuse", |ctx| async move {
        let site = Site::new(&ctx).await?;
        let spec = site.spec(&["keygen"])?;
        ctx.create(&fixtures::instance("first", spec.clone())).await?;
        let building = |instance: &CoprInstance| {
            packaged::state(instance, "base") == Some(ImageState::Building)
                && packaged::state(instance, "keygen") == Some(ImageState::Queued)
                && packaged::refused(instance, "ImagesBuilding", &["building: base", "queued: keygen"])
        };
        ctx.until("first", "building the base image, and keygen queued", SOON, building).await?;
        let first = site.images_of("first").await?;
        exactly(&first, ImageState::Pushed, &["base", "keygen"])?;
        progress_is_told(&ctx, &first).await?;
        let image = image_is_told(&first)?;
        labels_say_what_is_in_it(&site, &first, &image).await?;
        sbom_is_about_it(&site, &image).await?;
        pods_run_it(&ctx, &image).await?;

        with_namespace("reuse-other", |other| async move {
            other.create(&fixtures::instance("second", spec)).await?;
            let second = other.until::<CoprInstance>("second", "provided", SOON, packaged::are_ready).await?;
            exactly(&second, ImageState::Reused, &["base", "keygen"])?;
            ensure!(image_is_told(&second)? == image, "another image: {:?}", second.status);
            told(&other, "second", "ImageReused", &["keygen", &image], SOON).await?;
            let jobs = builds(&other, "second").await?;
            ensure!(jobs.is_empty(), "built again: {jobs:?}");
            Ok(())
        })
        .await
    })
    .await
}

async fn progress_is_told(ctx: &Context, instance: &CoprInstance) -> Result<()> {
    let all = packaged::images_ready(instance).context("no condition")?;
    ensure!(all.message.contains("2 built"), "{}", all.message);
    for component in ["base", "keygen"] {
        let image = packaged::image(instance, component).context("no status")?;
        ensure!(image.state == ImageState::Pushed && image.last_transition_time.is_some(), "{image:?}");
        let elapsed = image.elapsed.as_deref().context("no elapsed time")?;
        told(ctx, "first", "ImageBuilding", &[component], SOON).await?;
        told(ctx, "first", "ImagePushed", &[component, elapsed], SOON).await?;
    }
    Ok(())
}

/// The image of keygen as the status has it: by digest, and what is in it from where.
fn image_is_told(instance: &CoprInstance) -> Result<String> {
    let keygen = packaged::image(instance, "keygen").context("no status of keygen")?;
    let nevra = repository::nevra(&settings::repository()?, "copr-keygen")?;
    let package = InstalledPackage { nevra, repository: "main".into(), source: None };
    ensure!(keygen.packages.contains(&package), "{package:?} is not in {:?}", keygen.packages);
    let image = keygen.image.clone().context("no image")?;
    let tagged = format!(":{}@sha256:", keygen.input_hash);
    ensure!(image.contains(&tagged), "not by digest, with the hash of the inputs as its tag: {image}");
    Ok(image)
}

async fn labels_say_what_is_in_it(site: &Site, instance: &CoprInstance, image: &str) -> Result<()> {
    let keygen = packaged::image(instance, "keygen").context("no status of keygen")?;
    let labels = site.registry.labels(image).await?;
    let url = site.repositories.url("main");
    let nevra = repository::nevra(&settings::repository()?, "copr-keygen")?;
    for (label, part) in [
        ("component", "keygen"),
        ("input-hash", keygen.input_hash.as_str()),
        ("repositories", url.as_str()),
        ("packages", nevra.as_str()),
        ("operator-version", "."),
    ] {
        let found = labels.get(&format!("org.fedorainfracloud.copr.{label}"));
        ensure!(found.is_some_and(|value| value.contains(part)), "{label} lacks {part}: {labels:?}");
    }
    Ok(())
}

async fn sbom_is_about_it(site: &Site, image: &str) -> Result<()> {
    let sbom = site.registry.sbom(image).await?;
    ensure!(sbom["bomFormat"] == "CycloneDX", "{sbom}");
    let components = sbom["components"].as_array().context("no components")?;
    let named = |name: &str| components.iter().any(|component| component["name"] == name);
    for package in ["copr-keygen", "python3-copr-common", "obs-signd"] {
        ensure!(named(package), "{package} is not among {} components", components.len());
    }
    Ok(())
}

async fn pods_run_it(ctx: &Context, image: &str) -> Result<()> {
    let up =
        |instance: &CoprInstance| fixtures::component(instance, "keygen").is_some_and(|keygen| keygen.ready);
    let instance = ctx.until::<CoprInstance>("first", "running keygen", BUILD, up).await?;
    let told = instance.status.unwrap_or_default().images.remove("keygen");
    ensure!(told.as_deref() == Some(image), "status.images says {told:?}");
    let pod = ctx.api::<Pod>().get("first-keygen-0").await.context("failed to get keygen's pod")?;
    let digest = image.split('@').next_back().unwrap_or_default();
    let run = pod.status.and_then(|status| status.container_statuses).context("no containers")?;
    for container in run {
        ensure!(container.image_id.ends_with(digest), "{} runs {}", container.name, container.image_id);
    }
    Ok(())
}
