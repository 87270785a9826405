//! Step 1, client required: everything that a reconcile reads, and everything random, is brought in here.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{Namespace, Secret},
    jiff::Timestamp,
};
use kube::{Api, Client, ResourceExt, discovery};

use super::credentials::Credentials;
use crate::api::v1alpha1::{CoprInstance, SecretRef};

/// Where OpenShift writes which uids the pods of a namespace run as.
const UID_RANGE: &str = "openshift.io/sa.scc.uid-range";

/// What a reconcile knows of the cluster before it decides.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The instance's credentials: those of its Secret, or new ones.
    pub credentials: Credentials,
    /// What kind of cluster this is.
    pub platform: Platform,
    /// The Secret named in `spec.database.externalSecret`.
    pub database_secret: Option<External>,
    /// The Secret named in `spec.redis.externalSecret`.
    pub redis_secret: Option<External>,
    /// The moment.
    pub now: Timestamp,
}

/// A Secret that the spec refers to.
#[derive(Clone, Debug)]
pub struct External {
    /// Its name.
    pub name: String,
    /// Its values as text, or None if there is no such Secret.
    pub data: Option<BTreeMap<String, String>>,
}

/// What the cluster asks of pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Kubernetes: pods run as their image says, volumes belong to group 0.
    Kubernetes,
    /// OpenShift: security context constraints set the group and the uid.
    OpenShift {
        /// The first uid of the namespace's range, which restricted-v2 gives to every pod.
        uid: i64,
    },
}

/// What went wrong while the cluster was read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A Secret couldn't be read.
    #[error("failed to read the Secret {name}")]
    ReadSecret {
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// The instance's own Secret is there, but not whole.
    #[error("failed to use the Secret {name}")]
    Credentials {
        /// Its name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: super::credentials::Error,
    },
    /// The namespace couldn't be read.
    #[error("failed to read the namespace {name}")]
    ReadNamespace {
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// OpenShift has not given the namespace its range of uids (yet).
    #[error("the namespace has no usable annotation {annotation}")]
    NoUidRange {
        /// Key of the annotation.
        annotation: &'static str,
    },
    /// The API groups couldn't be read.
    #[error("failed to read the API groups of the cluster")]
    Discover {
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// The API server returned an instance without a namespace.
    #[error("the instance has no namespace")]
    NoNamespace,
}

/// Reads what this instance needs.
pub async fn dereference(client: &Client, instance: &CoprInstance) -> Result<Observed, Error> {
    let namespace = instance.namespace().ok_or(Error::NoNamespace)?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &namespace);
    Ok(Observed {
        credentials: credentials(&secrets, &instance.name_any()).await?,
        platform: platform(client, &namespace).await?,
        database_secret: external(&secrets, instance.spec.database.external_secret.as_ref()).await?,
        redis_secret: external(&secrets, instance.spec.redis.external_secret.as_ref()).await?,
        now: now(),
    })
}

async fn credentials(secrets: &Api<Secret>, instance: &str) -> Result<Credentials, Error> {
    let name = super::names::credentials(instance);
    match read(secrets, &name).await? {
        None => Credentials::generate(),
        Some(secret) => Credentials::from_data(&text(secret)),
    }
    .map_err(|source| Error::Credentials { name, source })
}

async fn external(secrets: &Api<Secret>, reference: Option<&SecretRef>) -> Result<Option<External>, Error> {
    let Some(SecretRef { name }) = reference else {
        return Ok(None);
    };
    let data = read(secrets, name).await?.map(text);
    Ok(Some(External { name: name.clone(), data }))
}

async fn read(secrets: &Api<Secret>, name: &str) -> Result<Option<Secret>, Error> {
    secrets.get_opt(name).await.map_err(|source| Error::ReadSecret { name: name.into(), source })
}

fn text(secret: Secret) -> BTreeMap<String, String> {
    let data = secret.data.unwrap_or_default();
    data.into_iter().map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned())).collect()
}

/// OpenShift is told by its API, not by a flag.
async fn platform(client: &Client, namespace: &str) -> Result<Platform, Error> {
    match discovery::group(client, "security.openshift.io").await {
        Ok(_) => {}
        Err(kube::Error::Discovery(_)) => return Ok(Platform::Kubernetes),
        Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(Platform::Kubernetes),
        Err(source) => return Err(Error::Discover { source }),
    }
    let read = Api::<Namespace>::all(client.clone()).get(namespace).await;
    let namespace = read.map_err(|source| Error::ReadNamespace { name: namespace.into(), source })?;
    // Written as "1000100000/10000"; it appears a moment after the namespace.
    let uid = namespace
        .annotations()
        .get(UID_RANGE)
        .and_then(|range| range.split(['/', '-']).next()?.parse().ok())
        .ok_or(Error::NoUidRange { annotation: UID_RANGE })?;
    Ok(Platform::OpenShift { uid })
}

/// The clock of a reconcile.
#[expect(clippy::disallowed_methods, reason = "the clock enters a reconcile here and nowhere else")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
