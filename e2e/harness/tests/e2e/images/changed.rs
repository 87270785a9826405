//! What changed is built, and nothing else.

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{
    Site, packaged, repository, settings,
    site::{builds, exactly},
    with_namespace,
};
use copr_operator_api::v1alpha1::{CoprInstance, ImageState};
use serde_json::json;

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn only_images_that_install_a_changed_package_are_built_again() -> Result<()> {
    with_namespace("changed", |ctx| async move {
        let site = Site::new(&ctx).await?;
        let spec = packaged::without_pods(site.spec(&["redis", "keygen", "frontend"])?);
        let first = site.provide("first", spec.clone()).await?;
        exactly(&first, ImageState::Pushed, &["base", "redis", "keygen", "frontend"])?;

        // What the instance got stays, and the next one gets what is there by then.
        site.repositories.serve("main", settings::rebuilt_keygen()?);
        let keygen = site.provide("keygen", spec.clone()).await?;
        exactly(&keygen, ImageState::Pushed, &["keygen"])?;
        exactly(&keygen, ImageState::Reused, &["base", "redis", "frontend"])?;
        has(&keygen, "keygen", &repository::nevra(&settings::rebuilt_keygen()?, "copr-keygen")?)?;

        site.repositories.serve("main", settings::rebuilt_common()?);
        let common = site.provide("common", spec).await?;
        exactly(&common, ImageState::Pushed, &["keygen", "frontend"])?;
        exactly(&common, ImageState::Reused, &["base", "redis"])?;
        let nevra = repository::nevra(&settings::rebuilt_common()?, "python3-copr-common")?;
        has(&common, "keygen", &nevra)?;
        has(&common, "frontend", &nevra)?;

        // Another revision is a wish to look again: the first instance catches up, and finds everything there.
        let before = builds(&ctx, "first").await?;
        ctx.change::<CoprInstance>("first", json!({"packages": {"revision": "2"}})).await?;
        let first = site.images_of("first").await?;
        has(&first, "frontend", &nevra)?;
        let after = builds(&ctx, "first").await?;
        ensure!(before == after, "built again: {after:?}, before {before:?}");
        Ok(())
    })
    .await
}

fn has(instance: &CoprInstance, component: &str, nevra: &str) -> Result<()> {
    let image = packaged::image(instance, component).context("no status")?;
    let found = image.packages.iter().any(|package| package.nevra == nevra);
    ensure!(found, "{component} has no {nevra}: {:?}", image.packages);
    Ok(())
}
