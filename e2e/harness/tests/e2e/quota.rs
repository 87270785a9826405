//! Namespaces that are counted and bounded.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, with_namespace};
use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun, Phase};
use copr_operator_kernel::conditions::is_true;
use k8s_openapi::api::core::v1::{LimitRange, Pod, ResourceQuota};
use kube::api::ListParams;
use serde_json::json;

const READY: Duration = Duration::from_secs(5 * 60);
const RUN: Duration = Duration::from_secs(10 * 60);

/// What a quota counts, each container has to have; a LimitRange's own would end what is larger.
async fn bound(ctx: &Context) -> Result<()> {
    let hard = json!({
        "requests.cpu": "8", "requests.memory": "16Gi", "limits.cpu": "200", "limits.memory": "200Gi", "pods": "60",
        "services": "30", "secrets": "60", "configmaps": "60", "persistentvolumeclaims": "20", "requests.storage": "100Gi",
    });
    let quota: ResourceQuota =
        serde_json::from_value(json!({"metadata": {"name": "quota"}, "spec": {"hard": hard}}))?;
    ctx.create(&quota).await?;
    let tiny =
        json!({"type": "Container", "default": {"memory": "8Mi"}, "defaultRequest": {"memory": "8Mi"}});
    let limits: LimitRange =
        serde_json::from_value(json!({"metadata": {"name": "tiny"}, "spec": {"limits": [tiny]}}))?;
    ctx.create(&limits).await?;
    Ok(())
}

/// From spec to signed repository, builders and tests included, and nobody has to know the quota.
#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_build_succeeds_in_a_namespace_with_a_quota_and_a_limit_range() -> Result<()> {
    with_namespace("quota", |ctx| async move {
        bound(&ctx).await?;
        let mut spec = fixtures::instance_spec();
        spec.defaults.pod.labels = [("example.org/team".to_owned(), "copr".to_owned())].into();
        ctx.create(&fixtures::instance("copr", spec)).await?;
        let ready = |instance: &CoprInstance| {
            instance.status.as_ref().is_some_and(|status| is_true(&status.conditions, "Ready"))
        };
        ctx.until("copr", "Ready", READY, ready).await?;
        ctx.create(&fixtures::run_against("one", "copr", &["auth", "build-spec"])).await?;
        let run = ctx.until::<CoprTestRun>("one", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Passed, "{:?}", run.status);

        let pods = ctx.api::<Pod>().list(&ListParams::default()).await?;
        for pod in pods {
            let name = pod.metadata.name.unwrap_or_default();
            let labels = pod.metadata.labels.unwrap_or_default();
            ensure!(labels.get("example.org/team").is_some_and(|team| team == "copr"), "{name}: {labels:?}");
            let spec = pod.spec.context("no spec")?;
            for container in spec.init_containers.iter().flatten().chain(&spec.containers) {
                let limits = container.resources.as_ref().and_then(|resources| resources.limits.as_ref());
                let memory = limits.and_then(|limits| limits.get("memory"));
                ensure!(memory.is_some_and(|memory| memory.0 != "8Mi"), "{name}: {memory:?}");
            }
        }
        Ok(())
    })
    .await
}
