//! Builders that can't come, that the cluster ends or that nobody needs any more.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, with_namespace};
use copr_operator_api::{
    labels,
    v1alpha1::{CoprInstance, CoprTestRun, KeepInstance, Outcome, Phase, TestStatus},
};
use copr_operator_kernel::conditions;
use k8s_openapi::{
    api::core::v1::{Namespace, Pod, ResourceRequirements},
    apimachinery::pkg::api::resource::Quantity,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
    runtime::watcher,
};
use serde_json::json;

const START: Duration = Duration::from_secs(5 * 60);
const RUN: Duration = Duration::from_secs(10 * 60);
const SOON: Duration = Duration::from_secs(90);

/// The level of Pod Security that the namespace of the test enforces.
async fn enforce(ctx: &Context, level: &str) -> Result<()> {
    let api: Api<Namespace> = Api::all(ctx.client.clone());
    let patch = Patch::Merge(json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}}));
    api.patch(&ctx.namespace, &PatchParams::default(), &patch).await.context("failed to label")?;
    Ok(())
}

/// Waits until a condition of the instance has this status and reason, and names all of this.
async fn says(
    ctx: &Context,
    instance: &str,
    expected: (&str, &str, &str),
    named: &[&str],
    within: Duration,
) -> Result<CoprInstance> {
    let (type_, status, reason) = expected;
    let what = format!("{type_} is {status} for {reason}, naming {named:?}");
    let holds = |instance: &CoprInstance| {
        let known = instance.status.as_ref().and_then(|s| conditions::get(&s.conditions, type_));
        known.is_some_and(|c| {
            c.status == status && c.reason == reason && named.iter().all(|name| c.message.contains(name))
        })
    };
    ctx.until::<CoprInstance>(instance, &what, within, holds).await
}

fn test<'a>(run: &'a CoprTestRun, name: &str) -> Result<&'a TestStatus> {
    fixtures::tests(run).iter().find(|test| test.name == name).with_context(|| format!("{name} wasn't run"))
}

