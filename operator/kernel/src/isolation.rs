//! Pods that are root inside a user namespace: builders and builds of images. Pure.

use copr_operator_api::v1alpha1::Isolation;
use k8s_openapi::{
    api::{
        core::v1::{Capabilities, PodSecurityContext, SeccompProfile, SecurityContext},
        rbac::v1::{RoleBinding, RoleRef, Subject},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

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
            // The container runs as root with these capabilities from its start, so it needs no gain of rights by set-uid programs
            // or file capabilities.
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
