//! Who may talk to whom. Keygen, Redis, resalloc and builders have no authentication of their own, so the
//! network is their lock.

use copr_operator_api::{
    component::{BUILDER, CLIENTS_OF_BUILDERS, Clients, Component},
    labels,
};
use k8s_openapi::{
    api::networking::v1::{NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicySpec},
    apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement},
};

use super::{Objects, workload::metadata};
use crate::validate::Instance;

pub(super) fn build(instance: &Instance) -> Objects {
    let components = Component::ALL.map(|component| (component.name(), component.row().clients));
    let policies = components.into_iter().chain([(BUILDER, CLIENTS_OF_BUILDERS)]);
    let network_policies =
        policies.filter_map(|(name, clients)| Some(ingress(instance, name, &peers(instance, clients)?)));
    Objects { network_policies: network_policies.collect(), ..Objects::default() }
}

/// Who may connect, unless it's everybody.
fn peers(instance: &Instance, clients: Clients) -> Option<Vec<NetworkPolicyPeer>> {
    let Clients::Only { components, tests: by_tests } = clients else { return None };
    let peers = components.iter().map(|client| NetworkPolicyPeer {
        pod_selector: Some(pods(instance, client.name())),
        ..NetworkPolicyPeer::default()
    });
    Some(peers.chain(by_tests.then(tests)).collect())
}

/// The pods of test runs in the instance's namespace.
fn tests() -> NetworkPolicyPeer {
    let exists =
        LabelSelectorRequirement { key: labels::RUN.into(), operator: "Exists".into(), values: None };
    NetworkPolicyPeer {
        pod_selector: Some(LabelSelector { match_expressions: Some(vec![exists]), match_labels: None }),
        ..NetworkPolicyPeer::default()
    }
}

fn pods(instance: &Instance, component: &str) -> LabelSelector {
    LabelSelector {
        match_labels: Some(labels::selector(&instance.name, component)),
        ..LabelSelector::default()
    }
}

fn ingress(instance: &Instance, component: &str, peers: &[NetworkPolicyPeer]) -> NetworkPolicy {
    NetworkPolicy {
        metadata: metadata(instance, component, component),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(pods(instance, component)),
            policy_types: Some(vec!["Ingress".into()]),
            ingress: Some(vec![NetworkPolicyIngressRule { from: Some(peers.to_vec()), ports: None }]),
            egress: None,
        }),
    }
}
