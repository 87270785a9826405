//! Client required: the ledger as a ConfigMap beside the operator.

use copr_operator_api::labels::FIELD_MANAGER;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{ObjectMeta, Patch, PatchParams},
};

use super::ledger::Ledger;

/// The ConfigMap.
const NAME: &str = "copr-operator-images";

/// What went wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It couldn't be read.
    #[error("failed to read the ConfigMap {NAME}")]
    Read(#[source] kube::Error),
    /// It couldn't be written.
    #[error("failed to write the ConfigMap {NAME}")]
    Write(#[source] kube::Error),
    /// A part of it couldn't be written as JSON.
    #[error("failed to serialize what is written into the ConfigMap {NAME}")]
    Serialize(#[source] serde_json::Error),
}

/// Reads the ledger.
pub async fn read(client: &Client, namespace: &str) -> Result<Ledger, Error> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let data = api.get_opt(NAME).await.map_err(Error::Read)?.and_then(|map| map.data).unwrap_or_default();
    Ok(Ledger::read(data))
}

/// Writes the ledger.
pub async fn write(client: &Client, namespace: &str, ledger: &Ledger) -> Result<(), Error> {
    let map = ConfigMap {
        metadata: ObjectMeta {
            name: Some(NAME.into()),
            namespace: Some(namespace.into()),
            ..ObjectMeta::default()
        },
        data: Some(ledger.write().map_err(Error::Serialize)?),
        ..ConfigMap::default()
    };
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let params = PatchParams::apply(FIELD_MANAGER).force();
    api.patch(NAME, &params, &Patch::Apply(map)).await.map_err(Error::Write)?;
    Ok(())
}

#[cfg(test)]
mod tests;
