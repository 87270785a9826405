//! Images that exist already.

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, Registry, fixtures, packaged, with_namespace};
use copr_operator_api::v1alpha1::CoprInstance;
use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::json;

use super::SOON;

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn the_tag_of_a_prebuilt_image_is_resolved_once_and_moves_no_instance() -> Result<()> {
    with_namespace("pinned", |ctx| async move {
        let registry = Registry::find(&ctx).await?;
        let image = registry.image(&format!("copr-redis:{}", ctx.namespace));
        registry.retag(&registry.image("copr-redis:latest"), &ctx.namespace, "first").await?;
        let first = format!("{image}@{}", registry.digest(&image).await?);

        let mut spec = fixtures::instance_spec();
        spec.redis.component.image = Some(image.clone());
        // How that registry is spoken to.
        spec.registry = packaged::spec(&registry, &ctx.namespace, Vec::new(), &[])?.registry;
        ctx.create(&fixtures::instance("copr", spec)).await?;
        Box::pin(runs(&ctx, &first)).await?;

        registry.retag(&registry.image("copr-redis:latest"), &ctx.namespace, "second").await?;
        let second = format!("{image}@{}", registry.digest(&image).await?);
        ensure!(first != second, "the tag didn't move");
        ctx.change::<CoprInstance>("copr", json!({"admin": {"email": "another@example.org"}})).await?;
        let seen = |copr: &CoprInstance| {
            copr.status.as_ref().is_some_and(|status| status.observed_generation == Some(2))
        };
        ctx.until("copr", "looked at again", SOON, seen).await?;
        Box::pin(runs(&ctx, &first)).await
    })
    .await
}

/// Status and StatefulSet say that redis runs exactly that.
async fn runs(ctx: &Context, image: &str) -> Result<()> {
    let told = |copr: &CoprInstance| {
        let images = copr.status.as_ref().map(|status| &status.images);
        images.and_then(|images| images.get("redis")).is_some_and(|redis| redis == image)
    };
    let copr = ctx.until("copr", &format!("running {image}"), SOON, told).await?;
    ensure!(packaged::are_ready(&copr), "{:?}", copr.status);
    let workload = ctx.api::<StatefulSet>().get("copr-redis").await.context("failed to get copr-redis")?;
    let pod = workload.spec.and_then(|spec| spec.template.spec).context("no pod in copr-redis")?;
    let images: Vec<_> = pod.containers.iter().filter_map(|container| container.image.as_deref()).collect();
    ensure!(images.iter().all(|&found| found == image), "copr-redis runs {images:?}, not {image}");
    Ok(())
}
