//! Client required: deletes from registries the built images that nothing has used for `registry.retention`, where
//! `registry.deleteUnused` asks for it.
//!
//! Three things must be known of an image before it goes: that this operator built it for an instance whose registry asks for
//! deletion ([`ledger`], and the image's own label), that nothing in the cluster mentions its tag or its digest ([`used`],
//! [`knowledge`]), and that nobody has it by another tag, or that the tag can go alone ([`remove`]). When it was last used is in
//! a ConfigMap beside the operator: an ephemeral instance is long gone by then. Instances are watched, as one may come and go
//! between two sweeps.

mod knowledge;
mod ledger;
mod remove;
mod store;
#[cfg(test)]
mod tests;
mod used;

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use copr_operator_api::{labels::FIELD_MANAGER, v1alpha1::CoprInstance};
use copr_operator_kernel::{backoff::BrokenWatch, report};
use futures::StreamExt as _;
use jiff::Timestamp;
use kube::{
    Api, Client, Resource as _, ResourceExt as _,
    core::DeserializeGuard,
    runtime::{
        WatchStreamExt as _,
        events::{Event, EventType, Recorder, Reporter},
        watcher,
    },
};
use tokio::time::Instant;

use crate::{
    dependency,
    registry::{self, Registries, access},
};
use knowledge::Knowledge;
use ledger::{Ledger, Stock};
use remove::{Outcome, Tags, remove};

const SHORTEST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// What is known of the cluster grows old while a registry is spoken to.
const AT_A_TIME: usize = 50;
/// Whoever has found an image in this time may be about to use it, and hasn't said so yet.
const RECENT: Duration = Duration::from_secs(30);

/// What went wrong in a sweep.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Knowledge(#[from] knowledge::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("failed to tell instances that their images can't be deleted")]
    Tell(#[source] kube::Error),
}

