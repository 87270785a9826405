//! Client required: the story of an instance, for whoever has to find out why a run ended as it did: its objects, the events of its
//! namespace, and the log of every container of its pods, of those that build images, too.

use copr_operator_api::{labels, v1alpha1::CoprInstance};
use copr_operator_kernel::report;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::{Api, Client, ResourceExt as _, api::ListParams};
use serde::Serialize;

use crate::{
    cut::Cut,
    error::Error,
    layer::Tar,
    logs::{self, Source},
    scrub::Scrubber,
};

/// Of each log so much of its beginning and of its end: these are held.
const HEAD: u64 = 1 << 20;
const END: usize = 3 << 20;
/// So many events at a time, and so many of these lists.
const PAGE: u32 = 500;
const PAGES: usize = 6;

/// Whose story it is.
pub struct Story<'a> {
    /// A client.
    pub client: &'a Client,
    /// The namespace.
    pub namespace: &'a str,
    /// The instance's name.
    pub instance: &'a str,
    /// The instance, unless it's gone.
    pub object: Option<&'a CoprInstance>,
    /// The run's name.
    pub run: &'a str,
    /// What is not to be in it.
    pub scrubber: &'a Scrubber,
    /// When it's written, in seconds of Unix time.
    pub moment: u64,
    /// How large it may get, before it's compressed.
    pub max: u64,
}

impl Story<'_> {
    /// Tells it; returns what is missing.
    pub async fn tell(&self, tar: &mut Tar<'_>) -> Result<Vec<String>, Error> {
        let mut missing = Vec::new();
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), self.namespace);
        let mut listed = self.pods(&pods, &labels::instance_query(self.instance)).await?;
        listed.extend(self.pods(&pods, &labels::run_query(self.run)).await?);
        if let Some(object) = self.object {
            let mut object = object.clone();
            object.metadata.managed_fields = None;
            self.json(tar, "instance.json", &object).await?;
        }
        self.json(tar, "pods.json", &listed).await?;
        match self.events().await {
            Ok(events) => self.json(tar, "events.json", &events).await?,
            Err(error) => {
                missing.push(format!("events.json: {}", report::chain(&error)));
            }
        }
        let mut left = self.max;
        for source in listed.iter().flat_map(sources) {
            let suffix = if source.previous { ".previous" } else { "" };
            let path = format!("logs/{}/{}{suffix}.log", source.pod, source.container);
            if left < HEAD + END as u64 {
                missing.push(format!("{path}: no room"));
                continue;
            }
            let mut log = Vec::new();
            let told = logs::read(&pods, &source, self.scrubber, Cut::new(HEAD, END), &mut log).await?;
            left = left.saturating_sub(log.len() as u64);
            if let Some(why) = told.why {
                missing.push(format!("{path}: {why}"));
            }
            if told.bytes > 0 {
                missing.push(format!("{path}: {} bytes", told.bytes));
            }
            if !log.is_empty() {
                tar.add(&path, &log, self.moment).await?;
            }
        }
        if !missing.is_empty() {
            tar.add("missing.txt", format!("{}\n", missing.join("\n")).as_bytes(), self.moment).await?;
        }
        Ok(missing)
    }

    async fn pods(&self, api: &Api<Pod>, query: &str) -> Result<Vec<Pod>, Error> {
        let read = |source| Error::Read { what: format!("the pods with {query}"), source };
        let mut pods = api.list(&ListParams::default().labels(query)).await.map_err(read)?.items;
        for pod in &mut pods {
            pod.metadata.managed_fields = None;
        }
        Ok(pods)
    }

    /// Those of objects whose names begin as the instance's or the run's do, which those of all that belongs to them does.
    async fn events(&self) -> Result<Vec<Event>, Error> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), self.namespace);
        let mut kept = Vec::new();
        let mut params = ListParams::default().limit(PAGE);
        for _ in 0..PAGES {
            let page =
                api.list(&params).await.map_err(|source| Error::Read { what: "events".into(), source })?;
            kept.extend(page.items.into_iter().filter_map(|mut event| {
                let about = event.involved_object.name.as_deref()?;
                let ours = about.starts_with(self.instance) || about.starts_with(self.run);
                event.metadata.managed_fields = None;
                (ours || about.starts_with("copr-image-")).then_some(event)
            }));
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                break;
            }
        }
        kept.sort_by_key(|event| event.last_timestamp.clone());
        Ok(kept)
    }

    async fn json<T: Serialize>(&self, tar: &mut Tar<'_>, path: &str, value: &T) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(value)?;
        tar.add(path, &self.scrubber.clean(&text), self.moment).await
    }
}

/// The logs of a pod. Those of tests are parts of their own.
fn sources(pod: &Pod) -> Vec<Source> {
    if pod.labels().contains_key(labels::TEST) {
        return Vec::new();
    }
    let status = pod.status.clone().unwrap_or_default();
    let containers = status.init_container_statuses.into_iter().flatten();
    let containers = containers.chain(status.container_statuses.into_iter().flatten());
    containers
        .flat_map(|status| {
            let ended = status.last_state.as_ref().is_some_and(|state| state.terminated.is_some());
            let source = |previous| Source { pod: pod.name_any(), container: status.name.clone(), previous };
            let was_started = status
                .state
                .as_ref()
                .is_some_and(|state| state.running.is_some() || state.terminated.is_some());
            [(was_started, false), (ended, true)]
                .into_iter()
                .filter(|(there, _)| *there)
                .map(|(_, previous)| source(previous))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_container_that_was_started_has_a_log_and_one_that_was_restarted_two() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "copr-backend-0"},
            "status": {
                "initContainerStatuses": [
                    {"name": "wait", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                     "state": {"terminated": {"exitCode": 0}}},
                ],
                "containerStatuses": [
                    {"name": "build", "image": "", "imageID": "", "ready": true, "restartCount": 1,
                     "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 1}}},
                    {"name": "logs", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                     "state": {"waiting": {"reason": "ContainerCreating"}}},
                ],
            },
        }))
        .unwrap();
        let told: Vec<_> = sources(&pod).into_iter().map(|s| (s.container, s.previous)).collect();
        assert_eq!(told, [("wait".into(), false), ("build".into(), false), ("build".into(), true)]);
    }

    #[test]
    fn the_log_of_a_test_is_a_part_of_its_own_and_that_of_the_suites_list_is_none() {
        let logs = |label: &str| {
            let pod: Pod = serde_json::from_value(json!({
                "metadata": {"name": "pr-7-x-1", "labels": {labels::COMPONENT: "sanity", label: "x"}},
                "status": {"containerStatuses": [{"name": "test", "image": "", "imageID": "", "ready": false,
                    "restartCount": 0, "state": {"terminated": {"exitCode": 127}}}]},
            }))
            .unwrap();
            sources(&pod).len()
        };
        assert_eq!((logs(labels::TEST), logs(labels::SUITE_LIST)), (0, 1));
    }
}
