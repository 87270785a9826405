//! Volumes that are to grow.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, with_namespace};
use copr_operator_api::v1alpha1::CoprInstance;
use copr_operator_kernel::conditions;
use k8s_openapi::api::{core::v1::PersistentVolumeClaim, storage::v1::StorageClass};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::json;

const SOON: Duration = Duration::from_secs(90);
const START: Duration = Duration::from_secs(5 * 60);

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_volume_grows_where_its_class_allows_it_and_what_could_not_grow_is_taken_back() -> Result<()> {
    with_namespace("volumes", |ctx| async move {
        let classes: Api<StorageClass> = Api::all(ctx.client.clone());
        let class = like_the_default(&classes, &ctx.namespace).await?;
        classes.create(&PostParams::default(), &class).await.context("failed to create a StorageClass")?;
        let result = Box::pin(grow(&ctx, &classes, &class.name_any())).await;
        classes.delete(&class.name_any(), &DeleteParams::default()).await?;
        result
    })
    .await
}

/// Volumes as those of the default, which can't grow.
async fn like_the_default(classes: &Api<StorageClass>, name: &str) -> Result<StorageClass> {
    let is_default = |class: &StorageClass| {
        class.annotations().get("storageclass.kubernetes.io/is-default-class").is_some_and(|is| is == "true")
    };
    let found = classes.list(&ListParams::default()).await?.items.into_iter().find(is_default);
    Ok(StorageClass {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        allow_volume_expansion: None,
        ..found.context("no default StorageClass")?
    })
}

async fn grow(ctx: &Context, classes: &Api<StorageClass>, class: &str) -> Result<()> {
    let mut spec = fixtures::instance_spec();
    spec.redis.storage.class_name = Some(class.to_owned());
    ctx.create(&fixtures::instance("copr", spec)).await?;
    says(ctx, "Available", "Available", &[], START).await?;
    let size = async |size: &str| {
        ctx.change::<CoprInstance>("copr", json!({"redis": {"storage": {"size": size}}})).await
    };

    // Nothing else is held back by what can't be done, and nothing is lost by taking it back.
    size("3Gi").await?;
    let refused = says(ctx, "VolumesReady", "ResizeRefused", &["copr-redis", "resize"], SOON).await?;
    ensure!(is_true(&refused, "Available") && is_true(&refused, "Stalled"), "{:?}", refused.status);
    size("1Gi").await?;
    let back = says(ctx, "VolumesReady", "Available", &[], SOON).await?;
    ensure!(is_true(&back, "Available") && is_true(&back, "Ready"), "{:?}", back.status);
    let smaller = size("512Mi").await.err().context("a volume may become smaller")?;
    ensure!(format!("{smaller:#}").contains("redis.storage.size cannot become smaller"), "{smaller:#}");

    let allow = Patch::Merge(json!({"allowVolumeExpansion": true}));
    classes.patch(class, &PatchParams::default(), &allow).await?;
    size("2Gi").await?;
    let growing = says(ctx, "VolumesReady", "Resizing", &["copr-redis has 1Gi of 2Gi"], SOON).await?;
    ensure!(is_true(&growing, "Available"), "{:?}", growing.status);
    // A stand-in for the resizer of a storage provider, which this cluster has not.
    let grown = Patch::Merge(json!({"status": {"capacity": {"storage": "2Gi"}}}));
    let claims = ctx.api::<PersistentVolumeClaim>();
    claims.patch_status("copr-redis", &PatchParams::default(), &grown).await?;
    says(ctx, "VolumesReady", "Available", &[], SOON).await?;
    Ok(())
}

fn is_true(instance: &CoprInstance, type_: &str) -> bool {
    let status = instance.status.clone().unwrap_or_default();
    conditions::is_true(&status.conditions, type_)
}

/// Waits until a condition has the reason for the present spec, and names all of this.
async fn says(
    ctx: &Context,
    type_: &str,
    reason: &str,
    named: &[&str],
    within: Duration,
) -> Result<CoprInstance> {
    let what = format!("{type_} for {reason}, naming {named:?}");
    let holds = |instance: &CoprInstance| {
        let status = instance.status.clone().unwrap_or_default();
        conditions::get(&status.conditions, type_).is_some_and(|c| {
            c.reason == reason
                && c.observed_generation == instance.metadata.generation
                && named.iter().all(|name| c.message.contains(name))
        })
    };
    ctx.until::<CoprInstance>("copr", &what, within, holds).await
}