/// Why one image wasn't deleted.
#[derive(Debug, thiserror::Error)]
enum Kept {
    #[error(transparent)]
    Access(#[from] access::Error),
    #[error(transparent)]
    Registry(#[from] registry::Error),
}

/// What sweeps have in common.
struct Sweeper {
    client: Client,
    recorder: Recorder,
    /// The operator's own.
    namespace: String,
    registries: Arc<Registries>,
    /// Told once.
    unreadable: Vec<String>,
}

/// Sweeps until `shutdown`. `namespace` is the operator's own.
pub async fn run(
    client: Client,
    namespace: String,
    registries: Arc<Registries>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let instances = Api::<DeserializeGuard<CoprInstance>>::all(client.clone());
    let watch = watcher(instances, watcher::Config::default());
    let reporter = Reporter { controller: FIELD_MANAGER.into(), instance: std::env::var("HOSTNAME").ok() };
    let recorder = Recorder::new(client.clone(), reporter);
    let mut sweeper = Sweeper { client, recorder, namespace, registries, unreadable: Vec::new() };
    let sweeps = async {
        let mut touched = pin!(watch.backoff(BrokenWatch).touched_objects());
        let (mut seen, mut next) = (BTreeMap::new(), Instant::now());
        loop {
            tokio::select! {
                touched = touched.next() => {
                    // A watch that broke starts again by itself, and never ends.
                    if let Some(Ok(guard)) = touched {
                        let asked = ledger::asked(guard.0.iter(), now());
                        if !asked.is_empty() {
                            ledger::merge(&mut seen, asked);
                            let seen = Ledger { stocks: seen.clone(), ..Ledger::default() };
                            next = next.min(Instant::now() + pause(&seen));
                        }
                    }
                }
                () = tokio::time::sleep_until(next) => {
                    match sweeper.sweep(&seen).await {
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

impl Sweeper {
    /// One look at everything, and at what instances were `seen` to use since the last; returns after how long to look again.
    async fn sweep(&mut self, seen: &BTreeMap<String, Stock>) -> Result<Duration, Error> {
        let now = now();
        let mut known = knowledge::instances(&self.client).await?;
        let before = store::read(&self.client, &self.namespace).await?;
        let mut ledger = before.clone();
        let mut asked = seen.clone();
        ledger::merge(&mut asked, ledger::asked(&known.instances, now));
        ledger.note(asked, &known.instances, now);
        let mut more = false;
        // Where nobody asks for anything, nothing has to be known.
        if !ledger.stocks.is_empty() {
            knowledge::rest(&self.client, &mut known).await?;
            ledger.renew(&known.used, now);
            more = self.delete(&mut ledger, &known, now).await?;
        }
        let forgotten = ledger.shrink().map_err(store::Error::Serialize)?;
        if forgotten > 0 {
            tracing::warn!(images = forgotten, "Too many images to remember: these stay in their registries");
        }
        if ledger != before {
            store::write(&self.client, &self.namespace, &ledger).await?;
        }
        Ok(if more { SHORTEST_PAUSE } else { pause(&ledger) })
    }

    /// Deletes what has expired; tells whether there is more.
    async fn delete(
        &mut self,
        ledger: &mut Ledger,
        known: &Knowledge,
        now: Timestamp,
    ) -> Result<bool, Error> {
        if known.unreadable != self.unreadable && !known.unreadable.is_empty() {
            let objects = report::truncate(known.unreadable.join(", "), 1024);
            tracing::warn!(objects, "No image is deleted while nobody can read what these use");
        }
        self.unreadable.clone_from(&known.unreadable);
        if !known.unreadable.is_empty() {
            return Ok(false);
        }
        let expired = ledger.expired(&known.used, now);
        let more = expired.len() > AT_A_TIME;
        let mut tags: BTreeMap<String, Tags> = BTreeMap::new();
        let mut left_alone: Vec<String> = Vec::new();
        for (key, image) in expired.into_iter().take(AT_A_TIME) {
            let Some(stock) = ledger.stocks.get(&key).filter(|_| !left_alone.contains(&key)).cloned() else {
                continue;
            };
            let reference = stock.reference(&image);
            if self.registries.asks.asked_within(&reference, RECENT, Instant::now()) {
                continue;
            }
            match self.remove(&stock, &reference, known, tags.entry(key.clone()).or_default()).await {
                Ok(Outcome::Gone) => {
                    tracing::info!(image = reference, "Deleted an image that nothing has used for long");
                    ledger.forget(&key, &image);
                }
                Ok(Outcome::NotOurs) => {
                    tracing::info!(
                        image = reference,
                        "Somebody else has pushed something under this name: it stays"
                    );
                    ledger.forget(&key, &image);
                }
                Ok(Outcome::Shared) => {
                    tracing::info!(image = reference, "An unused image stays: it may have other tags");
                    ledger.forget(&key, &image);
                }
                Ok(Outcome::InUse) => {
                    if let Some(stock) = ledger.stocks.get_mut(&key) {
                        stock.images.insert(image, now);
                    }
                }
                Ok(Outcome::Refused(why)) => {
                    left_alone.push(key.clone());
                    if ledger.refuse(&key, &why, now) {
                        self.tell(&stock, &why, known).await?;
                    }
                }
                Err(error) => {
                    left_alone.push(key.clone());
                    self.kept(ledger, (&key, &stock), &error, known, now).await?;
                }
            }
        }
        Ok(more)
    }

    async fn remove(
        &self,
        stock: &Stock,
        reference: &str,
        known: &Knowledge,
        tags: &mut Tags,
    ) -> Result<Outcome, Kept> {
        let target = access::target(&self.client, &stock.namespace, Some(&stock.registry)).await?;
        let registry = self.registries.of(reference, &target.access)?;
        Ok(remove(&registry, reference, &known.used, tags).await?)
    }

    /// What can't be deleted now is tried again by the next sweep, and what can't be at all in a day.
    async fn kept(
        &self,
        ledger: &mut Ledger,
        (key, stock): (&str, &Stock),
        error: &Kept,
        known: &Knowledge,
        now: Timestamp,
    ) -> Result<(), Error> {
        let why = report::chain(error);
        match error {
            Kept::Registry(error) if error.passes() => {
                tracing::info!(registry = stock.registry.url, error = why, "Images are deleted later");
            }
            Kept::Access(access::Error::Dependency(dependency::Error::NotFound { .. }))
                if users(stock, known).next().is_none() =>
            {
                // With the namespace its credentials are gone, and nobody can delete anything from here any more.
                tracing::warn!(
                    registry = stock.registry.url,
                    error = why,
                    "Images that nobody uses stay in their registry"
                );
                ledger.stocks.remove(key);
            }
            _ => {
                if ledger.refuse(key, &why, now) {
                    self.tell(stock, &why, known).await?;
                }
            }
        }
        Ok(())
    }

    /// Tells whoever pushes there, once.
    async fn tell(&self, stock: &Stock, why: &str, known: &Knowledge) -> Result<(), Error> {
        let url = &stock.registry.url;
        tracing::warn!(
            registry = url,
            namespace = stock.namespace,
            why,
            "A registry deletes nothing; it's asked again in a day, or when its spec changes"
        );
        let event = Event {
            type_: EventType::Warning,
            reason: "ImagesNotDeleted".into(),
            note: Some(report::truncate(
                format!(
                    "{url} deletes no unused images, as registry.deleteUnused asks for: {why}. It's asked again in a day, or when spec.registry changes"
                ),
                1000,
            )),
            action: "DeleteImages".into(),
            secondary: None,
        };
        for instance in users(stock, known) {
            self.recorder.publish(&event, &instance.object_ref(&())).await.map_err(Error::Tell)?;
        }
        Ok(())
    }
}

/// The instances that push to a stock.
fn users<'a>(stock: &'a Stock, known: &'a Knowledge) -> impl Iterator<Item = &'a CoprInstance> {
    known.instances.iter().filter(|instance| {
        let url = instance.spec.registry.as_ref().map(|registry| &registry.url);
        url == Some(&stock.registry.url) && instance.namespace().as_deref() == Some(&stock.namespace)
    })
}

/// Half of the shortest time that an image is kept, as far as that is reasonable.
fn pause(ledger: &Ledger) -> Duration {
    let half = ledger.shortest().map_or(LONGEST_PAUSE, |shortest| shortest.unsigned_abs() / 2);
    half.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

#[expect(clippy::disallowed_methods, reason = "this is where the clock enters a sweep")]
fn now() -> Timestamp {
    Timestamp::now()
}
