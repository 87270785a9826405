//! What is left to look at when a test fails.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Error, Result};
use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, StatefulSet},
        batch::v1::Job,
        core::v1::{ConfigMap, Event, PersistentVolumeClaim, Pod, Service},
    },
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams, LogParams},
};

/// Writes the objects, events and logs of a namespace to `target/e2e/NAMESPACE/`, and says so. A failure to do that
/// is said, too, and must not hide the failure that is to be looked at.
pub async fn dump(client: &Client, namespace: &str, failure: &Error) {
    let folder = folder(namespace);
    eprintln!("{namespace}: {failure:?}");
    match write(client, namespace, &folder).await {
        Ok(()) => eprintln!("{namespace}: objects, events and logs are in {}", folder.display()),
        Err(error) => eprintln!("{namespace}: failed to write down what is there: {error:#}"),
    }
}

/// Beside the build, which is the repository's `target/` unless cargo was told otherwise.
fn folder(namespace: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    target.join("e2e").join(namespace)
}

async fn write(client: &Client, namespace: &str, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    objects::<CoprTestRun>(client, namespace, folder).await?;
    objects::<CoprInstance>(client, namespace, folder).await?;
    objects::<Deployment>(client, namespace, folder).await?;
    objects::<StatefulSet>(client, namespace, folder).await?;
    objects::<Job>(client, namespace, folder).await?;
    objects::<Pod>(client, namespace, folder).await?;
    objects::<Service>(client, namespace, folder).await?;
    objects::<ConfigMap>(client, namespace, folder).await?;
    objects::<PersistentVolumeClaim>(client, namespace, folder).await?;
    events(client, namespace, folder).await?;
    logs(client, namespace, folder).await?;
    logs(client, "copr-operator", folder).await
}

/// As they are stored: an object that isn't what its kind says is just what one wants to see.
async fn objects<K>(client: &Client, namespace: &str, folder: &Path) -> Result<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    let resource = ApiResource::erase::<K>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let list = api
        .list(&ListParams::default())
        .await
        .with_context(|| format!("failed to list {}", resource.plural))?;
    if list.items.is_empty() {
        return Ok(());
    }
    let text = serde_saphyr::to_string(&list.items)?;
    let file = folder.join(format!("{}.yaml", resource.plural));
    fs::write(&file, text).with_context(|| format!("failed to write {}", file.display()))
}

async fn events(client: &Client, namespace: &str, folder: &Path) -> Result<()> {
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    let mut list = api.list(&ListParams::default()).await.context("failed to list events")?.items;
    list.sort_by_key(ResourceExt::creation_timestamp);
    let text: String = list.into_iter().map(line).collect();
    fs::write(folder.join("events.txt"), text).context("failed to write events.txt")
}

fn line(event: Event) -> String {
    let at = event.creation_timestamp().map(|time| time.0.to_string()).unwrap_or_default();
    let (object, reason) = (event.involved_object, event.reason.unwrap_or_default());
    let (kind, name) = (object.kind.unwrap_or_default(), object.name.unwrap_or_default());
    format!("{at} {kind}/{name} {reason}: {}\n", event.message.unwrap_or_default())
}

async fn logs(client: &Client, namespace: &str, folder: &Path) -> Result<()> {
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    for pod in api.list(&ListParams::default()).await.context("failed to list pods")? {
        let name = pod.name_any();
        let spec = pod.spec.unwrap_or_default();
        for container in spec.init_containers.unwrap_or_default().iter().chain(&spec.containers) {
            for previous in [false, true] {
                let params =
                    LogParams { container: Some(container.name.clone()), previous, ..LogParams::default() };
                // A container that never ran, or never restarted, has no such log.
                if let Ok(log) = api.logs(&name, &params).await {
                    let suffix = if previous { ".previous" } else { "" };
                    let file = folder.join(format!("{name}.{}{suffix}.log", container.name));
                    fs::write(&file, log).with_context(|| format!("failed to write {}", file.display()))?;
                }
            }
        }
    }
    Ok(())
}
