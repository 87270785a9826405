//! Client required: collects the evidence of a run that has ended, and pushes it as one artifact.
//!
//! What was found is kept, whatever goes wrong later: a part that can't be had is named in the message, and when the time is up the
//! artifact is made of what there is.

use std::{sync::Arc, time::Duration};

use copr_operator_api::{
    annotations,
    evidence::{CONTAINER, FOLDER_MAX},
    labels,
    v1alpha1::{CoprInstance, CoprTestRun, EvidenceStatus, is_red},
};
use copr_operator_images::{Access, Blob, Name, Registries, Registry};
use copr_operator_kernel::report;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::core::v1::{ConfigMap, ContainerStatus, Pod},
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::{Api, Client, ResourceExt, api::ListParams};
use tokio::time::Instant;

use crate::{
    cut::Cut,
    error::Error,
    keep::Report,
    layer::{Gzip, Tar},
    logs::{self, Source},
    manifest::{self, GZIP, JSON, Layer, TAR, XML},
    scrub::Scrubber,
    story::Story,
};

/// The container that runs a test.
const TEST_CONTAINER: &str = "test";
/// Of the end of a log that is too long, this much is held.
const LOG_END: usize = 1 << 20;
/// A log is no larger. A kubelet has 10 MiB of it, unless it was told otherwise.
const LOG_MAX: u64 = 64 << 20;
/// The story of an instance is no larger, before it's compressed.
const STORY_MAX: u64 = 128 << 20;
/// What is kept free of the size for a manifest and what else is small.
const SMALL: u64 = 1 << 20;
/// The last of the time is for the manifest.
const LAST: Duration = Duration::from_secs(20);
/// How long the containers are waited for that push what tests left, and how often they are looked at.
const KEEPERS: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(5);
const MESSAGE_MAX: usize = 1024;

/// What evidence is collected with.
pub struct Collector<'a> {
    /// A client.
    pub client: &'a Client,
    /// The run, which has ended.
    pub run: &'a CoprTestRun,
    /// Its instance, unless it's gone.
    pub instance: Option<&'a CoprInstance>,
    /// Registries.
    pub registries: &'a Registries,
    /// How the registry is spoken to.
    pub access: &'a Access,
    /// The prefix of its images.
    pub url: &'a str,
    /// What is not to be in it.
    pub scrubber: &'a Scrubber,
    /// When it's collected.
    pub now: Timestamp,
    /// Until when that may take.
    pub until: Instant,
}

/// The parts so far.
#[derive(Default)]
struct Parts {
    layers: Vec<Layer>,
    missing: Vec<String>,
}

impl Parts {
    fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }
}

/// How a part gets there: everything that is needed for it.
struct Place<'a> {
    registry: Arc<Registry>,
    name: Name,
    collector: &'a Collector<'a>,
}

impl Collector<'_> {
    /// Collects and pushes; returns what the status says of it.
    pub async fn collect(&self) -> Result<EvidenceStatus, Error> {
        let repository = manifest::repository(self.url);
        let reference = format!("{repository}:{}", manifest::tag(self.run));
        let name = Name::parse(&reference)?;
        let registry = self.registries.of(&reference, self.access)?;
        let place = Place { registry, name, collector: self };
        let mut parts = Parts::default();
        let gathered = tokio::time::timeout_at(self.until - LAST, place.gather(&mut parts)).await;
        match gathered {
            Ok(gathered) => gathered?,
            // Not even the first, which is small.
            Err(_) if parts.layers.is_empty() => return Err(Error::TooSlow),
            Err(_) => parts.missing.push("the time was up before everything was collected".into()),
        }
        let retention = self.run.spec.evidence.retention.parse().unwrap_or(SignedDuration::from_hours(720));
        let expires = self.now.checked_add(retention).unwrap_or(Timestamp::MAX);
        let finished = tokio::time::timeout_at(self.until, place.finish(&mut parts, expires)).await;
        let digest = finished.map_err(|_| Error::TooSlow)??;
        let known = self.run.status.as_ref().and_then(|status| status.evidence.clone()).unwrap_or_default();
        let message = report::truncate(parts.missing.join("; "), MESSAGE_MAX);
        Ok(EvidenceStatus {
            artifact: Some(format!("{repository}@{digest}")),
            bytes: i64::try_from(parts.size()).ok(),
            truncated: !parts.missing.is_empty(),
            message: (!message.is_empty()).then_some(message),
            expires_at: Some(Time(expires)),
            folders_not_kept: known.folders_not_kept,
        })
    }
}

