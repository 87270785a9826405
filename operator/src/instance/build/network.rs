//! Who may talk to whom. Keygen, Redis, resalloc and builders have no authentication of their own, so the
//! network is their lock.

use k8s_openapi::{
    api::networking::v1::{NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicySpec},
    apimachinery::pkg::apis::meta::v1::LabelSelector,
};

use super::{Objects, workload::metadata};
use crate::{
    instance::{
        names::{BUILDER, Component},
        validate::Instance,
    },
    labels,
};

pub(super) fn build(instance: &Instance) -> Objects {
    use Component::{Backend, Database, DistGit, Frontend, Keygen, Redis, Resalloc};
    let allowed: [(&str, &[Component]); 5] = [
        (Database.name(), &[Frontend]),
        (Redis.name(), &[Frontend, Backend, DistGit]),
        (Keygen.name(), &[Backend]),
        (Resalloc.name(), &[Backend]),
        (BUILDER, &[Backend, Resalloc]),
    ];
    Objects {
        network_policies: allowed
            .into_iter()
            .map(|(component, clients)| ingress_only_from(instance, component, clients))
            .collect(),
        ..Objects::default()
    }
}

fn ingress_only_from(instance: &Instance, component: &str, clients: &[Component]) -> NetworkPolicy {
    let pods = |component: &str| LabelSelector {
        match_labels: Some(labels::selector(&instance.name, component)),
        ..LabelSelector::default()
    };
    let peers = clients.iter().map(|client| NetworkPolicyPeer {
        pod_selector: Some(pods(client.name())),
        ..NetworkPolicyPeer::default()
    });
    NetworkPolicy {
        metadata: metadata(instance, component, component),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(pods(component)),
            policy_types: Some(vec!["Ingress".into()]),
            ingress: Some(vec![NetworkPolicyIngressRule { from: Some(peers.collect()), ports: None }]),
            egress: None,
        }),
    }
}
