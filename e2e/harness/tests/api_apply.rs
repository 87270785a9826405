//! API-server tests of the step that applies a plan: what is applied twice changes once, what others changed is put
//! back, what others own is left alone, and what is no longer wanted goes, if it is the owner's.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, with_namespace};
use copr_operator_api::{annotations::ADOPT, labels};
use copr_operator_kernel::apply::{self, Error, Lifetime, Owner, Planned, memory::Memory, planned};
use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret},
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use kube::{
    ResourceExt as _,
    api::{ApiResource, Patch, PatchParams, PostParams},
};
use serde_json::json;

/// The owner is a ConfigMap too: the garbage collector must find it.
async fn owner(ctx: &Context, name: &str) -> Result<Owner> {
    let object = ConfigMap {
        metadata: ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() },
        ..ConfigMap::default()
    };
    let made = ctx.api::<ConfigMap>().create(&PostParams::default(), &object).await?;
    let reference = OwnerReference {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        name: made.name_any(),
        uid: made.uid().context("no uid")?,
        ..OwnerReference::default()
    };
    Ok(Owner { reference, namespace: ctx.namespace.clone() })
}

fn metadata(name: &str, owner: &Owner) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.into()),
        namespace: Some(owner.namespace.clone()),
        labels: Some(labels::component("demo", "frontend")),
        owner_references: Some(vec![owner.reference.clone()]),
        ..ObjectMeta::default()
    }
}

fn file(name: &str, owner: &Owner, value: &str) -> Result<Planned> {
    let map = ConfigMap {
        metadata: metadata(name, owner),
        data: Some(BTreeMap::from([("key".into(), value.into())])),
        ..ConfigMap::default()
    };
    Ok(planned(&map, Lifetime::Reconcile)?)
}

/// A Secret that is created once, made from that version of it.
fn secret(owner: &Owner, version: Option<String>, data: &[(&str, &str)]) -> Result<Planned> {
    let data = data.iter().map(|&(key, value)| (key.to_owned(), ByteString(value.into()))).collect();
    let metadata = ObjectMeta { resource_version: version, ..metadata("credentials", owner) };
    Ok(planned(&Secret { metadata, data: Some(data), ..Secret::default() }, Lifetime::CreateOnce)?)
}

/// Applies with nothing known of what was applied before.
async fn apply(ctx: &Context, owner: &Owner, plan: &[Planned]) -> Result<usize, Error> {
    apply::apply_all(&ctx.client, owner, plan, &Memory::default()).await.result()
}

