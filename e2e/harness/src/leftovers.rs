//! What an object that was deleted left behind.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, ReplicaSet, StatefulSet},
        batch::v1::Job,
        core::v1::{
            ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service, ServiceAccount,
        },
        networking::v1::NetworkPolicy,
        rbac::v1::{Role, RoleBinding},
    },
};
use kube::{
    Api, Resource,
    api::{ListParams, ObjectMeta},
};
use serde::de::DeserializeOwned;

use crate::Context;

/// The API tells of one kind at a time, so this is polled.
const INTERVAL: Duration = Duration::from_millis(500);

/// Waits until nothing is left in the namespace of a test but what Kubernetes puts into every namespace, nor a volume
/// that was claimed there.
pub async fn leftovers(ctx: &Context, within: Duration) -> Result<()> {
    let deadline = Instant::now() + within;
    loop {
        let left = list(ctx).await?;
        if left.is_empty() {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "left behind after {within:?}: {}", left.join(", "));
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn list(ctx: &Context) -> Result<Vec<String>> {
    let mut left = Vec::new();
    left.extend(names::<CoprTestRun>(ctx).await?);
    left.extend(names::<CoprInstance>(ctx).await?);
    left.extend(names::<Deployment>(ctx).await?);
    left.extend(names::<ReplicaSet>(ctx).await?);
    left.extend(names::<StatefulSet>(ctx).await?);
    left.extend(names::<Job>(ctx).await?);
    left.extend(names::<Pod>(ctx).await?);
    left.extend(names::<Service>(ctx).await?);
    left.extend(names::<ConfigMap>(ctx).await?);
    left.extend(names::<Secret>(ctx).await?);
    left.extend(names::<PersistentVolumeClaim>(ctx).await?);
    left.extend(names::<ServiceAccount>(ctx).await?);
    left.extend(names::<Role>(ctx).await?);
    left.extend(names::<RoleBinding>(ctx).await?);
    left.extend(names::<NetworkPolicy>(ctx).await?);
    left.extend(volumes(ctx).await?);
    Ok(left)
}

async fn names<K>(ctx: &Context) -> Result<Vec<String>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let kind = K::kind(&());
    let found = ctx
        .api::<K>()
        .list_metadata(&ListParams::default())
        .await
        .with_context(|| format!("failed to list {kind}"))?;
    Ok(found.items.iter().filter(|o| !given(&kind, &o.metadata)).map(|o| named(&kind, &o.metadata)).collect())
}

/// Volumes are in no namespace, but say for which one they were made.
async fn volumes(ctx: &Context) -> Result<Vec<String>> {
    let api: Api<PersistentVolume> = Api::all(ctx.client.clone());
    let found = api.list(&ListParams::default()).await.context("failed to list PersistentVolume")?;
    let ours = found.items.iter().filter(|volume| {
        let claim = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
        claim.is_some_and(|claim| claim.namespace.as_ref() == Some(&ctx.namespace))
    });
    Ok(ours.map(|volume| named("PersistentVolume", &volume.metadata)).collect())
}

fn given(kind: &str, metadata: &ObjectMeta) -> bool {
    matches!(
        (kind, metadata.name.as_deref()),
        ("ConfigMap", Some("kube-root-ca.crt" | "openshift-service-ca.crt"))
            | ("ServiceAccount", Some("default" | "builder" | "deployer"))
    )
}

fn named(kind: &str, metadata: &ObjectMeta) -> String {
    format!("{kind} {}", metadata.name.as_deref().unwrap_or("?"))
}
