//! Client required: does with the pods of components what [`super::rollout`] decides.

use std::collections::BTreeSet;

use copr_operator_api::{component::Component, v1alpha1::CoprInstance};
use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::Pod};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
};
use serde_json::json;

use super::{
    observe::Seen,
    rollout::{self, Situation, Step},
    status,
};

/// What couldn't be done to a pod.
#[derive(Debug, thiserror::Error)]
#[error("failed to {verb} pod {pod}")]
pub struct Error {
    verb: &'static str,
    pod: String,
    #[source]
    source: kube::Error,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Replaced {
    /// How many pods were touched.
    pub done: usize,
    /// What waits, each as a sentence.
    pub waiting: Vec<String>,
}

/// Brings the pods to what their StatefulSets say, as far as that may be now. Those of components that were applied incompletely stay:
/// their StatefulSet would make the same pod again, or another one with half of its files.
pub async fn replace(
    client: &Client,
    instance: &CoprInstance,
    (wanted, incomplete): (&[StatefulSet], &BTreeSet<String>),
    seen: &Seen,
    situation: Situation,
) -> Result<Replaced, Error> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &instance.namespace().unwrap_or_default());
    let mut replaced = Replaced::default();
    for component in Component::ALL.into_iter().filter(|component| !incomplete.contains(component.name())) {
        let name = format!("{}-{}", instance.name_any(), component.name());
        let set = wanted.iter().find(|set| set.name_any() == name);
        let (Some(set), Some(pod)) = (set, seen.pod(component.name())) else { continue };
        let pod_name = pod.name_any();
        let failed = |verb| {
            let pod = pod_name.clone();
            move |source| Error { verb, pod, source }
        };
        match rollout::decide(component, set, pod, situation) {
            Step::Keep => {}
            Step::Wait(why) => replaced.waiting.push(why),
            Step::Adopt(annotations) => {
                let patch = json!({"metadata": {"uid": pod.uid(), "annotations": annotations}});
                let done = pods.patch(&pod_name, &PatchParams::default(), &Patch::Merge(patch)).await;
                ignore_gone(done.map(drop)).map_err(failed("annotate"))?;
                replaced.done += 1;
            }
            Step::Replace => {
                tracing::info!(pod = pod_name, "Replacing a pod, as what it was made from has changed");
                let params = DeleteParams {
                    preconditions: Some(Preconditions { uid: pod.uid(), resource_version: None }),
                    ..DeleteParams::default()
                };
                ignore_gone(pods.delete(&pod_name, &params).await.map(drop)).map_err(failed("delete"))?;
                replaced.done += 1;
            }
        }
    }
    Ok(replaced)
}

/// Whether the operator before this reconcile, perhaps of another version, had applied the present spec.
pub fn spec_was_applied(instance: &CoprInstance) -> bool {
    let applied = instance.status.as_ref().and_then(status::applied_generation);
    applied.is_some() && applied == instance.metadata.generation
}

/// A pod that is gone, or another of its name, needs nothing done to it.
fn ignore_gone(done: Result<(), kube::Error>) -> Result<(), kube::Error> {
    match done {
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
