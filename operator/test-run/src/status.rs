//! Fifth step: writes the status, if it says anything new.

use copr_operator_api::{
    labels::FIELD_MANAGER,
    v1alpha1::{CoprTestRun, CoprTestRunStatus},
};
use kube::{
    Client, ResourceExt,
    api::{Api, PostParams},
};

/// What couldn't be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody changed the run since it was read. What was decided may be out of date: decide again.
    #[error("failed to write the status of CoprTestRun {name}, which changed in the meantime")]
    Conflict {
        /// Name of the run.
        name: String,
    },
    /// The API server wouldn't have it.
    #[error("failed to write the status of CoprTestRun {name}")]
    Replace {
        /// Name of the run.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
}

/// Writes the status of the run as it was read. A run that is gone needs none.
pub async fn write(client: &Client, run: &CoprTestRun, status: &CoprTestRunStatus) -> Result<(), Error> {
    if run.status.as_ref() == Some(status) {
        return Ok(());
    }
    let name = run.name_any();
    let api: Api<CoprTestRun> = Api::namespaced(client.clone(), &run.namespace().unwrap_or_default());
    let params = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
    let updated = CoprTestRun { status: Some(status.clone()), ..run.clone() };
    match api.replace_status(&name, &params, &updated).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(answer)) if answer.is_not_found() => Ok(()),
        Err(kube::Error::Api(answer)) if answer.is_conflict() => Err(Error::Conflict { name }),
        Err(source) => Err(Error::Replace { name, source }),
    }
}

#[cfg(test)]
mod tests;
