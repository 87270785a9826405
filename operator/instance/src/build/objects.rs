//! The plan of an instance, by kind. One table says in which order the kinds are applied, what becomes of their objects, and thereby
//! where orphans are looked for and what is watched.

use copr_operator_kernel::{
    apply::{self, Lifetime, Planned, planned},
    served::Served,
};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    batch::v1::Job,
    core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount},
    networking::v1::{Ingress, NetworkPolicy},
    rbac::v1::{Role, RoleBinding},
};
use kube::{
    Api, Client,
    api::ApiResource,
    core::PartialObjectMeta,
    runtime::{Controller, reflector::ObjectRef, watcher},
};

use super::expose::{HTTPRoute, Route};

macro_rules! kinds {
    ($($(#[$about:meta])* $field:ident: $kind:ty => $lifetime:ident,)*) => {
        /// Objects of an instance.
        #[derive(Clone, Debug, Default)]
        pub struct Objects {
            $($(#[$about])* pub $field: Vec<$kind>,)*
        }

        impl Objects {
            /// Adds the objects of another part.
            pub fn extend(&mut self, other: Self) {
                $(self.$field.extend(other.$field);)*
            }

            /// The objects in the order of apply.
            pub fn plan(&self) -> Result<Vec<Planned>, apply::Error> {
                let mut plan = Vec::new();
                $(for object in &self.$field {
                    plan.push(planned(object, Lifetime::$lifetime)?);
                })*
                Ok(plan)
            }

            /// The kinds whose objects go when no plan has them any more, as far as the cluster has them.
            pub fn orphan_kinds(served: &Served) -> Vec<ApiResource> {
                let all = [$((Lifetime::$lifetime, ApiResource::erase::<$kind>(&())),)*];
                all.into_iter()
                    .filter(|(lifetime, resource)| *lifetime == Lifetime::Reconcile && served.has(resource))
                    .map(|(_, resource)| resource)
                    .collect()
            }

            /// Watches every kind that the cluster has. `seen` is told of each object that carries the labels, and says whose it is.
            pub fn watch<K>(
                controller: Controller<K>,
                client: &Client,
                selected: &watcher::Config,
                served: &Served,
                seen: impl Fn(&str, &kube::api::ObjectMeta) -> Option<ObjectRef<K>> + Clone + Send + Sync + 'static,
            ) -> Controller<K>
            where
                K: kube::Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned + Send + Sync + 'static,
            {
                let mut watched: Vec<String> = Vec::new();
                $(
                    let kind = <$kind as kube::Resource>::kind(&()).into_owned();
                    let controller = if watched.contains(&kind) || !served.has(&ApiResource::erase::<$kind>(&())) {
                        controller
                    } else {
                        watched.push(kind.clone());
                        let seen = seen.clone();
                        let api = Api::<PartialObjectMeta<$kind>>::all(client.clone());
                        controller.watches(api, selected.clone(), move |object| seen(&kind, &object.metadata))
                    };
                )*
                controller
            }
        }
    };
}

// In the order of apply: what is mounted or referred to comes before what mounts it or refers to it.
kinds! {
    /// Everything generated for the instance, which the others are rendered from.
    credentials: Secret => CreateOnce,
    /// Identities of pods.
    service_accounts: ServiceAccount => Reconcile,
    /// Rights of identities.
    roles: Role => Reconcile,
    /// Who has which rights.
    role_bindings: RoleBinding => Reconcile,
    /// Configuration with secrets in it.
    secrets: Secret => Reconcile,
    /// Configuration without.
    config_maps: ConfigMap => Reconcile,
    /// Volumes.
    claims: PersistentVolumeClaim => Retain,
    /// Names on the network.
    services: Service => Reconcile,
    /// Who may talk to whom.
    network_policies: NetworkPolicy => Reconcile,
    /// What leads people here: each instance has one kind of the three at most.
    ingresses: Ingress => Reconcile,
    /// The same on OpenShift.
    routes: Route => Reconcile,
    /// The same behind a Gateway.
    http_routes: HTTPRoute => Reconcile,
    /// What runs once.
    jobs: Job => Reconcile,
    /// Workloads.
    stateful_sets: StatefulSet => Reconcile,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_volumes_nor_credentials_are_ever_orphans() {
        let kinds = Objects::orphan_kinds(&Served::default());
        assert!(kinds.iter().all(|resource| resource.kind != "PersistentVolumeClaim"));
        assert!(kinds.iter().any(|resource| resource.kind == "Ingress"));
        let secret: Secret = Secret::default();
        let plan = Objects { credentials: vec![secret], ..Objects::default() }.plan().unwrap();
        assert_eq!(plan[0].lifetime, Lifetime::CreateOnce);
    }

    #[test]
    fn what_a_cluster_does_not_serve_is_not_looked_for() {
        let has = |served: &Served, kind: &str| {
            Objects::orphan_kinds(served).iter().any(|resource| resource.kind == kind)
        };
        let none = Served::default();
        assert!(!has(&none, "Route") && !has(&none, "HTTPRoute"));
        let some = Served::of(["Route"]);
        assert!(has(&some, "Route") && !has(&some, "HTTPRoute"));
    }
}
