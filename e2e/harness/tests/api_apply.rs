//! API-server tests of the step that applies a plan: what is applied twice changes once, what others changed is put
//! back, and what is no longer wanted goes, if it is the owner's.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, with_namespace};
use copr_operator::{
    apply::{self, Planned, planned},
    labels,
};
use k8s_openapi::{
    api::core::v1::ConfigMap,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use kube::{
    ResourceExt as _,
    api::{ApiResource, Patch, PatchParams, PostParams},
};
use serde_json::json;

/// The owner is a ConfigMap too: the garbage collector must find it.
async fn owner(ctx: &Context, name: &str) -> Result<OwnerReference> {
    let object = ConfigMap {
        metadata: ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() },
        ..ConfigMap::default()
    };
    let made = ctx.api::<ConfigMap>().create(&PostParams::default(), &object).await?;
    Ok(OwnerReference {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        name: made.name_any(),
        uid: made.uid().context("no uid")?,
        ..OwnerReference::default()
    })
}

fn file(ctx: &Context, name: &str, owner: &OwnerReference, value: &str) -> Result<Planned> {
    Ok(planned(&ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.into()),
            namespace: Some(ctx.namespace.clone()),
            labels: Some(labels::component("demo", "frontend")),
            owner_references: Some(vec![owner.clone()]),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([("key".into(), value.into())])),
        ..ConfigMap::default()
    })?)
}

async fn get(ctx: &Context, name: &str) -> Result<Option<ConfigMap>> {
    Ok(ctx.api::<ConfigMap>().get_opt(name).await?)
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_plan_applied_twice_changes_nothing_the_second_time() -> Result<()> {
    with_namespace("apply-twice", |ctx| async move {
        let owner = owner(&ctx, "owner").await?;
        let plan = [file(&ctx, "a", &owner, "1")?];
        apply::apply_all(&ctx.client, &ctx.namespace, &plan).await?;
        let first = get(&ctx, "a").await?.context("not applied")?.resource_version();
        apply::apply_all(&ctx.client, &ctx.namespace, &plan).await?;
        let second = get(&ctx, "a").await?.context("gone")?.resource_version();
        ensure!(first == second, "written again: {first:?}, {second:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn what_another_client_changed_is_put_back_and_what_it_added_stays() -> Result<()> {
    with_namespace("apply-conflict", |ctx| async move {
        let owner = owner(&ctx, "owner").await?;
        let plan = [file(&ctx, "a", &owner, "ours")?];
        apply::apply_all(&ctx.client, &ctx.namespace, &plan).await?;
        let theirs =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": "theirs", "extra": "x"}});
        let params = PatchParams::apply("somebody").force();
        ctx.api::<ConfigMap>().patch("a", &params, &Patch::Apply(theirs)).await?;
        apply::apply_all(&ctx.client, &ctx.namespace, &plan).await?;
        let data = get(&ctx, "a").await?.and_then(|map| map.data).context("no data")?;
        ensure!(data["key"] == "ours", "{data:?}");
        ensure!(data["extra"] == "x", "{data:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn only_the_owners_own_orphans_are_deleted() -> Result<()> {
    with_namespace("apply-orphans", |ctx| async move {
        let (ours, theirs) = (owner(&ctx, "ours").await?, owner(&ctx, "theirs").await?);
        let before = [
            file(&ctx, "kept", &ours, "1")?,
            file(&ctx, "orphan", &ours, "1")?,
            file(&ctx, "foreign", &theirs, "1")?,
        ];
        apply::apply_all(&ctx.client, &ctx.namespace, &before).await?;
        let kinds = [ApiResource::erase::<ConfigMap>(&())];
        let query = labels::instance_query("demo");
        apply::delete_orphans(&ctx.client, &ctx.namespace, &query, &ours, &kinds, &before[..1]).await?;
        ensure!(get(&ctx, "kept").await?.is_some(), "what is in the plan was deleted");
        ensure!(get(&ctx, "foreign").await?.is_some(), "another owner's object was deleted");
        ensure!(get(&ctx, "orphan").await?.is_none(), "the orphan is still there");
        Ok(())
    })
    .await
}