impl Place<'_> {
    /// Everything, the most telling first.
    async fn gather(&self, parts: &mut Parts) -> Result<(), Error> {
        let Collector { run, scrubber, .. } = self.collector;
        let mut told = (*run).clone();
        told.metadata.managed_fields = None;
        let status = scrubber.clean(&serde_json::to_vec_pretty(&told)?);
        let blob = self.again(|| self.blob(&status)).await?;
        parts.layers.push(Layer::new(JSON, blob, "status.json".into()));
        self.junit(parts).await?;
        let pods = self.tests().await?;
        for pod in &pods {
            self.log(pod, parts).await?;
        }
        let phase = run.status.as_ref().map(|status| status.phase).unwrap_or_default();
        if is_red(phase) {
            self.story(parts).await?;
        }
        self.folders(parts).await
    }

    async fn blob(&self, bytes: &[u8]) -> Result<Blob, Error> {
        Ok(self.registry.push_blob(&self.name, bytes).await?)
    }

    async fn junit(&self, parts: &mut Parts) -> Result<(), Error> {
        let Collector { client, run, scrubber, .. } = self.collector;
        let named = run.status.as_ref().and_then(|status| status.junit.as_deref());
        let Some(named) = named else { return Ok(()) };
        let maps: Api<ConfigMap> = Api::namespaced((*client).clone(), &self.namespace());
        let read = |source| Error::Read { what: format!("the ConfigMap {named}"), source };
        let map = self.again(|| async { maps.get_opt(named).await.map_err(&read) }).await?;
        match map.and_then(|map| map.data?.remove("junit.xml")) {
            None => parts.missing.push(format!("junit.xml: the ConfigMap {named} is gone")),
            Some(xml) => {
                let xml = scrubber.clean(xml.as_bytes());
                let blob = self.again(|| self.blob(&xml)).await?;
                parts.layers.push(Layer::new(XML, blob, "junit.xml".into()));
            }
        }
        Ok(())
    }

    /// The pods of the run's tests, in the order of their names.
    async fn tests(&self) -> Result<Vec<Pod>, Error> {
        let pods = self.pods();
        let query = ListParams::default().labels(&labels::run_query(&self.collector.run.name_any()));
        let read = |source| Error::Read { what: "the pods of the run".into(), source };
        let mut listed = self.again(|| async { pods.list(&query).await.map_err(&read) }).await?.items;
        listed.retain(|pod| pod.labels().contains_key(labels::TEST));
        listed.sort_by_key(ResourceExt::name_any);
        Ok(listed)
    }

    async fn log(&self, pod: &Pod, parts: &mut Parts) -> Result<(), Error> {
        let title = format!("{}.log.gz", title(pod));
        let room = self.room(parts).min(LOG_MAX);
        if room < 2 * LOG_END as u64 {
            parts.missing.push(format!("{title}: no room"));
            return Ok(());
        }
        let source = Source { pod: pod.name_any(), container: TEST_CONTAINER.into(), previous: false };
        let (pods, scrubber) = (self.pods(), self.collector.scrubber);
        let (blob, missing) = self
            .again(|| async {
                let mut gzip = Gzip::new(&self.registry, &self.name);
                let cut = Cut::new(room - LOG_END as u64, LOG_END);
                let missing = logs::read(&pods, &source, scrubber, cut, &mut gzip).await?;
                Ok((gzip.finish().await?, missing))
            })
            .await?;
        if missing.bytes > 0 {
            parts.missing.push(format!("{title}: {} bytes of its middle", missing.bytes));
        }
        match missing.why {
            Some(why) => parts.missing.push(format!("{title}: {why}")),
            None => parts.layers.push(Layer::new(GZIP, blob, title).of_test(test(pod))),
        }
        Ok(())
    }

    async fn story(&self, parts: &mut Parts) -> Result<(), Error> {
        let Collector { client, run, instance, scrubber, now, .. } = self.collector;
        let (namespace, run_name) = (self.namespace(), run.name_any());
        let named = run.status.as_ref().and_then(|status| status.instance.as_deref());
        let story = Story {
            client,
            namespace: &namespace,
            instance: named.unwrap_or(&run_name),
            object: *instance,
            run: &run_name,
            scrubber,
            moment: u64::try_from(now.as_second()).unwrap_or_default(),
            max: self.room(parts).min(STORY_MAX),
        };
        let (blob, missing) = self
            .again(|| async {
                let mut tar = Tar::new(&self.registry, &self.name);
                let missing = story.tell(&mut tar).await?;
                Ok((tar.finish().await?, missing))
            })
            .await?;
        parts.layers.push(Layer::new(TAR, blob, "instance.tar.gz".into()));
        if !missing.is_empty() {
            parts.missing.push(format!("instance.tar.gz: {} logs, see missing.txt in it", missing.len()));
        }
        Ok(())
    }

    /// What tests left in their folders: it's in the registry already. The small before the large.
    async fn folders(&self, parts: &mut Parts) -> Result<(), Error> {
        let until = Instant::now() + KEEPERS;
        let pods = loop {
            let pods = self.tests().await?;
            let waits = pods.iter().any(|pod| keeper(pod).is_some_and(is_running));
            if !waits || Instant::now() >= until {
                break pods;
            }
            tokio::time::sleep(LOOK).await;
        };
        let mut reports = Vec::new();
        for pod in &pods {
            let Some(status) = keeper(pod) else { continue };
            match reported(status) {
                Ok(report) => reports.push((pod, report)),
                Err(why) => parts.missing.push(format!("{}.tar.gz: {why}", title(pod))),
            }
        }
        reports.sort_by_key(|(_, report)| report.size);
        for (pod, report) in reports {
            let title = format!("{}.tar.gz", title(pod));
            if report.left_out > 0 {
                parts.missing.push(format!("{title}: {} files", report.left_out));
            }
            let Some(digest) = report.digest else { continue };
            // A termination message is what a container of the pod says; what counts is what the registry has.
            if report.size > FOLDER_MAX + SMALL || report.size > self.room(parts) {
                parts.missing.push(format!("{title}: no room"));
            } else if self.again(|| async { Ok(self.registry.has_blob(&self.name, &digest).await?) }).await? {
                let blob = Blob { digest, size: report.size };
                parts.layers.push(Layer::new(TAR, blob, title).of_test(test(pod)));
            } else {
                parts.missing.push(format!("{title}: the registry doesn't have it any more"));
            }
        }
        Ok(())
    }

    async fn finish(&self, parts: &mut Parts, expires: Timestamp) -> Result<String, Error> {
        parts.layers.sort_by(|a, b| a.title().cmp(b.title()));
        let manifest = manifest::manifest(self.collector.run, &parts.layers, (self.collector.now, expires))?;
        self.again(|| async {
            self.blob(manifest::EMPTY).await?;
            Ok(self.registry.push_manifest(&self.name, manifest.clone()).await?)
        })
        .await
    }

    /// How many bytes the artifact may still have.
    fn room(&self, parts: &Parts) -> u64 {
        let max = self.collector.run.spec.evidence.max_bytes();
        max.saturating_sub(SMALL).saturating_sub(parts.size())
    }

    /// The result of an attempt; what passes is tried again until the time is up.
    async fn again<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        loop {
            match attempt().await {
                Err(error) if error.passes() && Instant::now() + PAUSE < self.collector.until - LAST => {
                    tracing::info!(error = report::chain(&error), "Evidence is tried again");
                    tokio::time::sleep(PAUSE).await;
                }
                result => return result,
            }
        }
    }

    fn namespace(&self) -> String {
        self.collector.run.namespace().unwrap_or_default()
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.collector.client.clone(), &self.namespace())
    }
}

