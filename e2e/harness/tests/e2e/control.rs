//! Runs about the same: which of them goes on, and who is told.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Receiver, fixtures, with_namespace};
use copr_operator_api::v1alpha1::{
    Concurrency, ConcurrencyPolicy, CoprTestRun, Phase, Report, SecretRef, Webhook,
};
use copr_operator_kernel::conditions;
use k8s_openapi::{ByteString, api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);

/// A run of the group that waits for an instance that there isn't.
fn waiting(name: &str, policy: ConcurrencyPolicy) -> CoprTestRun {
    let mut run = fixtures::run_against(name, "missing", &[]);
    run.spec.concurrency = Some(Concurrency { group: "pull-request-7".into(), policy });
    run
}

fn under_way(run: &CoprTestRun) -> bool {
    run.status.as_ref().is_some_and(|status| status.timestamps.admitted.is_some()) && !fixtures::finished(run)
}

fn says(run: &CoprTestRun, words: &str) -> bool {
    fixtures::verdict(run).is_some_and(|verdict| verdict.message.contains(words))
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_newer_run_of_a_group_waits_for_the_older_or_ends_it() -> Result<()> {
    with_namespace("groups", |ctx| async move {
        ctx.create(&waiting("a-first", ConcurrencyPolicy::CancelOlder)).await?;
        ctx.until::<CoprTestRun>("a-first", "under way", SOON, under_way).await?;

        ctx.create(&waiting("b-newer", ConcurrencyPolicy::CancelOlder)).await?;
        let first = ctx.until::<CoprTestRun>("a-first", "finished", SOON, fixtures::finished).await?;
        ensure!(fixtures::phase(&first) == Phase::Cancelled && says(&first, "b-newer"), "{:?}", first.status);
        ctx.until::<CoprTestRun>("b-newer", "under way", SOON, under_way).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_run_in_the_queue_of_its_group_says_so_and_goes_on_when_the_older_one_ends() -> Result<()> {
    with_namespace("queue", |ctx| async move {
        ctx.create(&waiting("a-first", ConcurrencyPolicy::Queue)).await?;
        ctx.until::<CoprTestRun>("a-first", "under way", SOON, under_way).await?;
        ctx.create(&waiting("b-second", ConcurrencyPolicy::Queue)).await?;
        let queued = |run: &CoprTestRun| {
            run.status.as_ref().is_some_and(|status| status.queue_place == Some(1)) && says(run, "a-first")
        };
        ctx.until::<CoprTestRun>("b-second", "in the queue", SOON, queued).await?;
        ctx.cancel("a-first").await?;
        ctx.until::<CoprTestRun>("b-second", "under way", SOON, under_way).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_webhook_is_told_of_start_and_end_though_it_refuses_at_first() -> Result<()> {
    with_namespace("webhook", |ctx| async move {
        let receiver = Receiver::start(&ctx, 2).await?;
        let key = ("key".to_owned(), ByteString(b"sesame".to_vec()));
        ctx.create(&Secret {
            metadata: ObjectMeta { name: Some("webhook".into()), ..ObjectMeta::default() },
            data: Some([key].into()),
            ..Secret::default()
        })
        .await?;
        let mut run = fixtures::run_against("told", "missing", &[]);
        run.spec.report = Some(Report {
            forge: None,
            webhook: Some(Webhook {
                url: receiver.url(),
                signing_secret: Some(SecretRef { name: "webhook".into() }),
                ca_config_map: None,
            }),
        });
        ctx.create(&run).await?;
        ctx.until::<CoprTestRun>("told", "under way", SOON, under_way).await?;
        ctx.cancel("told").await?;
        let is_told = |run: &CoprTestRun| {
            let conditions = run.status.as_ref().map(|status| status.conditions.as_slice());
            conditions.is_some_and(|conditions| conditions::is_true(conditions, "Reported"))
        };
        let run = ctx.until::<CoprTestRun>("told", "told of", SOON, is_told).await?;
        ensure!(fixtures::phase(&run) == Phase::Cancelled, "{:?}", run.status);

        let events = receiver.accepted();
        let last = events.last().context("nothing was received")?;
        let event: Value = serde_json::from_slice(&last.body).context("the event is not JSON")?;
        ensure!(event["type"] == "org.fedorainfracloud.copr.testrun.finished", "{event}");
        ensure!(event["data"]["phase"] == "Cancelled", "{event}");
        ensure!(last.is_signed_with("sesame"), "another signature than that of the key: {last:?}");
        Ok(())
    })
    .await
}
