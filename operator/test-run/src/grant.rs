//! What lets the pods of a suite as root run on OpenShift: a service account of the run, which may use the SCC that
//! `manifests/openshift` has for them. The pods ask for that SCC by name, so that a refusal speaks of it alone. Pure.

use copr_operator_api::labels;
use copr_operator_kernel::isolation;
use k8s_openapi::{
    api::{
        core::v1::{Pod, ServiceAccount},
        rbac::v1::RoleBinding,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use super::validate::Validated;

/// The SCC.
pub const SCC: &str = "copr-test";
/// The ClusterRole that may use it.
const SCC_ROLE: &str = "copr-test-scc";
/// The annotation by which a pod asks for an SCC.
const REQUIRED_SCC: &str = "openshift.io/required-scc";

/// The service account, and its right.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Without a token: no test speaks to the API server.
    pub service_account: ServiceAccount,
    /// It may use the SCC.
    pub role_binding: RoleBinding,
}

/// The grant of a run, if its pods need one.
pub fn of(run: &Validated) -> Option<Grant> {
    run.required_scc().map(|_| Grant {
        service_account: ServiceAccount {
            metadata: metadata(run),
            automount_service_account_token: Some(false),
            ..ServiceAccount::default()
        },
        role_binding: isolation::binding(metadata(run), SCC_ROLE, &account(run)),
    })
}

/// Has the pod of a test make use of it.
pub fn give(run: &Validated, pod: &mut Pod) {
    let Some(scc) = run.required_scc() else { return };
    pod.metadata.annotations.get_or_insert_default().insert(REQUIRED_SCC.into(), scc.into());
    if let Some(spec) = &mut pod.spec {
        spec.service_account_name = Some(account(run));
    }
}

fn account(run: &Validated) -> String {
    format!("{}-tests", run.name)
}

fn metadata(run: &Validated) -> ObjectMeta {
    let labels = [
        (labels::MANAGED_BY, labels::FIELD_MANAGER),
        (labels::PART_OF, "copr"),
        (labels::RUN, run.name.as_str()),
    ];
    ObjectMeta {
        name: Some(account(run)),
        namespace: Some(run.namespace.clone()),
        labels: Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
        owner_references: Some(vec![run.owner.clone()]),
        ..ObjectMeta::default()
    }
}
