//! Client required: what exists of an instance, as far as its state is concerned.

use copr_operator_api::{
    component::{Component, EXPOSE},
    labels::{self, COMPONENT},
};
use copr_operator_kernel::{
    event,
    pods::{self, Waiting},
};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{Event, PersistentVolumeClaim, Pod},
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ApiResource, DynamicObject, ListParams},
};

/// Events are kept for an hour by the API server, and only the newest of each object matter.
const MOST_EVENTS: u32 = 500;

/// What couldn't be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to list the {kind} of the instance")]
pub struct Error {
    kind: String,
    #[source]
    source: kube::Error,
}

/// What exists of an instance.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The StatefulSets of the components.
    pub workloads: Vec<StatefulSet>,
    /// Every pod with the instance's labels, builders included.
    pub pods: Vec<Pod>,
    /// The claims of the components.
    pub claims: Vec<PersistentVolumeClaim>,
    /// Warnings about objects of the namespace.
    pub warnings: Vec<Event>,
    /// What leads people here: the objects of the kind that `spec.expose` says.
    pub exposed: Vec<DynamicObject>,
}

impl Seen {
    /// Reads it. `exposed` is the kind that `spec.expose` says, if the cluster serves it.
    pub async fn read(
        client: &Client,
        (namespace, instance): (&str, &str),
        exposed: Option<&ApiResource>,
    ) -> Result<Self, Error> {
        let ours = ListParams::default().labels(&labels::instance_query(instance));
        // From the API server's cache, which is cheaper and may be a moment behind. An event that is missed is seen by the next
        // reconcile.
        let warnings = ListParams::default().fields("type=Warning").match_any().limit(MOST_EVENTS);
        let failed = |kind: &'static str| move |source| Error { kind: kind.to_owned(), source };
        let workloads = Api::<StatefulSet>::namespaced(client.clone(), namespace);
        let pods = Api::<Pod>::namespaced(client.clone(), namespace);
        let claims = Api::<PersistentVolumeClaim>::namespaced(client.clone(), namespace);
        let events = Api::<Event>::namespaced(client.clone(), namespace);
        let (workloads, pods, claims, warnings, exposed) = futures::try_join!(
            async { workloads.list(&ours).await.map_err(failed("StatefulSets")) },
            async { pods.list(&ours).await.map_err(failed("Pods")) },
            async { claims.list(&ours).await.map_err(failed("PersistentVolumeClaims")) },
            async { events.list(&warnings).await.map_err(failed("Events")) },
            exposed_objects(client, (namespace, instance), exposed),
        )?;
        Ok(Self {
            workloads: workloads.items,
            pods: pods.items,
            claims: claims.items,
            warnings: warnings.items,
            exposed,
        })
    }

    /// The StatefulSet of a component.
    pub fn workload(&self, instance: &str, component: Component) -> Option<&StatefulSet> {
        let name = format!("{instance}-{}", component.name());
        self.workloads.iter().find(|workload| workload.name_any() == name)
    }

    /// The pod of a component; of two the one that isn't on its way out.
    pub fn pod(&self, component: &str) -> Option<&Pod> {
        let of = |pod: &&Pod| pod.labels().get(COMPONENT).is_some_and(|c| c == component);
        self.pods.iter().filter(of).min_by_key(|pod| pod.metadata.deletion_timestamp.is_some())
    }

    /// The newest warning about the object of that uid whose reason is one of these.
    pub fn warning(&self, uid: Option<&String>, reasons: &[&str]) -> Option<&Event> {
        event::newest(&self.warnings, uid, |reason| reasons.contains(&reason))
    }

    /// Images of the instance that a kubelet can't pull, and the components that can't start for it.
    pub fn unpullable_images(&self) -> Vec<String> {
        let waits = |state: &k8s_openapi::api::core::v1::ContainerStatus| {
            let reason = state.state.as_ref()?.waiting.as_ref()?.reason.clone()?;
            (pods::waiting(&reason) == Some(Waiting::Pull)).then(|| state.image.clone())
        };
        let statuses = self.pods.iter().filter_map(|pod| pod.status.as_ref()).flat_map(|status| {
            let init = status.init_container_statuses.iter().flatten();
            init.chain(status.container_statuses.iter().flatten())
        });
        statuses.filter_map(waits).collect()
    }
}

async fn exposed_objects(
    client: &Client,
    (namespace, instance): (&str, &str),
    kind: Option<&ApiResource>,
) -> Result<Vec<DynamicObject>, Error> {
    let Some(kind) = kind else { return Ok(Vec::new()) };
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, kind);
    let query = format!("{},{COMPONENT}={EXPOSE}", labels::instance_query(instance));
    let found = api.list(&ListParams::default().labels(&query)).await;
    found.map(|list| list.items).map_err(|source| Error { kind: kind.plural.clone(), source })
}

#[cfg(test)]
mod tests;