/// Its whole name, which fits into no label.
fn test(pod: &Pod) -> &str {
    let name = pod.annotations().get(annotations::TEST).or_else(|| pod.labels().get(labels::TEST));
    name.map(String::as_str).unwrap_or_default()
}

/// The name of a test's attempt, for files.
fn title(pod: &Pod) -> String {
    let attempt = pod.labels().get(labels::ATTEMPT).map_or("1", String::as_str);
    format!("{}-{attempt}", manifest::file_name(test(pod)))
}

fn keeper(pod: &Pod) -> Option<&ContainerStatus> {
    let statuses = pod.status.as_ref()?.init_container_statuses.as_deref()?;
    statuses.iter().find(|status| status.name == CONTAINER)
}

fn is_running(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.running.is_some())
}

/// What the container says that keeps a folder, or why nothing is known of it.
fn reported(status: &ContainerStatus) -> Result<Report, String> {
    let state = status.state.as_ref();
    let Some(ended) = state.and_then(|state| state.terminated.as_ref()) else {
        let waiting = state.and_then(|state| state.waiting.as_ref()?.reason.as_deref());
        return Err(waiting.map_or_else(|| "it wasn't pushed in time".to_owned(), str::to_owned));
    };
    let message = ended.message.as_deref().unwrap_or_default();
    let report: Report = serde_json::from_str(message)
        .map_err(|_| format!("its container ended with {} and no report", ended.exit_code))?;
    report.error.clone().map_or(Ok(report), Err)
}

#[cfg(test)]
mod tests;
