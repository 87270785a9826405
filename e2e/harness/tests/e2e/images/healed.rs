//! Images that leave the registry while they are in use.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, Site, fixtures, packaged, with_namespace};
use copr_operator_api::{
    labels,
    v1alpha1::{CoprInstance, PullPolicy},
};
use copr_operator_kernel::conditions;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    ResourceExt as _,
    api::{DeleteParams, ListParams},
};

const START: Duration = Duration::from_secs(10 * 60);

fn is(instance: &CoprInstance, type_: &str, status: &str) -> bool {
    let conditions = instance.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    conditions::get(conditions, type_).is_some_and(|condition| condition.status == status)
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn an_image_that_somebody_deleted_is_built_again_and_its_component_comes_back() -> Result<()> {
    with_namespace("healed", |ctx| async move {
        let site = Site::new(&ctx).await?;
        let mut spec = site.spec(&["redis"])?;
        // A node that has an image doesn't miss it.
        spec.images.pull_policy = PullPolicy::Always;
        ctx.create(&fixtures::instance("copr", spec)).await?;
        let ready = |instance: &CoprInstance| is(instance, "Ready", "True");
        let instance = ctx.until("copr", "ready", START, ready).await?;
        let image_of =
            |instance: &CoprInstance| packaged::image(instance, "redis").and_then(|i| i.image.clone());
        let lost = image_of(&instance).context("no image of redis")?;
        let others = uids(&ctx).await?;

        site.registry.delete(&lost).await?;
        ensure!(!site.registry.has(&lost).await?, "{lost} is still there");
        ctx.api::<Pod>().delete("copr-redis-0", &DeleteParams::default()).await?;
        let told = |instance: &CoprInstance| {
            let image = packaged::image(instance, "redis");
            image.is_some_and(|image| image.message.as_ref().is_some_and(|said| said.contains(&lost)))
                || image.is_some_and(|image| image.image.is_none())
        };
        ctx.until("copr", "told that its image is gone", START, told).await?;
        let healed = |instance: &CoprInstance| packaged::are_ready(instance) && is(instance, "Ready", "True");
        let instance = ctx.until("copr", "ready again", START, healed).await?;
        let image = image_of(&instance).context("no image of redis")?;
        ensure!(site.registry.has(&image).await?, "{image} isn't in the registry");
        ensure!(uids(&ctx).await? == others, "pods of other components were replaced");
        Ok(())
    })
    .await
}

/// The pods of the components whose image stays.
async fn uids(ctx: &Context) -> Result<Vec<(String, String)>> {
    let query = ListParams::default().labels(&labels::instance_query("copr"));
    let pods = ctx.api::<Pod>().list(&query).await?;
    let others =
        pods.into_iter().filter(|pod| pod.name_any().ends_with("-0") && pod.name_any() != "copr-redis-0");
    Ok(others.map(|pod| (pod.name_any(), pod.uid().unwrap_or_default())).collect())
}
