//! The operator's own pod.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
    runtime::watcher,
};
use serde_json::json;

use crate::{fixtures, wait};

const NAMESPACE: &str = "copr-operator";
const DEPLOYMENT: &str = "copr-operator";
const PODS: &str = "app.kubernetes.io/name=copr-operator";
const READY: Duration = Duration::from_secs(60);

/// The operator.
pub struct Operator {
    client: Client,
}

impl Operator {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Its pods and how often their containers restarted. Empty where it isn't installed.
    pub async fn identity(&self) -> Result<Vec<String>> {
        let mut identities: Vec<String> = self.list().await?.iter().map(identity).collect();
        identities.sort();
        Ok(identities)
    }

    /// Deletes its pod without a chance to end well, and waits until another is ready.
    pub async fn kill(&self) -> Result<()> {
        let pods = self.list().await?;
        ensure!(!pods.is_empty(), "the operator has no pod to kill");
        let killed: Vec<_> = pods.iter().map(ResourceExt::name_any).collect();
        for name in &killed {
            let params = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
            self.pods().delete(name, &params).await.with_context(|| format!("failed to kill {name}"))?;
            wait::until(self.pods(), name, "gone", READY, |pod| pod.is_none()).await?;
        }
        // The Deployment's status may not have noticed yet.
        let is_another = |pod: &Pod| !killed.contains(&pod.name_any()) && fixtures::pod_ready(pod);
        let pods = watcher::Config::default().labels(PODS);
        wait::until_any(self.pods(), pods, "another pod of the operator", READY, is_another).await?;
        self.available(1).await
    }

    /// Deletes one of its pods without a chance to end well; another comes in its place.
    pub async fn kill_one(&self, pod: &str) -> Result<()> {
        let params = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
        self.pods().delete(pod, &params).await.with_context(|| format!("failed to kill {pod}"))?;
        Ok(())
    }

    /// Sets the number of its pods, and waits until that is so.
    pub async fn scale(&self, replicas: i32) -> Result<()> {
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        self.deployments()
            .patch_scale(DEPLOYMENT, &PatchParams::default(), &patch)
            .await
            .context("failed to scale the operator")?;
        self.available(replicas).await?;
        for pod in self.list().await?.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_some()) {
            wait::until(self.pods(), &pod.name_any(), "gone", READY, |pod| pod.is_none()).await?;
        }
        Ok(())
    }

    async fn available(&self, replicas: i32) -> Result<()> {
        let counted = |deployment: Option<&Deployment>| {
            let status = deployment.and_then(|deployment| deployment.status.as_ref());
            status.is_some_and(|status| {
                status.available_replicas.unwrap_or(0) == replicas && status.replicas.unwrap_or(0) == replicas
            })
        };
        wait::until(self.deployments(), DEPLOYMENT, "available", READY, counted).await?;
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Pod>> {
        let params = ListParams::default().labels(PODS);
        Ok(self.pods().list(&params).await.context("failed to list the operator's pods")?.items)
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }
}

fn identity(pod: &Pod) -> String {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let restarts: i32 = statuses.map(|status| status.restart_count).sum();
    format!("{} {} restarts={restarts}", pod.name_any(), pod.uid().unwrap_or_default())
}
