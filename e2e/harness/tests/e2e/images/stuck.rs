//! Builds whose pod the cluster refuses.

use anyhow::{Result, ensure};
use copr_e2e::{
    Context, Site, fixtures, packaged,
    site::{BUILD, builds},
    with_namespace,
};
use copr_operator_api::v1alpha1::{CoprInstance, ImageState};
use k8s_openapi::{
    api::core::v1::{ResourceQuota, ResourceQuotaSpec},
    apimachinery::pkg::api::resource::Quantity,
};
use kube::api::ObjectMeta;
use serde_json::json;

use super::SOON;

/// The quota is smaller than what a build may use by itself. Another namespace builds the same images meanwhile.
#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_refused_build_says_why_at_once_holds_up_nobody_and_a_mended_spec_takes_effect() -> Result<()> {
    with_namespace("stuck", |stuck| async move {
        with_namespace("stuck-not", |free| async move { Box::pin(refused_and_mended(&stuck, &free)).await })
            .await
    })
    .await
}

async fn refused_and_mended(stuck: &Context, free: &Context) -> Result<()> {
    let site = Site::new(stuck).await?;
    let spec = packaged::without_pods(site.spec(&["keygen"])?);
    stuck.create(&quota()).await?;
    stuck.create(&fixtures::instance("copr", spec.clone())).await?;
    let told = |instance: &CoprInstance| {
        packaged::image(instance, "base").is_some_and(|image| {
            image.reason.as_deref() == Some("BuildRefused")
                && image.message.as_ref().is_some_and(|message| message.contains("exceeded quota"))
        })
    };
    stuck.until("copr", "told that its build is refused", SOON, told).await?;

    // Nobody else is held up by it.
    free.create(&fixtures::instance("copr", spec)).await?;
    let builds_itself =
        |instance: &CoprInstance| packaged::state(instance, "base") == Some(ImageState::Building);
    free.until("copr", "building", SOON, builds_itself).await?;

    let before = builds(stuck, "copr").await?;
    let limits = json!({"cpu": "2", "memory": "2Gi"});
    let mended =
        json!({"packages": {"build": {"resources": {"requests": {"cpu": "100m"}, "limits": limits}}}});
    stuck.change::<CoprInstance>("copr", mended).await?;
    let over = |instance: &CoprInstance| {
        packaged::image(instance, "base").is_some_and(|image| image.reason.is_none())
    };
    stuck.until("copr", "not refused any more", SOON, over).await?;
    let provided = stuck.until("copr", "provided", BUILD, packaged::are_ready).await?;
    ensure!(
        !builds(stuck, "copr").await?.iter().any(|job| before.contains(job)),
        "{before:?} is still there"
    );
    let free = free.until("copr", "provided", BUILD, packaged::are_ready).await?;
    ensure!(packaged::state(&free, "base") == Some(ImageState::Pushed), "{:?}", free.status);
    for component in ["base", "keygen"] {
        let images =
            [&provided, &free].map(|of| packaged::image(of, component).and_then(|i| i.image.clone()));
        ensure!(images[0].is_some() && images[0] == images[1], "{component}: {images:?}");
    }
    Ok(())
}

fn quota() -> ResourceQuota {
    let hard = [("limits.cpu", "3"), ("limits.memory", "3Gi")];
    let hard = hard.map(|(name, value)| (name.to_owned(), Quantity(value.to_owned())));
    ResourceQuota {
        metadata: ObjectMeta { name: Some("limits".into()), ..ObjectMeta::default() },
        spec: Some(ResourceQuotaSpec { hard: Some(hard.into()), ..ResourceQuotaSpec::default() }),
        ..ResourceQuota::default()
    }
}
