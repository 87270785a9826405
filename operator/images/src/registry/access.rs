//! Client required: how a registry is spoken to, from the Secrets and ConfigMaps that a spec names.

use std::fs;

use copr_operator_api::v1alpha1::{ConfigMapRef, CoprInstanceSpec, Registry, SecretRef, default_retention};
use kube::{Client, discovery};

use super::{Access, Keyring, Login, host, host_of_prefix};
use crate::dependency::{self, CA_KEY, authority, secret};

/// Where OpenShift's own registry answers.
const INTERNAL_REGISTRY: &str = "image-registry.openshift-image-registry.svc:5000";
/// What OpenShift puts into every namespace: the authority that signed the internal registry's certificate.
const SERVICE_CA: (&str, &str) = ("openshift-service-ca.crt", "service-ca.crt");
const DOCKER_CONFIG: &str = ".dockerconfigjson";
const DOCKER_CFG: &str = ".dockercfg";
const OWN_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// Why a registry can't be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that the spec refers to.
    #[error(transparent)]
    Dependency(#[from] dependency::Error),
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
            Self::Dependency(error) => error.reason(),
            Self::Discover(_) => "DependencyUnreadable",
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
    let of_image = host(image).unwrap_or_default();
    if let Some(registry) = &spec.registry
        && host_of_prefix(&registry.url).as_ref() == Some(&of_image)
    {
        return Ok(target(client, namespace, Some(registry)).await?.access);
    }
    let mut keyring = Keyring::default();
    for name in &spec.images.pull_secrets {
        let field = "images.pullSecrets";
        let file = match secret(client, namespace, field, name, DOCKER_CONFIG).await {
            // A Secret of the older type kubernetes.io/dockercfg, which OpenShift makes.
            Err(dependency::Error::NoKey { .. }) => {
                secret(client, namespace, field, name, DOCKER_CFG).await?
            }
            file => file?,
        };
        add(&mut keyring, &file, field, name)?;
    }
    Ok(Access { keyring, ..Access::default() })
}

fn add(keyring: &mut Keyring, file: &str, field: &'static str, name: &str) -> Result<(), Error> {
    let malformed = |at| dependency::Error::Malformed { field, kind: "Secret", name: name.to_owned(), at };
    keyring.add(file, &format!("Secret {name} ({field})")).map_err(|at| malformed(at).into())
}
