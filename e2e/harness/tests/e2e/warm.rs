//! Builders that are ready before a build needs one.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Result, ensure};
use copr_e2e::{Context, fixtures, with_namespace};
use copr_operator_api::{
    labels,
    v1alpha1::{CoprInstance, CoprTestRun, Phase},
};
use copr_operator_kernel::conditions;
use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt, api::ListParams, runtime::watcher};
use serde_json::json;

const SOON: Duration = Duration::from_secs(90);
const START: Duration = Duration::from_secs(5 * 60);
const RUN: Duration = Duration::from_secs(10 * 60);
/// A changed ConfigMap is in the pod that mounts it.
const MOUNTED: Duration = Duration::from_secs(3 * 60);

fn builders() -> watcher::Config {
    watcher::Config::default().labels(&format!("{}=builder", labels::COMPONENT))
}

fn ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && conditions.into_iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True")
}

fn is(instance: &CoprInstance, type_: &str) -> bool {
    let status = instance.status.clone().unwrap_or_default();
    let found = conditions::get(&status.conditions, type_);
    found.is_some_and(|c| c.status == "True" && c.observed_generation == instance.metadata.generation)
}

async fn names(ctx: &Context) -> Result<BTreeSet<String>> {
    let query = ListParams::default().labels(&format!("{}=builder", labels::COMPONENT));
    Ok(ctx.api::<Pod>().list(&query).await?.iter().map(ResourceExt::name_any).collect())
}

/// A builder that is ready and none of those.
async fn another(ctx: &Context, than: &BTreeSet<String>, within: Duration) -> Result<String> {
    let than = than.clone();
    let found = ctx.until_any(builders(), "another builder that is ready", within, move |pod: &Pod| {
        ready(pod) && !than.contains(&pod.name_any())
    });
    Ok(found.await?.name_any())
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_warm_builder_is_there_before_the_first_build_which_takes_it() -> Result<()> {
    with_namespace("warm", |ctx| async move {
        let mut spec = fixtures::instance_spec();
        spec.builders.warm = 1;
        spec.builders.max = 2;
        ctx.create(&fixtures::instance("copr", spec)).await?;
        let warm = another(&ctx, &BTreeSet::new(), START).await?;
        ctx.until::<CoprInstance>("copr", "ready", START, |instance| is(instance, "Ready")).await?;
        // It waits, and so does no other.
        tokio::time::sleep(Duration::from_secs(30)).await;
        ensure!(names(&ctx).await? == [warm.clone()].into(), "{:?}", names(&ctx).await?);

        ctx.create(&fixtures::run_against("build", "copr", &["build-spec", "parallel-builds"])).await?;
        ctx.until_gone::<Pod>(&warm, RUN).await?;
        let run = ctx.until::<CoprTestRun>("build", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Passed, "{:?}", run.status);
        let next = another(&ctx, &[warm].into(), SOON).await?;

        // What would be made otherwise now is replaced while no build has it.
        let cpu = json!({"builders": {"resources": {"requests": {"cpu": "21m"}}}});
        ctx.change::<CoprInstance>("copr", cpu).await?;
        ctx.until_gone::<Pod>(&next, MOUNTED).await?;
        another(&ctx, &[next].into(), SOON).await?;

        // A restart that would end builds doesn't wait for a builder that is idle.
        let before = ctx.api::<Pod>().get("copr-backend-0").await?.uid();
        let more = json!({"backend": {"resources": {"requests": {"cpu": "21m"}}}});
        ctx.change::<CoprInstance>("copr", more).await?;
        let replaced = move |pod: &Pod| pod.uid() != before && ready(pod);
        ctx.until::<Pod>("copr-backend-0", "replaced", MOUNTED + RUN, replaced).await?;
        ctx.until::<CoprInstance>("copr", "settled", SOON, |i| is(i, "Ready")).await?;
        let idle = another(&ctx, &BTreeSet::new(), MOUNTED).await?;

        // Without warm builders the idle one goes.
        ctx.change::<CoprInstance>("copr", json!({"builders": {"warm": 0}})).await?;
        ctx.until_gone::<Pod>(&idle, MOUNTED).await?;
        let instance = ctx.api::<CoprInstance>().get("copr").await?;
        let incidents = instance.status.unwrap_or_default().builder_incidents;
        ensure!(incidents.is_empty(), "{incidents:?}");
        Ok(())
    })
    .await
}
