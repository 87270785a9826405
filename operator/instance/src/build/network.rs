//! Who may talk to whom. Keygen, Redis, resalloc and builders have no authentication of their own, so the
//! network is their lock.

use copr_operator_api::{
    labels,
    names::{BUILDER, Component},
};
use k8s_openapi::{
    api::networking::v1::{NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicySpec},
    apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement},
};
use kube::ResourceExt as _;

use super::{Objects, workload::metadata};
use crate::validate::Instance;

pub(super) fn build(instance: &Instance) -> Objects {
    use Component::{Backend, Database, DistGit, Frontend, Keygen, Redis, Resalloc};
    let allowed: [(&str, &[Component]); 5] = [
        (Database.name(), &[Frontend]),
        (Redis.name(), &[Frontend, Backend, DistGit]),
        (Keygen.name(), &[Backend]),
        (Resalloc.name(), &[Backend]),
        (BUILDER, &[Backend, Resalloc]),
    ];
    let mut network_policies: Vec<_> = allowed
        .into_iter()
        .map(|(component, clients)| ingress_only_from(instance, component, clients))
        .collect();
    // Tests see by sshd's silence that a builder is gone; without this every builder would be silent to them.
    for policy in network_policies.iter_mut().filter(|p| p.name_any() == instance.object(BUILDER)) {
        let rules = policy.spec.as_mut().and_then(|spec| spec.ingress.as_mut()).into_iter().flatten();
        rules.for_each(|rule| rule.from.get_or_insert_default().push(tests()));
    }
    Objects { network_policies, ..Objects::default() }
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