fn is_error(run: &CoprTestRun, name: &str, reason: &str, named: &str) -> Result<()> {
    let test = test(run, name)?;
    ensure!(test.outcome == Outcome::Error && test.reason.as_deref() == Some(reason), "{test:?}");
    ensure!(test.message.as_ref().is_some_and(|said| said.contains(named)), "{test:?}");
    ensure!(fixtures::phase(run) == Phase::Error, "{:?}", run.status);
    Ok(())
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn builders_that_pod_security_refuses_are_known_before_any_build_and_the_run_ends_in_seconds()
-> Result<()> {
    with_namespace("builders-refused", |ctx| async move {
        enforce(&ctx, "baseline").await?;
        let mut run = fixtures::run("smoke", fixtures::instance_spec(), &["build-spec", "auth"]);
        run.spec.keep_instance = KeepInstance::OnFailure;
        ctx.create(&run).await?;
        let refused = ("BuildersReady", "False", "BuilderRefused");
        says(&ctx, "smoke", refused, &["violates PodSecurity", "baseline"], START).await?;

        let run = ctx.until::<CoprTestRun>("smoke", "finished", RUN, fixtures::finished).await?;
        is_error(&run, "build-spec", "BuilderRefused", "violates PodSecurity")?;
        ensure!(test(&run, "auth")?.outcome == Outcome::Passed, "{:?}", test(&run, "auth")?);
        let times = run.status.clone().unwrap_or_default().timestamps;
        let (ready, finished) = times.instance_ready.zip(times.finished).context("no timestamps")?;
        let took = finished.0.duration_since(ready.0).as_secs();
        ensure!(took < 60, "it took {took} s");

        // It is over by itself when they are admitted.
        enforce(&ctx, "privileged").await?;
        says(&ctx, "smoke", ("BuildersReady", "True", "Available"), &[], SOON).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_chroot_without_mock_configuration_and_a_builder_without_memory_are_no_fault_of_copr() -> Result<()>
{
    with_namespace("builders-unfit", |ctx| async move {
        let little: BTreeMap<_, _> = [("memory".to_owned(), Quantity("16Mi".into()))].into();
        let mut spec = fixtures::instance_spec();
        spec.chroots = vec!["fedora-99-x86_64".into(), fixtures::CHROOT.into()];
        spec.builders.resources = Some(ResourceRequirements {
            limits: Some(little.clone()),
            requests: Some(little),
            ..ResourceRequirements::default()
        });
        ctx.create(&fixtures::instance("copr", spec)).await?;
        let file = "/etc/mock/fedora-99-x86_64.cfg";
        let missing = ("ChrootsReady", "False", "MockConfigMissing");
        let instance = says(&ctx, "copr", missing, &[file, "copr-builder"], START).await?;
        let status = instance.status.context("no status")?;
        ensure!(status.chroots_without_mock_config == ["fedora-99-x86_64"], "{status:?}");

        let mut run = fixtures::run_against("chroot", "copr", &["build-spec", "chroots"]);
        run.spec.suite.retries = 0;
        ctx.create(&run).await?;
        let run = ctx.until::<CoprTestRun>("chroot", "finished", RUN, fixtures::finished).await?;
        is_error(&run, "build-spec", "MockConfigMissing", file)?;
        ensure!(test(&run, "chroots")?.outcome == Outcome::Passed, "{:?}", test(&run, "chroots")?);

        ctx.change::<CoprInstance>("copr", json!({"chroots": [fixtures::CHROOT]})).await?;
        says(&ctx, "copr", ("ChrootsReady", "True", "Available"), &[], START).await?;
        let mut run = fixtures::run_against("memory", "copr", &["build-spec"]);
        run.spec.suite.retries = 0;
        run.spec.suite.test_timeout = Some("3m".into());
        ctx.create(&run).await?;
        let run = ctx.until::<CoprTestRun>("memory", "finished", RUN, fixtures::finished).await?;
        is_error(&run, "build-spec", "BuilderOutOfMemory", "memory")
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_run_cancelled_while_it_builds_leaves_no_builder() -> Result<()> {
    with_namespace("cancelled-build", |ctx| async move {
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        // Its build would sleep for two hours.
        ctx.create(&fixtures::run_against("smoke", "copr", &["cancel"])).await?;
        let builders = watcher::Config::default().labels(&format!("{}=builder", labels::COMPONENT));
        let runs = |pod: &Pod| pod.status.as_ref().is_some_and(|s| s.phase.as_deref() == Some("Running"));
        ctx.until_any(builders, "a builder that runs", START, runs).await?;
        ctx.cancel("smoke").await?;
        let run = ctx.until::<CoprTestRun>("smoke", "finished", SOON, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Cancelled, "{:?}", run.status);
        ensure!(test(&run, "cancel")?.reason.as_deref() == Some("Cancelled"), "{run:?}");

        // First the test's pod, which cleans up; then whatever it left. Whoever builds now has every builder.
        let pod = test(&run, "cancel")?.pod.clone().context("no pod")?;
        ctx.until_gone::<Pod>(&pod, SOON).await?;
        let query = ListParams::default().labels(&format!("{}=builder", labels::COMPONENT));
        for pod in ctx.api::<Pod>().list(&query).await? {
            ctx.until_gone::<Pod>(&pod.name_any(), SOON).await.context("a builder was left behind")?;
        }
        // The next stage of a build that goes on would take another one within seconds.
        tokio::time::sleep(Duration::from_secs(15)).await;
        let left = ctx.api::<Pod>().list(&query).await?.items;
        ensure!(
            left.is_empty(),
            "a build goes on: {:?}",
            left.iter().map(ResourceExt::name_any).collect::<Vec<_>>()
        );
        Ok(())
    })
    .await
}

/// As when its node goes: nobody tells it to end, and nobody waits until it has.
#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_builder_that_is_lost_during_a_build_is_no_fault_of_copr() -> Result<()> {
    with_namespace("builder-lost", |ctx| async move {
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        let mut run = fixtures::run_against("smoke", "copr", &["build-spec"]);
        run.spec.suite.test_timeout = Some("4m".into());
        ctx.create(&run).await?;
        let builders = watcher::Config::default().labels(&format!("{}=builder", labels::COMPONENT));
        let runs = |pod: &Pod| pod.status.as_ref().is_some_and(|s| s.phase.as_deref() == Some("Running"));
        let builder = ctx.until_any(builders, "a builder that runs", START, runs).await?.name_any();
        let at_once = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        ctx.api::<Pod>().delete(&builder, &at_once).await?;

        // Lost before its build or under it: either way Copr takes another one, or the test is tried again.
        ctx.until_gone::<Pod>(&builder, SOON).await?;
        let run = ctx.until::<CoprTestRun>("smoke", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Passed, "{:?}", run.status);
        Ok(())
    })
    .await
}
