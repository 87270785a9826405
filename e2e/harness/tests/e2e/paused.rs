//! An instance that is paused, and one whose time is over.

use std::time::Duration;

use anyhow::{Result, ensure};
use copr_e2e::{Context, fixtures, leftovers, told, with_namespace};
use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun};
use copr_operator_kernel::conditions;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::{
    ResourceExt as _,
    api::{DeleteParams, ListParams},
};
use serde_json::json;

const SOON: Duration = Duration::from_secs(90);
const START: Duration = Duration::from_secs(5 * 60);
/// Long after a deleted object would have been made again.
const LONG: Duration = Duration::from_secs(20);

fn reason(instance: &CoprInstance, type_: &str) -> Option<String> {
    let status = instance.status.as_ref()?;
    conditions::get(&status.conditions, type_).map(|condition| condition.reason.clone())
}

async fn says(ctx: &Context, type_: &str, expected: &str, within: Duration) -> Result<CoprInstance> {
    let what = format!("{type_} for {expected}");
    ctx.until("copr", &what, within, |instance| reason(instance, type_).as_deref() == Some(expected)).await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn nothing_of_a_paused_instance_is_changed_and_it_goes_on_serving() -> Result<()> {
    with_namespace("paused", |ctx| async move {
        let mut spec = fixtures::instance_spec();
        spec.paused = true;
        ctx.create(&fixtures::instance("copr", spec)).await?;
        says(&ctx, "Ready", "Paused", SOON).await?;
        told(&ctx, "copr", "Paused", &["spec.paused"], SOON).await?;
        ensure!(ctx.api::<Pod>().list(&ListParams::default()).await?.items.is_empty(), "pods were made");

        ctx.change::<CoprInstance>("copr", json!({"paused": false})).await?;
        says(&ctx, "Ready", "UpToDate", START).await?;
        told(&ctx, "copr", "Resumed", &[], SOON).await?;

        // What is deleted stays so, what is edited isn't applied, and a run waits.
        ctx.change::<CoprInstance>("copr", json!({"paused": true, "admin": {"email": "me@example.org"}}))
            .await?;
        says(&ctx, "Ready", "Paused", SOON).await?;
        let frontend = ctx.api::<Pod>().get("copr-frontend-0").await?.uid();
        ctx.api::<Service>().delete("copr-keygen", &DeleteParams::default()).await?;
        ctx.create(&fixtures::run_against("smoke", "copr", &["auth"])).await?;
        let waits = |run: &CoprTestRun| {
            let status = run.status.clone().unwrap_or_default();
            conditions::get(&status.conditions, "InstanceReady").is_some_and(|c| c.reason == "Paused")
        };
        ctx.until::<CoprTestRun>("smoke", "waiting for the pause to end", SOON, waits).await?;
        tokio::time::sleep(LONG).await;
        ensure!(ctx.api::<Service>().get_opt("copr-keygen").await?.is_none(), "a Service was made again");
        ensure!(
            ctx.api::<Pod>().get("copr-frontend-0").await?.uid() == frontend,
            "the frontend was replaced"
        );

        // Deletion is nobody's to hold up.
        ctx.delete::<CoprInstance>("copr", START).await?;
        ctx.delete::<CoprTestRun>("smoke", SOON).await?;
        leftovers(&ctx, START).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn an_instance_whose_time_is_over_is_deleted_with_all_of_it_after_a_warning() -> Result<()> {
    with_namespace("expires", |ctx| async move {
        let mut spec = fixtures::instance_spec();
        spec.ttl = Some("2m".into());
        ctx.create(&fixtures::instance("copr", spec)).await?;
        says(&ctx, "Expiring", "ExpiresSoon", Duration::from_secs(100)).await?;
        told(&ctx, "copr", "ExpiresSoon", &["with its volumes"], SOON).await?;

        // An extension takes the warning back.
        ctx.change::<CoprInstance>("copr", json!({"ttl": "2h"})).await?;
        let calm = |instance: &CoprInstance| reason(instance, "Expiring").is_none();
        ctx.until::<CoprInstance>("copr", "not about to expire", SOON, calm).await?;

        // A time that is over is warned of, too.
        ctx.change::<CoprInstance>("copr", json!({"ttl": "1m"})).await?;
        says(&ctx, "Expiring", "ExpiresSoon", SOON).await?;
        ctx.until_gone::<CoprInstance>("copr", SOON).await?;
        told(&ctx, "copr", "Expired", &[], SOON).await?;
        leftovers(&ctx, START).await
    })
    .await
}
