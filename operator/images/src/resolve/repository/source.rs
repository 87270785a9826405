//! Client required: a repository of the spec with what its server asks for.

use copr_operator_api::v1alpha1::{ConfigMapRef, Repository, SecretRef};
use kube::Client;

use super::{Credentials, Source};
use crate::dependency::{CA_KEY, Error, authority, secret};

/// A repository with its credentials.
pub async fn source(client: &Client, namespace: &str, repository: &Repository) -> Result<Source, Error> {
    let credentials = match &repository.credentials_secret {
        None => None,
        Some(SecretRef { name }) => {
            let field = "packages.repositories[].credentialsSecret";
            Some(Credentials {
                username: secret(client, namespace, field, name, "username").await?,
                password: secret(client, namespace, field, name, "password").await?,
            })
        }
    };
    let authority = match &repository.ca_config_map {
        None => None,
        Some(ConfigMapRef { name }) => {
            let field = "packages.repositories[].caConfigMap";
            Some(authority(client, namespace, field, name, CA_KEY).await?)
        }
    };
    Ok(Source {
        authority,
        name: repository.name.clone(),
        base_url: repository.base_url.clone(),
        priority: repository.priority,
        credentials,
    })
}
