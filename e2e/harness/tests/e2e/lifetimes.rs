//! What an edit or an accident does to a running instance: nothing of its data is lost, and no more restarts than must.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, kstatus, leftovers, with_namespace};
use copr_operator_api::{
    labels,
    v1alpha1::{CoprInstance, CoprTestRun, DeletionPolicy, Phase},
};
use copr_operator_kernel::conditions;
use k8s_openapi::{
    api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret},
    apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry,
};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams},
};
use serde_json::json;

const SOON: Duration = Duration::from_secs(90);
const START: Duration = Duration::from_secs(5 * 60);
const RUN: Duration = Duration::from_secs(5 * 60);

/// What the operator has written of an object that it didn't create is the status.
fn only_the_status_is_written<K: ResourceExt>(object: &K) -> Result<()> {
    let ours = |entry: &&ManagedFieldsEntry| entry.manager.as_deref() == Some(labels::FIELD_MANAGER);
    let entries: Vec<_> = object.managed_fields().iter().filter(ours).collect();
    ensure!(!entries.is_empty(), "nothing was written: {:?}", object.managed_fields());
    for entry in entries {
        let fields = entry.fields_v1.as_ref().and_then(|fields| fields.0.as_object()).context("no fields")?;
        let status_alone = entry.subresource.as_deref() == Some("status") && fields.keys().eq(["f:status"]);
        ensure!(status_alone, "{entry:?}");
    }
    Ok(())
}

/// The uids of the components' pods.
async fn pods(ctx: &Context) -> Result<BTreeMap<String, String>> {
    let query = ListParams::default().labels(&labels::instance_query("copr"));
    let pods = ctx.api::<Pod>().list(&query).await?;
    let of_components = pods.into_iter().filter(|pod| pod.name_any().ends_with("-0"));
    Ok(of_components.map(|pod| (pod.name_any(), pod.uid().unwrap_or_default())).collect())
}

async fn data(ctx: &Context, secret: &str) -> Result<serde_json::Value> {
    let secret = ctx.api::<Secret>().get(secret).await.with_context(|| format!("failed to get {secret}"))?;
    Ok(serde_json::to_value(secret.data)?)
}

async fn claims(ctx: &Context) -> Result<Vec<String>> {
    let claims = ctx.api::<PersistentVolumeClaim>().list(&ListParams::default()).await?;
    Ok(claims.iter().filter_map(ResourceExt::uid).collect())
}

