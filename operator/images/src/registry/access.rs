//! Client required: the Secrets and ConfigMaps that registries and repositories need.

use std::{fmt::Debug, fs};

use copr_operator_api::v1alpha1::{
    ConfigMapRef, CoprInstanceSpec, Registry, Repository, SecretRef, default_retention,
};
use copr_operator_kernel::report;
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Secret},
};
use kube::{Api, Client, Resource, discovery};
use serde::de::DeserializeOwned;

use super::{Access, Keyring, Login, http};
use crate::{
    registry,
    resolve::repository::{Credentials, Source},
};

/// Where OpenShift's own registry answers.
const INTERNAL_REGISTRY: &str = "image-registry.openshift-image-registry.svc:5000";
/// What OpenShift puts into every namespace: the authority that signed the internal registry's certificate.
const SERVICE_CA: (&str, &str) = ("openshift-service-ca.crt", "service-ca.crt");
const CA_KEY: &str = "ca.crt";
const DOCKER_CONFIG: &str = ".dockerconfigjson";
const DOCKER_CFG: &str = ".dockercfg";
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
            Self::NoKey { kind: "Secret", .. } | Self::Malformed { kind: "Secret", .. } => "SecretInvalid",
            Self::NoKey { .. } | Self::Malformed { .. } => "ConfigMapInvalid",
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
    let mut keyring = Keyring::default();
    if let Some(SecretRef { name }) = &registry.push_secret {
        let field = "registry.pushSecret";
        let file = secret(client, namespace, field, name, DOCKER_CONFIG).await?;
        add(&mut keyring, &file, field, name)?;
    }
    let authority = match &registry.ca_config_map {
        None => None,
        Some(ConfigMapRef { name }) => {
            Some(authority(client, namespace, "registry.caConfigMap", name, CA_KEY).await?)
        }
    };
    let access = Access { insecure: registry.insecure, authority, keyring };
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
    let authority = authority(client, namespace, "registry", name, key).await?;
    let login = fs::read_to_string(OWN_TOKEN)
        .map_or(Login::Anonymous, |token| Login::Basic("serviceaccount".into(), token.trim_end().to_owned()));
    let keyring = Keyring::of(INTERNAL_REGISTRY, login, "the operator's own service account");
    Ok(Target {
        registry: Registry {
            url: internal_url(namespace),
            insecure: false,
            push_secret: None,
            ca_config_map: Some(ConfigMapRef { name: name.into() }),
            retention: default_retention(),
            delete_unused: false,
        },
        access: Access { insecure: false, authority: Some(authority), keyring },
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
    let mut keyring = Keyring::default();
    for name in &spec.images.pull_secrets {
        let field = "images.pullSecrets";
        let file = match secret(client, namespace, field, name, DOCKER_CONFIG).await {
            // The older kind, which OpenShift makes.
            Err(Error::NoKey { .. }) => secret(client, namespace, field, name, DOCKER_CFG).await?,
            file => file?,
        };
        add(&mut keyring, &file, field, name)?;
    }
    Ok(Access { keyring, ..Access::default() })
}

fn add(keyring: &mut Keyring, file: &str, field: &'static str, name: &str) -> Result<(), Error> {
    let malformed = |at| Error::Malformed { field, kind: "Secret", name: name.to_owned(), at };
    keyring.add(file, &format!("Secret {name} ({field})")).map_err(malformed)
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

/// Certificate authorities in PEM.
async fn authority(
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

/// Whoever trusts nobody more than before would be told of a certificate that nobody has signed.
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
    http::certificates(pem).map(drop).map_err(malformed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_at_least_one_certificate() {
        let of = ("registry.caConfigMap", "ConfigMap", "ca", CA_KEY);
        let key = rcgen::generate_simple_self_signed(vec!["registry.example".to_owned()]).unwrap();
        is_authority(&format!("# ours\n{}", key.cert.pem()), of).unwrap();
        for nothing in ["", "nonsense", "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n"] {
            let error = is_authority(nothing, of).unwrap_err();
            assert_eq!(error.reason(), "ConfigMapInvalid");
            let said = error.to_string();
            assert!(
                said.starts_with("registry.caConfigMap: the ConfigMap ca is malformed at ca.crt: "),
                "{said}"
            );
        }
    }
}
