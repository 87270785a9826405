//! Client required: deletes from registries the built images that no instance has used for `registry.retention`.
//!
//! When an image was last used is in a ConfigMap beside the operator: an ephemeral instance is long gone by then. Only what is
//! in there, that is what the operator built or reused for some instance, is ever deleted. Instances are watched, as one may
//! come and go between two sweeps.

use std::{collections::BTreeMap, pin::pin, time::Duration};

use futures::StreamExt as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{ListParams, ObjectMeta, Patch, PatchParams},
    core::DeserializeGuard,
    runtime::{WatchStreamExt as _, watcher},
};
use tokio::time::Instant;

use super::{
    access,
    ledger::{self, Entry, Ledger},
    registry::{self, Registry},
};
use crate::{api::v1alpha1::CoprInstance, backoff::BrokenWatch, labels::FIELD_MANAGER, report};

/// The ConfigMap.
const LEDGER: &str = "copr-operator-images";
const SHORTEST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What went wrong in a sweep.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// Instances couldn't be listed.
    #[error("failed to list the instances")]
    List(#[source] kube::Error),
    /// The ledger couldn't be read.
    #[error("failed to read the ConfigMap {LEDGER}")]
    Read(#[source] kube::Error),
    /// The ledger couldn't be written.
    #[error("failed to write the ConfigMap {LEDGER}")]
    Write(#[source] kube::Error),
    /// An entry of the ledger couldn't be written as JSON.
    #[error("failed to serialize an entry of the ConfigMap {LEDGER}")]
    Serialize(#[source] serde_json::Error),
}

/// Why one image wasn't deleted.
#[derive(Debug, thiserror::Error)]
enum Kept {
    #[error(transparent)]
    Access(#[from] access::Error),
    #[error(transparent)]
    Registry(#[from] registry::Error),
}

/// Sweeps until `shutdown`. `namespace` is the operator's own.
pub async fn run(client: Client, namespace: String, shutdown: impl Future<Output = ()> + Send) {
    let instances = Api::<DeserializeGuard<CoprInstance>>::all(client.clone());
    let watch = watcher(instances, watcher::Config::default());
    let sweeps = async {
        let mut touched = pin!(watch.backoff(BrokenWatch).touched_objects());
        let (mut seen, mut next) = (Ledger::new(), Instant::now());
        loop {
            tokio::select! {
                touched = touched.next() => {
                    // A watch that broke starts again by itself, and never ends.
                    if let Some(Ok(guard)) = touched {
                        seen.extend(ledger::used(guard.0.iter(), access::internal_url, now()));
                        next = next.min(Instant::now() + pause(&seen));
                    }
                }
                () = tokio::time::sleep_until(next) => {
                    match sweep(&client, &namespace, &seen).await {
                        Ok(pause) => {
                            seen.clear();
                            next = Instant::now() + pause;
                        }
                        Err(error) => {
                            next = Instant::now() + LONGEST_PAUSE;
                            let error = report::chain(&error);
                            tracing::warn!(error, "Failed to look for images that nobody uses");
                        }
                    }
                }
            }
        }
    };
    futures::future::select(Box::pin(sweeps), Box::pin(shutdown)).await;
}

/// One look at everything, and at what instances were `seen` to use since the last; returns after how long to look again.
async fn sweep(client: &Client, namespace: &str, seen: &Ledger) -> Result<Duration, Error> {
    let now = now();
    let instances = Api::<DeserializeGuard<CoprInstance>>::all(client.clone());
    let instances = instances.list(&ListParams::default()).await.map_err(Error::List)?;
    let readable = instances.items.iter().filter_map(|guard| guard.0.as_ref().ok());
    let used = ledger::used(readable, access::internal_url, now);
    let mut ledger = read(client, namespace).await?;
    let mut changed = ledger::note(&mut ledger, seen);
    changed |= ledger::note(&mut ledger, &used);
    for key in ledger::expired(&ledger, &used, now) {
        let Some(entry) = ledger.get(&key).cloned() else { continue };
        match delete(client, &entry).await {
            Ok(()) => {
                tracing::info!(image = entry.image, "Deleted an image that no instance has used for long");
                ledger.remove(&key);
                changed = true;
            }
            // With the namespace its credentials are gone, and nobody can delete it from here any more.
            Err(Kept::Access(gone @ access::Error::NotFound { .. })) => {
                tracing::warn!(
                    image = entry.image,
                    error = report::chain(&gone),
                    "An image that nobody uses stays in its registry"
                );
                ledger.remove(&key);
                changed = true;
            }
            // It stays in the ledger, so it's tried again.
            Err(kept) => {
                tracing::warn!(
                    image = entry.image,
                    error = report::chain(&kept),
                    "Failed to delete an image"
                );
            }
        }
    }
    if changed {
        write(client, namespace, &ledger).await?;
    }
    Ok(pause(&ledger))
}

/// Half of the shortest time that an image is kept, as far as that is reasonable.
fn pause(ledger: &Ledger) -> Duration {
    let half = ledger::shortest(ledger).map_or(LONGEST_PAUSE, |shortest| shortest.unsigned_abs() / 2);
    half.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

async fn delete(client: &Client, entry: &Entry) -> Result<(), Kept> {
    let target = access::target(client, &entry.namespace, entry.registry.as_ref()).await?;
    Ok(Registry::new(target.access)?.delete(&entry.image).await?)
}

async fn read(client: &Client, namespace: &str) -> Result<Ledger, Error> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let data = api.get_opt(LEDGER).await.map_err(Error::Read)?.and_then(|map| map.data).unwrap_or_default();
    let entries = data.into_iter().filter_map(|(key, text)| match serde_json::from_str(&text) {
        Ok(entry) => Some((key, entry)),
        Err(error) => {
            tracing::warn!(key, %error, "An entry of the ConfigMap {LEDGER} can't be read, and is dropped");
            None
        }
    });
    Ok(entries.collect())
}

async fn write(client: &Client, namespace: &str, ledger: &Ledger) -> Result<(), Error> {
    let entries = ledger.iter().map(|(key, entry)| Ok((key.clone(), serde_json::to_string(entry)?)));
    let data: BTreeMap<_, _> = entries.collect::<Result<_, serde_json::Error>>().map_err(Error::Serialize)?;
    let map = ConfigMap {
        metadata: ObjectMeta {
            name: Some(LEDGER.into()),
            namespace: Some(namespace.into()),
            ..ObjectMeta::default()
        },
        data: Some(data),
        ..ConfigMap::default()
    };
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let params = PatchParams::apply(FIELD_MANAGER).force();
    api.patch(LEDGER, &params, &Patch::Apply(map)).await.map_err(Error::Write)?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this is where the clock enters a sweep")]
fn now() -> Timestamp {
    Timestamp::now()
}
