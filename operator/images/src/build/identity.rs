//! What builds run as. Pure.

use copr_operator_api::{
    labels::{self, IMAGE_BUILD},
    v1alpha1::Isolation,
};
use copr_operator_kernel::{
    apply::{self, Lifetime, Planned, planned},
    isolation,
    platform::Platform,
};
use k8s_openapi::{
    api::{core::v1::ServiceAccount, rbac::v1::RoleBinding},
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};

use super::job::service_account;

/// The ClusterRole of manifests/openshift that may use the builds' SCC.
const SCC_ROLE: &str = "copr-image-builder-scc";
/// OpenShift's own role for whoever pushes to the internal registry.
const PUSH_ROLE: &str = "system:image-builder";

/// The service account of builds, and what it may do.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// At most one.
    pub service_accounts: Vec<ServiceAccount>,
    /// On OpenShift only.
    pub role_bindings: Vec<RoleBinding>,
}

impl Objects {
    /// The objects in the order of apply.
    pub fn plan(&self) -> Result<Vec<Planned>, apply::Error> {
        let accounts = self.service_accounts.iter().map(|account| planned(account, Lifetime::Reconcile));
        let bindings = self.role_bindings.iter().map(|binding| planned(binding, Lifetime::Reconcile));
        accounts.chain(bindings).collect()
    }
}

/// The objects for the builds of an instance, given by name and namespace.
pub fn objects(
    instance: (&str, &str),
    owner: &OwnerReference,
    platform: &Platform,
    isolation: Isolation,
    pushes_by_token: bool,
) -> Objects {
    let (name, namespace) = instance;
    let account = service_account(name);
    let metadata = |object: String| ObjectMeta {
        name: Some(object),
        namespace: Some(namespace.into()),
        labels: Some(labels::component(name, IMAGE_BUILD)),
        owner_references: Some(vec![owner.clone()]),
        ..ObjectMeta::default()
    };
    let mut role_bindings = Vec::new();
    if *platform != Platform::Kubernetes {
        let role = isolation::scc_role(isolation, SCC_ROLE);
        role_bindings.push(isolation::binding(metadata(account.clone()), role, &account));
    }
    if pushes_by_token {
        role_bindings.push(isolation::binding(metadata(format!("{account}-push")), PUSH_ROLE, &account));
    }
    let service_account = ServiceAccount {
        metadata: metadata(account.clone()),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    };
    Objects { service_accounts: vec![service_account], role_bindings }
}
