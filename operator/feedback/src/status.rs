//! Client required: what is reported of the reports, by a field manager of its own. The rest of a run's status is another controller's.

use copr_operator_api::v1alpha1::{CoprTestRun, ReportStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{
    Client, Resource as _, ResourceExt as _,
    api::{Api, ApiResource, DynamicObject, Patch, PatchParams},
};
use serde_json::json;

/// Who owns `status.reports` and the condition `Reported`.
const FIELD_MANAGER: &str = "copr-operator-feedback";

/// What couldn't be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write status.reports of CoprTestRun {name}")]
pub struct Error {
    name: String,
    #[source]
    source: kube::Error,
}

/// Writes both.
pub async fn write(
    client: &Client,
    run: &CoprTestRun,
    reports: &[ReportStatus],
    condition: &Condition,
) -> Result<(), Error> {
    let name = run.name_any();
    let (resource, namespace) = (ApiResource::erase::<CoprTestRun>(&()), run.namespace().unwrap_or_default());
    // Nobody reads the answer, so it needn't be a run that can be read.
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &resource);
    let patch = json!({
        "apiVersion": CoprTestRun::api_version(&()),
        "kind": CoprTestRun::kind(&()),
        "metadata": {"name": name, "uid": run.uid()},
        "status": {"reports": reports, "conditions": [condition]},
    });
    match api.patch_status(&name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(patch)).await {
        Ok(_) => Ok(()),
        // Deleted meanwhile, or another run by that name: there is nobody left to tell.
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => Ok(()),
        Err(source) => Err(Error { name, source }),
    }
}
