//! Mirrors that are away for a while.

use std::time::Duration;

use anyhow::{Context as _, Result};
use copr_e2e::{
    Site, fixtures, packaged, settings,
    site::{BUILD, exactly},
    with_namespace,
};
use copr_operator_api::v1alpha1::ImageState;

/// Longer than dnf tries by itself.
const AWAY: Duration = Duration::from_secs(45);

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_mirror_that_answers_504_for_a_while_is_waited_for_and_named() -> Result<()> {
    with_namespace("mirror-away", |ctx| async move {
        let site = Site::new(&ctx).await?;
        site.repositories.serve_after("slow", settings::repository()?, AWAY);
        let mut spec = packaged::without_pods(site.spec(&["keygen"])?);
        let packages = spec.packages.as_mut().context("no packages")?;
        packages.repositories = vec![site.repositories.entry("slow", 50)];
        ctx.create(&fixtures::instance("copr", spec)).await?;
        let waits = packaged::waits("keygen", &[".rpm answered 504 Gateway Timeout"]);
        ctx.until("copr", "told for what it waits", BUILD, waits).await?;
        let instance = site.images_of("copr").await?;
        exactly(&instance, ImageState::Pushed, &["base", "keygen"])
    })
    .await
}
