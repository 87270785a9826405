//! API-server tests of the end of an instance's life: it is deleted when that was warned of, unless it was extended at the last
//! moment or a run uses it.

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{
    Context,
    admission::apply,
    fixtures::{instance_json, run_json},
    with_namespace,
};
use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun};
use copr_operator_instance::{
    expire,
    lifetime::{CONDITION, Outlook, Step},
};
use k8s_openapi::api::core::v1::Event;
use kube::{
    ResourceExt as _,
    api::{ListParams, Patch, PatchParams},
    runtime::events::{Recorder, Reporter},
};
use serde_json::{Value, json};

/// Its time was over long ago.
async fn expired(ctx: &Context, name: &str) -> Result<()> {
    let mut instance = instance_json(name);
    instance["spec"]["expiresAt"] = json!("2020-01-01T00:00:00Z");
    apply::<CoprInstance>(ctx, &instance, false).await?;
    Ok(())
}

/// As the status is after a warning.
async fn warn(ctx: &Context, name: &str) -> Result<()> {
    let condition = json!({
        "type": CONDITION, "status": "True", "reason": "ExpiresSoon", "message": "",
        "lastTransitionTime": "2020-01-01T00:00:00Z",
    });
    let patch = Patch::Merge(json!({"status": {"conditions": [condition]}}));
    ctx.api::<CoprInstance>().patch_status(name, &PatchParams::default(), &patch).await?;
    Ok(())
}

async fn get(ctx: &Context, name: &str) -> Result<CoprInstance> {
    Ok(ctx.api::<CoprInstance>().get(name).await?)
}

async fn enforce(ctx: &Context, instance: &CoprInstance) -> Result<Outlook> {
    let reporter = Reporter { controller: "copr-e2e".into(), instance: None };
    let recorder = Recorder::new(ctx.client.clone(), reporter);
    Ok(expire::enforce(&ctx.client, &recorder, instance).await?)
}

async fn change(ctx: &Context, name: &str, spec: Value) -> Result<()> {
    ctx.change::<CoprInstance>(name, spec).await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn an_instance_is_deleted_once_its_end_was_warned_of() -> Result<()> {
    with_namespace("expired", |ctx| async move {
        expired(&ctx, "copr").await?;
        let outlook = enforce(&ctx, &get(&ctx, "copr").await?).await?;
        ensure!(outlook.step == Step::Warn && outlook.look_again.is_some(), "{outlook:?}");
        warn(&ctx, "copr").await?;

        change(&ctx, "copr", json!({"paused": true})).await?;
        let outlook = enforce(&ctx, &get(&ctx, "copr").await?).await?;
        ensure!(outlook.step == Step::WaitForResume, "{outlook:?}");
        change(&ctx, "copr", json!({"paused": false})).await?;

        let outlook = enforce(&ctx, &get(&ctx, "copr").await?).await?;
        ensure!(outlook.step == Step::Delete, "{outlook:?}");
        ensure!(ctx.api::<CoprInstance>().get_opt("copr").await?.is_none(), "it is still there");
        let events = ctx.api::<Event>().list(&ListParams::default()).await?;
        ensure!(events.iter().any(|event| event.reason.as_deref() == Some("Expired")), "nothing told of it");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn an_extension_of_the_last_moment_wins() -> Result<()> {
    with_namespace("extended", |ctx| async move {
        expired(&ctx, "copr").await?;
        warn(&ctx, "copr").await?;
        let read = get(&ctx, "copr").await?;
        change(&ctx, "copr", json!({"expiresAt": null, "ttl": "8h"})).await?;
        let outlook = enforce(&ctx, &read).await?;
        ensure!(outlook.step == Step::Warn, "{outlook:?}");
        let extended = get(&ctx, "copr").await?;
        let outlook = enforce(&ctx, &extended).await?;
        ensure!(outlook.step == Step::Keep, "{outlook:?}");

        // Another one of that name isn't meant, either.
        ctx.api::<CoprInstance>().delete("copr", &kube::api::DeleteParams::default()).await?;
        expired(&ctx, "copr").await?;
        let outlook = enforce(&ctx, &read).await?;
        ensure!(outlook.step == Step::Warn, "{outlook:?}");
        ensure!(get(&ctx, "copr").await?.uid() != read.uid());
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_run_that_has_not_ended_is_waited_for() -> Result<()> {
    with_namespace("expired-in-use", |ctx| async move {
        let mut run = run_json("smoke");
        run["spec"]["instance"]["name"] = json!("copr");
        let run = apply::<CoprTestRun>(&ctx, &run, false).await?;
        let created = run.creation_timestamp().context("no time")?;
        expired(&ctx, "copr").await?;
        // A run that was created after the end keeps nothing alive.
        warn(&ctx, "copr").await?;
        let soon = created.0 + k8s_openapi::jiff::SignedDuration::from_secs(1);
        change(&ctx, "copr", json!({"expiresAt": soon.to_string()})).await?;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let outlook = enforce(&ctx, &get(&ctx, "copr").await?).await?;
        ensure!(outlook.step == Step::WaitForRuns(vec!["smoke".into()]), "{outlook:?}");

        let ended = Patch::Merge(json!({"status": {"phase": "Passed"}}));
        ctx.api::<CoprTestRun>().patch_status("smoke", &PatchParams::default(), &ended).await?;
        let outlook = enforce(&ctx, &get(&ctx, "copr").await?).await?;
        ensure!(outlook.step == Step::Delete, "{outlook:?}");
        Ok(())
    })
    .await
}