async fn get(ctx: &Context, name: &str) -> Result<Option<ConfigMap>> {
    Ok(ctx.api::<ConfigMap>().get_opt(name).await?)
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_plan_applied_twice_changes_nothing_the_second_time() -> Result<()> {
    with_namespace("apply-twice", |ctx| async move {
        let owner = owner(&ctx, "owner").await?;
        let plan = [file("a", &owner, "1")?];
        apply(&ctx, &owner, &plan).await?;
        let first = get(&ctx, "a").await?.context("not applied")?.resource_version();
        apply(&ctx, &owner, &plan).await?;
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
        let plan = [file("a", &owner, "ours")?];
        apply(&ctx, &owner, &plan).await?;
        let theirs =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": "theirs", "extra": "x"}});
        let params = PatchParams::apply("somebody").force();
        ctx.api::<ConfigMap>().patch("a", &params, &Patch::Apply(theirs)).await?;
        apply(&ctx, &owner, &plan).await?;
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
        let before = [file("kept", &ours, "1")?, file("orphan", &ours, "1")?];
        apply(&ctx, &ours, &before).await?;
        apply(&ctx, &theirs, &[file("foreign", &theirs, "1")?]).await?;
        let kinds = [ApiResource::erase::<ConfigMap>(&())];
        let (query, memory) = (labels::applied_query("demo"), Memory::default());
        apply::delete_orphans(&ctx.client, &ours, &query, &kinds, &before[..1], &memory).await?;
        ensure!(get(&ctx, "kept").await?.is_some(), "what is in the plan was deleted");
        ensure!(get(&ctx, "foreign").await?.is_some(), "another owner's object was deleted");
        ensure!(get(&ctx, "orphan").await?.is_none(), "the orphan is still there");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn an_unchanged_plan_is_not_written_and_a_changed_object_is() -> Result<()> {
    with_namespace("apply-quiet", |ctx| async move {
        let owner = owner(&ctx, "owner").await?;
        let plan = [file("a", &owner, "1")?, file("b", &owner, "1")?];
        let memory = Memory::default();
        let written = async |plan: &[Planned]| {
            apply::apply_all(&ctx.client, &owner, plan, &memory).await.result().context("failed to apply")
        };
        ensure!(written(&plan).await? == 2);
        ensure!(written(&plan).await? == 0, "an unchanged plan was written");
        // What a watch tells of a write of somebody else's.
        let theirs = Patch::Merge(json!({"data": {"key": "theirs"}}));
        let changed = ctx.api::<ConfigMap>().patch("a", &PatchParams::default(), &theirs).await?;
        memory.saw(&ctx.namespace, "owner", ("ConfigMap".into(), "a".into()), &changed.metadata);
        ensure!(written(&plan).await? == 1, "what somebody else changed was not put back");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn an_object_of_somebody_elses_is_left_alone_until_it_is_handed_over() -> Result<()> {
    with_namespace("apply-taken", |ctx| async move {
        let owner = owner(&ctx, "owner").await?;
        let theirs = ConfigMap {
            metadata: ObjectMeta { name: Some("a".into()), ..ObjectMeta::default() },
            data: Some(BTreeMap::from([("key".into(), "theirs".into())])),
            ..ConfigMap::default()
        };
        ctx.create(&theirs).await?;
        let plan = [file("a", &owner, "ours")?, file("b", &owner, "ours")?];
        let outcome = apply::apply_all(&ctx.client, &owner, &plan, &Memory::default()).await;
        let said: Vec<_> = outcome.failures.iter().map(ToString::to_string).collect();
        ensure!(said.len() == 1 && said[0].contains("ConfigMap a"), "{said:?}");
        ensure!(get(&ctx, "b").await?.is_some(), "the other objects were held back");
        // Its pods can't be as planned, so they are not replaced by others that aren't either.
        ensure!(outcome.incomplete == ["frontend".to_owned()].into(), "{:?}", outcome.incomplete);
        let value =
            async || Ok::<_, anyhow::Error>(get(&ctx, "a").await?.and_then(|map| map.data?.remove("key")));
        ensure!(value().await?.as_deref() == Some("theirs"), "somebody else's object was changed");

        let handed_over = Patch::Merge(json!({"metadata": {"annotations": {(ADOPT): "owner"}}}));
        ctx.api::<ConfigMap>().patch("a", &PatchParams::default(), &handed_over).await?;
        apply(&ctx, &owner, &plan).await?;
        ensure!(value().await?.as_deref() == Some("ours"), "the object that was handed over was not taken");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn what_is_created_once_is_completed_and_never_written_over() -> Result<()> {
    with_namespace("apply-once", |ctx| async move {
        let owner = owner(&ctx, "owner").await?;
        let read = async || Ok::<_, anyhow::Error>(ctx.api::<Secret>().get("credentials").await?);
        apply(&ctx, &owner, &[secret(&owner, None, &[("a", "1")])?]).await?;
        let first = read().await?;

        // Made from the knowledge that there is none: another operator has created it meanwhile.
        let raced = apply(&ctx, &owner, &[secret(&owner, None, &[("a", "2")])?]).await;
        ensure!(matches!(raced, Err(Error::Raced { .. })), "{raced:?}");
        ensure!(read().await?.data == first.data, "what was there was written over");

        let version = first.resource_version();
        apply(&ctx, &owner, &[secret(&owner, version.clone(), &[("a", "1"), ("b", "2")])?]).await?;
        let data = read().await?.data.unwrap_or_default();
        ensure!(data.len() == 2 && data["a"] == ByteString("1".into()), "{data:?}");

        // Made from a version that is not the present one.
        let raced = apply(&ctx, &owner, &[secret(&owner, version, &[("a", "3")])?]).await;
        ensure!(matches!(raced, Err(Error::Raced { .. })), "{raced:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn what_the_api_server_refuses_holds_nothing_else_back() -> Result<()> {
    with_namespace("apply-refused", |ctx| async move {
        let owner = owner(&ctx, "owner").await?;
        let claim = |size: &str| -> Result<Planned> {
            let claim: PersistentVolumeClaim = serde_json::from_value(json!({
                "metadata": metadata("data", &owner),
                "spec": {
                    "accessModes": ["ReadWriteOnce"], "storageClassName": "none-such",
                    "resources": {"requests": {"storage": size}},
                },
            }))?;
            Ok(planned(&claim, Lifetime::Retain)?)
        };
        apply(&ctx, &owner, &[claim("2Gi")?]).await?;
        let plan = [claim("1Gi")?, file("after", &owner, "1")?];
        let outcome = apply::apply_all(&ctx.client, &owner, &plan, &Memory::default()).await;
        ensure!(outcome.failures.len() == 1 && outcome.failures[0].is_final(), "{:?}", outcome.failures);
        ensure!(get(&ctx, "after").await?.is_some(), "the object after the refused one was not applied");
        ensure!(
            outcome.incomplete.is_empty(),
            "a volume that stays as it was holds back {:?}",
            outcome.incomplete
        );
        Ok(())
    })
    .await
}
