//! When something is wrong that is not Copr: it ends in a condition that names it, and in Error, not Failed.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, kstatus, with_namespace};
use copr_operator_api::v1alpha1::{ComponentStatus, CoprInstance, CoprTestRun, Outcome, Phase, SecretRef};
use copr_operator_kernel::conditions;
use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::Condition};
use kube::api::ObjectMeta;

const SOON: Duration = Duration::from_secs(60);
const START: Duration = Duration::from_secs(5 * 60);
const RUN: Duration = Duration::from_secs(10 * 60);

fn condition<'a>(instance: &'a CoprInstance, type_: &str) -> Option<&'a Condition> {
    conditions::get(&instance.status.as_ref()?.conditions, type_)
}

/// Waits until the condition has the reason, and says all of what it names.
async fn reason(
    ctx: &Context,
    instance: &str,
    type_: &str,
    reason: &str,
    named: &[&str],
) -> Result<Condition> {
    let told = format!("{type_} for the reason {reason}, naming {named:?}");
    let found = ctx.until::<CoprInstance>(instance, &told, START, |instance| {
        condition(instance, type_).is_some_and(|c| {
            c.status == "False" && c.reason == reason && named.iter().all(|name| c.message.contains(name))
        })
    });
    condition(&found.await?, type_).cloned().context("gone")
}

/// Waits until the component doesn't answer for the reason, and says all of what it names.
async fn component(
    ctx: &Context,
    instance: &str,
    name: &str,
    reason: &str,
    named: &[&str],
) -> Result<ComponentStatus> {
    let told = format!("{name} in trouble for the reason {reason}, naming {named:?}");
    let says = |instance: &CoprInstance| {
        fixtures::component(instance, name).is_some_and(|c| {
            !c.ready && c.reason == reason && named.iter().all(|name| c.message.contains(name))
        })
    };
    let found = ctx.until::<CoprInstance>(instance, &told, START, says).await?;
    fixtures::component(&found, name).cloned().context("gone")
}

/// What the run says of how it ended.
fn verdict(run: &CoprTestRun) -> &str {
    let status = run.status.as_ref();
    status.and_then(|s| conditions::get(&s.conditions, "Succeeded")).map_or("", |c| &c.message)
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_run_of_an_instance_that_does_not_exist_says_so_and_ends_as_error() -> Result<()> {
    with_namespace("no-instance", |ctx| async move {
        let mut run = fixtures::run_against("smoke", "nowhere", &[]);
        run.spec.instance.ready_timeout = "20s".into();
        ctx.create(&run).await?;
        let waits = |run: &CoprTestRun| {
            let status = run.status.clone().unwrap_or_default();
            let found = conditions::get(&status.conditions, "InstanceReady");
            found.is_some_and(|c| c.reason == "InstanceNotFound" && c.message.contains("nowhere"))
        };
        ctx.until::<CoprTestRun>("smoke", "waiting for the instance by its name", SOON, waits).await?;
        let run = ctx.until::<CoprTestRun>("smoke", "finished", SOON, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Error, "{:?}", run.status);
        ensure!(
            verdict(&run).contains("nowhere"),
            "the verdict doesn't name the instance: {}",
            verdict(&run)
        );
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn an_external_database_that_is_missing_or_away_is_a_condition() -> Result<()> {
    with_namespace("no-database", |ctx| async move {
        let mut spec = fixtures::instance_spec();
        spec.database.external_secret = Some(SecretRef { name: "elsewhere".into() });
        ctx.create(&fixtures::instance("copr", spec)).await?;
        reason(&ctx, "copr", "Ready", "SecretNotFound", &["database.externalSecret", "elsewhere"]).await?;
        let stalled = ctx.api::<CoprInstance>().get("copr").await?;
        ensure!(kstatus(&stalled)? == "Failed", "{:?}", stalled.status);

        // The Secret comes, and its key doesn't.
        let named = |data| Secret {
            metadata: ObjectMeta { name: Some("elsewhere".into()), ..ObjectMeta::default() },
            string_data: Some(data),
            ..Secret::default()
        };
        ctx.create(&named([("url".into(), "x".into())].into())).await?;
        reason(&ctx, "copr", "Ready", "SecretInvalid", &["elsewhere", "uri"]).await?;

        // The key comes, and the database doesn't.
        ctx.delete::<Secret>("elsewhere", SOON).await?;
        let uri = "postgresql+psycopg2://copr:hunter2@127.0.0.1:1/coprdb";
        ctx.create(&named([("uri".into(), uri.into())].into())).await?;
        let failed = component(&ctx, "copr", "frontend", "SchemaFailed", &["schema", "127.0.0.1"]).await?;
        ensure!(!failed.message.contains("hunter2"), "the password is in the message: {}", failed.message);
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn an_image_that_cannot_be_pulled_is_named_and_the_run_ends_as_error() -> Result<()> {
    with_namespace("no-image", |ctx| async move {
        let mut spec = fixtures::instance_spec();
        spec.redis.component.image = Some("localhost/copr-redis:no-such-tag".into());
        let mut run = fixtures::run("smoke", spec, &[]);
        run.spec.instance.ready_timeout = "45s".into();
        ctx.create(&run).await?;
        component(&ctx, "smoke", "redis", "ImagePullFailed", &["localhost/copr-redis:no-such-tag"]).await?;
        let run = ctx.until::<CoprTestRun>("smoke", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Error, "{:?}", run.status);
        ensure!(
            verdict(&run).contains("no-such-tag"),
            "the verdict doesn't name the image: {}",
            verdict(&run)
        );
        for test in fixtures::tests(&run) {
            ensure!(
                test.outcome == Outcome::Error,
                "{} is {:?} though it never ran",
                test.name,
                test.outcome
            );
        }
        Ok(())
    })
    .await
}

/// One instance for several runs: they don't disturb each other, and leave it as it was.
#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn runs_of_an_instance_that_exists_judge_it_and_leave_it_alone() -> Result<()> {
    with_namespace("existing", |ctx| async move {
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        let mut unpullable = fixtures::run_against("unpullable", "copr", &["auth"]);
        unpullable.spec.suite.image = Some("localhost/copr-sanity:no-such-tag".into());
        let mut late = fixtures::run_against("late", "copr", &["parallel-builds"]);
        late.spec.suite.timeout = "20s".into();
        ctx.create(&fixtures::run_against("good", "copr", &["auth", "chroots"])).await?;
        ctx.create(&unpullable).await?;
        ctx.create(&late).await?;

        let good = ctx.until::<CoprTestRun>("good", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&good) == Phase::Passed, "{:?}", good.status);

        let unpullable = ctx.until::<CoprTestRun>("unpullable", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&unpullable) == Phase::Error, "{:?}", unpullable.status);
        // Nobody knows the tests of a suite that can't be pulled.
        let said = fixtures::verdict(&unpullable).context("no verdict")?;
        ensure!(
            said.message.contains("PodImagePullFailed") && said.message.contains("no-such-tag"),
            "{said:?}"
        );

        let late = ctx.until::<CoprTestRun>("late", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&late) == Phase::Error, "{:?}", late.status);

        let instance = ctx.until::<CoprInstance>("copr", "there", SOON, |_| true).await?;
        ensure!(instance.metadata.generation == Some(1), "a run changed the instance");
        ensure!(
            condition(&instance, "Available").is_some_and(|c| c.status == "True"),
            "{:?}",
            instance.status
        );
        Ok(())
    })
    .await
}
