//! Client required: the Secrets and ConfigMaps that registries and repositories need.

use std::{fmt::Debug, fs};

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Secret},
};
use kube::{Api, Client, Resource, discovery};
use oci_client::secrets::RegistryAuth;
use serde::de::DeserializeOwned;

use super::{
    registry::{self, Access},
    repository::{Credentials, Source},
};
use crate::api::v1alpha1::{
    ConfigMapRef, CoprInstanceSpec, Registry, Repository, SecretRef, default_retention,
};

/// Where OpenShift's own registry answers.
const INTERNAL_REGISTRY: &str = "image-registry.openshift-image-registry.svc:5000";
/// What OpenShift puts into every namespace: the authority that signed the internal registry's certificate.
const SERVICE_CA: (&str, &str) = ("openshift-service-ca.crt", "service-ca.crt");
const CA_KEY: &str = "ca.crt";
const OWN_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// What a spec refers to and can't be used.
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
    /// The spec names no registry, and the cluster has none of its own.
    #[error(
        "registry: packages need a registry to push images to, and this cluster has none of its own; set registry.url"
    )]
    NoRegistry,
    /// The API groups couldn't be read.
    #[error("failed to read the API groups of the cluster")]
    Discover(#[source] kube::Error),
}

impl Error {
    /// The reason for the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Read { .. } | Self::Discover(_) => "DependencyUnreadable",
            Self::NotFound { kind: "Secret", .. } => "SecretNotFound",
            Self::NotFound { .. } => "ConfigMapNotFound",
            Self::NoKey { kind: "Secret", .. } => "SecretInvalid",
            Self::NoKey { .. } => "ConfigMapInvalid",
            Self::NoRegistry => "InvalidSpec",
        }
    }
}

/// A registry and how it's spoken to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The registry of the spec, or the cluster's own.
    pub registry: Registry,
    /// How the operator speaks to it.
    pub access: Access,
    /// The key of `registry.caConfigMap` that has the authority.
    pub authority_key: &'static str,
}

/// Whether builds log in with their own token: to the registry of the cluster itself.
pub fn by_token(spec: &CoprInstanceSpec) -> bool {
    spec.registry.is_none()
}

/// The registry that images are pushed to.
pub async fn target(client: &Client, namespace: &str, registry: Option<&Registry>) -> Result<Target, Error> {
    let Some(registry) = registry.cloned() else {
        return internal(client, namespace).await;
    };
    let host = registry::host_of_prefix(&registry.url).unwrap_or_default();
    let auth = match &registry.push_secret {
        None => RegistryAuth::Anonymous,
        Some(SecretRef { name }) => {
            let file = secret(client, namespace, "registry.pushSecret", name, ".dockerconfigjson").await?;
            registry::credentials(&file, &host)
        }
    };
    let authority = match &registry.ca_config_map {
        None => None,
        Some(ConfigMapRef { name }) => {
            Some(config_map(client, namespace, "registry.caConfigMap", name, CA_KEY).await?)
        }
    };
    let access = Access { insecure: registry.insecure, authority, auth };
    Ok(Target { registry, access, authority_key: CA_KEY })
}

/// What images of a namespace are called in OpenShift's internal registry.
pub fn internal_url(namespace: &str) -> String {
    format!("{INTERNAL_REGISTRY}/{namespace}")
}

/// OpenShift's internal registry, where there is one: images are in the instance's own namespace, and service accounts'
/// tokens log in.
async fn internal(client: &Client, namespace: &str) -> Result<Target, Error> {
    match discovery::group(client, "imageregistry.operator.openshift.io").await {
        Ok(_) => {}
        Err(kube::Error::Discovery(_)) => return Err(Error::NoRegistry),
        Err(kube::Error::Api(status)) if status.is_not_found() => return Err(Error::NoRegistry),
        Err(source) => return Err(Error::Discover(source)),
    }
    let (name, key) = SERVICE_CA;
    let authority = config_map(client, namespace, "registry", name, key).await?;
    let auth = fs::read_to_string(OWN_TOKEN)
        .map_or(RegistryAuth::Anonymous, |token| RegistryAuth::Basic("serviceaccount".into(), token));
    Ok(Target {
        registry: Registry {
            url: internal_url(namespace),
            insecure: false,
            push_secret: None,
            ca_config_map: Some(ConfigMapRef { name: name.into() }),
            retention: default_retention(),
        },
        access: Access { insecure: false, authority: Some(authority), auth },
        authority_key: key,
    })
}

/// How the registry of a prebuilt image is spoken to.
pub async fn of_prebuilt(
    client: &Client,
    namespace: &str,
    spec: &CoprInstanceSpec,
    image: &str,
) -> Result<Access, Error> {
    let host = registry::host(image).unwrap_or_default();
    if let Some(registry) = &spec.registry
        && registry::host_of_prefix(&registry.url).as_ref() == Some(&host)
    {
        return Ok(target(client, namespace, Some(registry)).await?.access);
    }
    for name in &spec.images.pull_secrets {
        let file = secret(client, namespace, "images.pullSecrets", name, ".dockerconfigjson").await?;
        let auth = registry::credentials(&file, &host);
        if auth != RegistryAuth::Anonymous {
            return Ok(Access { auth, ..Access::default() });
        }
    }
    Ok(Access::default())
}

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
            Some(config_map(client, namespace, field, name, CA_KEY).await?)
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

async fn secret(
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

async fn config_map(
    client: &Client,
    namespace: &str,
    field: &'static str,
    name: &str,
    key: &'static str,
) -> Result<String, Error> {
    value(client, namespace, (field, "ConfigMap", name, key), |map: ConfigMap| map.data?.remove(key)).await
}

/// A value of an object that a field of the spec refers to.
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
