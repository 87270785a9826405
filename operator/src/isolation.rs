//! Pods that are root inside a user namespace: builders and builds of images. Pure.

use k8s_openapi::{
    api::{
        core::v1::{Capabilities, PodSecurityContext, SeccompProfile, SecurityContext},
        rbac::v1::{RoleBinding, RoleRef, Subject},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use crate::api::v1alpha1::Isolation;

/// What Mock was measured to need, counted only inside the pod's user namespace.
const CAPABILITIES: [&str; 9] =
    ["SYS_ADMIN", "SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE", "FOWNER", "SYS_CHROOT", "FSETID", "KILL"];
/// OpenShift's own role for privileged pods. An administrator must let the operator bind it.
const PRIVILEGED_SCC_ROLE: &str = "system:openshift:scc:privileged";

/// The rights of a container: the measured capabilities and these more, or everything if the spec says so.
pub fn container(isolation: Isolation, more: &[&str]) -> SecurityContext {
    let add = CAPABILITIES.iter().chain(more).map(|&capability| capability.to_owned()).collect();
    match isolation {
        Isolation::UserNamespace => SecurityContext {
            run_as_user: Some(0),
            // Root has its capabilities already: set-uid programs and file capabilities add none.
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), add: Some(add) }),
            ..SecurityContext::default()
        },
        Isolation::Privileged => {
            SecurityContext { run_as_user: Some(0), privileged: Some(true), ..SecurityContext::default() }
        }
    }
}

/// `hostUsers` of the pod.
pub fn host_users(isolation: Isolation) -> Option<bool> {
    (isolation == Isolation::UserNamespace).then_some(false)
}

/// What all of the pod's containers have in common.
pub fn pod() -> PodSecurityContext {
    PodSecurityContext {
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
        ..PodSecurityContext::default()
    }
}

/// On OpenShift the ClusterRole that may use the SCC for such a pod; `unprivileged` is the one of manifests/openshift.
pub fn scc_role(isolation: Isolation, unprivileged: &'static str) -> &'static str {
    match isolation {
        Isolation::UserNamespace => unprivileged,
        Isolation::Privileged => PRIVILEGED_SCC_ROLE,
    }
}

/// Gives a service account of the same namespace a ClusterRole there.
pub fn binding(metadata: ObjectMeta, cluster_role: &str, account: &str) -> RoleBinding {
    RoleBinding {
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".into(),
            name: account.into(),
            namespace: metadata.namespace.clone(),
            api_group: None,
        }]),
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".into(),
            kind: "ClusterRole".into(),
            name: cluster_role.into(),
        },
        metadata,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use k8s_openapi::api::core::v1::PodSpec;
    use serde_json::Value;

    /// That OpenShift admits the pod under this SCC of manifests/openshift, and that the SCC offers no volume or capability
    /// that the pod doesn't use.
    pub(crate) fn assert_fits(scc: &str, pod: &PodSpec, unused_volumes: &[&str]) {
        let manifest = include_str!("../../manifests/openshift/security_context_constraints.yaml");
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
}