/// Whether a client with the credentials that the instance gives out can work with it.
async fn auth_passes(ctx: &Context, run: &str) -> Result<()> {
    ctx.create(&fixtures::run_against(run, "copr", &["auth"])).await?;
    let run = ctx.until::<CoprTestRun>(run, "finished", RUN, fixtures::finished).await?;
    ensure!(fixtures::phase(&run) == Phase::Passed, "{:?}", run.status);
    ensure!(kstatus(&run)? == "Current", "{:?}", run.status);
    only_the_status_is_written(&run)
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn edits_and_lost_secrets_lose_no_data_and_a_rotation_replaces_every_credential() -> Result<()> {
    with_namespace("lifetimes", |ctx| async move {
        let mut spec = fixtures::instance_spec();
        spec.deletion_policy = DeletionPolicy::Retain;
        ctx.create(&fixtures::instance("copr", spec.clone())).await?;
        let settled = ctx.until::<CoprInstance>("copr", "ready", START, fixtures::ready).await?;
        ensure!(kstatus(&settled)? == "Current", "{:?}", settled.status);
        ensure!(settled.metadata.generation == Some(1), "the spec was written: {:?}", settled.metadata);
        only_the_status_is_written(&settled)?;
        let (before, volumes, credentials) =
            (pods(&ctx).await?, claims(&ctx).await?, data(&ctx, "copr-credentials").await?);

        // More builders, and the Secret of everything lost: nothing restarts, and it is the same as before.
        ctx.change::<CoprInstance>("copr", json!({"builders": {"max": 7}})).await?;
        ctx.until::<CoprInstance>("copr", "ready", SOON, fixtures::ready).await?;
        ctx.api::<Secret>().delete("copr-credentials", &DeleteParams::default()).await?;
        ctx.until::<Secret>("copr-credentials", "made again", SOON, |_| true).await?;
        ensure!(data(&ctx, "copr-credentials").await? == credentials, "credentials were made anew");
        ctx.until::<CoprInstance>("copr", "ready", SOON, fixtures::ready).await?;
        ensure!(pods(&ctx).await? == before, "pods were replaced");

        // A rotation replaces all of them, and the database and the API know.
        let annotation =
            json!({"metadata": {"annotations": {"copr.fedorainfracloud.org/rotate-credentials": "1"}}});
        ctx.api::<CoprInstance>().patch("copr", &PatchParams::default(), &Patch::Merge(annotation)).await?;
        let rotated = |secret: &Secret| {
            secret.annotations().contains_key("copr.fedorainfracloud.org/rotate-credentials")
        };
        ctx.until::<Secret>("copr-credentials", "rotated", SOON, rotated).await?;
        let after = data(&ctx, "copr-credentials").await?;
        for (key, value) in credentials.as_object().into_iter().flatten() {
            ensure!(after[key] != *value, "{key} is as it was");
        }
        let frontend = before.get("copr-frontend-0").context("no frontend")?.clone();
        let replaced = move |pod: &Pod| pod.uid().is_some_and(|uid| uid != frontend);
        ctx.until::<Pod>("copr-frontend-0", "another one", SOON, replaced).await?;
        ctx.until::<CoprInstance>("copr", "ready", START, fixtures::ready).await?;
        auth_passes(&ctx, "rotated").await?;
        ensure!(claims(&ctx).await? == volumes, "volumes were made anew");

        // What is retained outlives the instance, and another one of its name goes on with it.
        ctx.delete::<CoprInstance>("copr", START).await?;
        let gone = ListParams::default().labels(&labels::instance_query("copr"));
        ensure!(claims(&ctx).await? == volumes, "volumes went with the instance");
        ensure!(data(&ctx, "copr-credentials").await? == after, "credentials went with the instance");
        for pod in ctx.api::<Pod>().list(&gone).await? {
            ctx.until_gone::<Pod>(&pod.name_any(), START).await?;
        }
        spec.deletion_policy = DeletionPolicy::Delete;
        ctx.create(&fixtures::instance("copr", spec)).await?;
        ctx.until::<CoprInstance>("copr", "ready", START, fixtures::ready).await?;
        ensure!(claims(&ctx).await? == volumes, "volumes were made anew");
        auth_passes(&ctx, "again").await?;

        ctx.delete::<CoprInstance>("copr", START).await?;
        ctx.delete::<CoprTestRun>("rotated", SOON).await?;
        ctx.delete::<CoprTestRun>("again", SOON).await?;
        leftovers(&ctx, START).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn an_object_of_somebody_elses_is_named_and_neither_changed_nor_used() -> Result<()> {
    with_namespace("name-taken", |ctx| async move {
        let theirs: PersistentVolumeClaim = serde_json::from_value(json!({
            "metadata": {"name": "copr-database"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }))?;
        ctx.create(&theirs).await?;
        let map = ConfigMap {
            metadata: ObjectMeta { name: Some("copr-keygen".into()), ..ObjectMeta::default() },
            data: Some([("theirs".to_owned(), "1".to_owned())].into()),
            ..ConfigMap::default()
        };
        ctx.create(&map).await?;
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        let named = |instance: &CoprInstance| {
            let status = instance.status.clone().unwrap_or_default();
            conditions::get(&status.conditions, "Stalled").is_some_and(|c| {
                c.status == "True"
                    && c.reason == "NameTaken"
                    && c.message.contains("PersistentVolumeClaim copr-database")
                    && c.message.contains("ConfigMap copr-keygen")
            })
        };
        let stalled = ctx.until::<CoprInstance>("copr", "naming both", SOON, named).await?;
        ensure!(kstatus(&stalled)? == "Failed", "{:?}", stalled.status);
        let claim = ctx.api::<PersistentVolumeClaim>().get("copr-database").await?;
        ensure!(claim.owner_references().is_empty() && claim.labels().is_empty(), "{:?}", claim.metadata);
        let map = ctx.api::<ConfigMap>().get("copr-keygen").await?;
        ensure!(map.data == Some([("theirs".to_owned(), "1".to_owned())].into()), "{:?}", map.data);
        let pods: Vec<_> =
            ctx.api::<Pod>().list(&ListParams::default()).await?.iter().map(ResourceExt::name_any).collect();
        ensure!(
            !pods.contains(&"copr-database-0".to_owned()),
            "a database was started on somebody else's volume"
        );

        // Handed over, they are used.
        let adopt =
            Patch::Merge(json!({"metadata": {"annotations": {"copr.fedorainfracloud.org/adopt": "copr"}}}));
        let params = PatchParams::default();
        ctx.api::<PersistentVolumeClaim>().patch("copr-database", &params, &adopt).await?;
        ctx.api::<ConfigMap>().patch("copr-keygen", &params, &adopt).await?;
        ctx.until::<CoprInstance>("copr", "ready", START, fixtures::ready).await?;
        Ok(())
    })
    .await
}
