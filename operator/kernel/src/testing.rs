//! What unit tests of more than one crate check.
#![expect(clippy::unwrap_used, reason = "it is called by tests only")]

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::PodSpec;
use serde_json::Value;

/// That OpenShift admits the pod under this SCC of manifests/openshift, and that the SCC offers no volume or capability
/// that the pod doesn't use.
///
/// # Panics
/// If it isn't so.
pub fn assert_fits(scc: &str, pod: &PodSpec, unused_volumes: &[&str]) {
    let manifest = include_str!("../../../manifests/openshift/security_context_constraints.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(manifest).unwrap();
    let scc = documents.into_iter().find(|document| document["metadata"]["name"] == scc).unwrap();
    let named = |key: &str| -> BTreeSet<String> {
        scc[key].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let kinds = pod.volumes.iter().flatten().map(|volume| {
        let volume = serde_json::to_value(volume).unwrap();
        volume.as_object().unwrap().keys().find(|key| *key != "name").unwrap().clone()
    });
    let used = kinds.chain(unused_volumes.iter().map(|&kind| kind.to_owned())).collect();
    assert_eq!(named("volumes"), used);
    assert_eq!(pod.host_users, Some(false));
    for container in &pod.containers {
        let rights = container.security_context.as_ref().unwrap();
        assert_eq!(scc["runAsUser"]["uid"], rights.run_as_user.unwrap());
        assert_eq!(scc["allowPrivilegeEscalation"], rights.allow_privilege_escalation.unwrap());
        let capabilities = rights.capabilities.as_ref().unwrap();
        assert_eq!(named("allowedCapabilities"), capabilities.add.iter().flatten().cloned().collect());
        assert_eq!(capabilities.drop.as_deref(), Some(&["ALL".to_owned()][..]));
    }
}
