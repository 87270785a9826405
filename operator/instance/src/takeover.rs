//! Client required: what version 0.1 left in a way that server-side apply can't change.

use k8s_openapi::api::apps::v1::StatefulSet;
use kube::{
    Api, Client, ResourceExt as _,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::observe::Seen;

/// A StatefulSet couldn't be brought over.
#[derive(Debug, thiserror::Error)]
#[error("failed to change the update strategy of StatefulSet {name}")]
pub struct Error {
    name: String,
    #[source]
    source: kube::Error,
}

/// Makes every StatefulSet one whose pods the operator replaces. The API server had filled in `rollingUpdate`, which nobody owns, so
/// that an apply of `OnDelete` beside it is refused. Before the first apply, because a changed template would restart the pod.
pub async fn take_over(client: &Client, namespace: &str, seen: &Seen) -> Result<(), Error> {
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), namespace);
    for set in seen.workloads.iter().filter(|set| rolls_by_itself(set)) {
        let name = set.name_any();
        let patch = json!({
            "metadata": {"uid": set.uid()},
            "spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}},
        });
        match sets.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await {
            Ok(_) => {}
            Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => {}
            Err(source) => return Err(Error { name, source }),
        }
    }
    Ok(())
}

fn rolls_by_itself(set: &StatefulSet) -> bool {
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
    strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("RollingUpdate")
}

#[cfg(test)]
mod tests;
