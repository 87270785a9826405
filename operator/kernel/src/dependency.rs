//! Client required: the Secrets and ConfigMaps that fields of a spec refer to.

use std::fmt::Debug;

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Secret},
};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use crate::{http, report};

/// The key of a ConfigMap that has certificate authorities.
pub const CA_KEY: &str = "ca.crt";

/// What a spec refers to and can't be used. Never what is in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A Secret or ConfigMap couldn't be read.
    #[error("failed to read the {kind} {name}")]
    Read {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// There is none.
    #[error("{field}: there is no {kind} {name} in this namespace")]
    NotFound {
        /// Field of the spec.
        field: &'static str,
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// It lacks a key.
    #[error("{field}: the {kind} {name} has no key {key}")]
    NoKey {
        /// Field of the spec.
        field: &'static str,
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The key.
        key: &'static str,
    },
    /// It can't be read.
    #[error("{field}: the {kind} {name} is malformed at {at}")]
    Malformed {
        /// Field of the spec.
        field: &'static str,
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Where in it.
        at: String,
    },
}

impl Error {
    /// The reason for the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Read { .. } => "DependencyUnreadable",
            Self::NotFound { kind: "Secret", .. } => "SecretNotFound",
            Self::NotFound { .. } => "ConfigMapNotFound",
            Self::NoKey { kind: "Secret", .. } | Self::Malformed { kind: "Secret", .. } => "SecretInvalid",
            Self::NoKey { .. } | Self::Malformed { .. } => "ConfigMapInvalid",
        }
    }
}

/// The value of a key of a Secret.
pub async fn secret(
    client: &Client,
    namespace: &str,
    field: &'static str,
    name: &str,
    key: &'static str,
) -> Result<String, Error> {
    let text = |secret: Secret| {
        let value = secret.data?.remove(key)?;
        Some(String::from_utf8_lossy(&value.0).trim_end_matches('\n').to_owned())
    };
    value(client, namespace, (field, "Secret", name, key), text).await
}

/// Certificate authorities in PEM, of a key of a ConfigMap.
pub async fn authority(
    client: &Client,
    namespace: &str,
    field: &'static str,
    name: &str,
    key: &'static str,
) -> Result<String, Error> {
    let of = (field, "ConfigMap", name, key);
    let found = value(client, namespace, of, |map: ConfigMap| map.data?.remove(key)).await?;
    is_authority(&found, of)?;
    Ok(found)
}

/// Refuses a text without a certificate: the connection would fail later, and its error would blame the server's certificate.
fn is_authority(
    pem: &str,
    (field, kind, name, key): (&'static str, &'static str, &str, &'static str),
) -> Result<(), Error> {
    let malformed = |problem| Error::Malformed {
        field,
        kind,
        name: name.to_owned(),
        at: format!("{key}: {}", report::chain(&problem)),
    };
    http::is_authority(pem).map_err(malformed)
}

async fn value<K>(
    client: &Client,
    namespace: &str,
    (field, kind, name, key): (&'static str, &'static str, &str, &'static str),
    take: impl FnOnce(K) -> Option<String>,
) -> Result<String, Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let name = || name.to_owned();
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let found = api.get_opt(&name()).await.map_err(|source| Error::Read { kind, name: name(), source })?;
    let object = found.ok_or_else(|| Error::NotFound { field, kind, name: name() })?;
    take(object).ok_or_else(|| Error::NoKey { field, kind, name: name(), key })
}

#[cfg(test)]
mod tests;
