//! Step 1, client required: everything that a reconcile reads, and everything random, is brought in here.

use std::collections::{BTreeMap, BTreeSet};

use copr_operator_api::{
    annotations::ROTATION,
    labels::{self, FIELD_MANAGER},
    names,
    v1alpha1::{ConfigMapRef, CoprInstance, SecretRef},
};
use copr_operator_kernel::{
    platform::{self, Platform, Platforms},
    served::{self, Served},
};
use k8s_openapi::{
    api::core::v1::{ConfigMap, Secret},
    jiff::Timestamp,
};
use kube::{Api, Client, ResourceExt};

use super::credentials::{self, Credentials};

/// What a reconcile knows of the cluster before it decides.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The instance's credentials: those of its Secret, completed.
    pub credentials: Credentials,
    /// The version of the Secret that they were read from, if there is one.
    pub credentials_version: Option<String>,
    /// Which rotation they belong to.
    pub rotation: Option<String>,
    /// What kind of cluster this is.
    pub platform: Platform,
    /// The Secret named in `spec.database.externalSecret`.
    pub database_secret: Option<External>,
    /// The Secret named in `spec.redis.externalSecret`.
    pub redis_secret: Option<External>,
    /// The Secret named in `spec.login.oidc.clientSecret`.
    pub oidc_secret: Option<External>,
    /// The ConfigMap named in `spec.login.oidc.caConfigMap`.
    pub oidc_authority: Option<External>,
    /// The Secret named in `spec.login.kerberos.proxySecret`.
    pub proxy_secret: Option<External>,
    /// Which of the kinds are served that a cluster need not have.
    pub served: Served,
    /// The Secrets named in `spec.users[].tokenSecret`, by user.
    pub user_tokens: BTreeMap<String, External>,
    /// The moment.
    pub now: Timestamp,
}

/// A Secret or a ConfigMap that the spec refers to.
#[derive(Clone, Debug)]
pub struct External {
    /// Its name.
    pub name: String,
    /// Its values as text, or None if there is no such object.
    pub data: Option<BTreeMap<String, String>>,
}

/// What went wrong while the cluster was read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The instance itself couldn't be read.
    #[error("failed to read the CoprInstance")]
    ReadInstance(#[source] kube::Error),
    /// A Secret couldn't be read.
    #[error("failed to read the Secret {name}")]
    ReadSecret {
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// A ConfigMap couldn't be read.
    #[error("failed to read the ConfigMap {name}")]
    ReadConfigMap {
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// The instance's own Secret is there, but can't be used.
    #[error("failed to use the Secret {name}")]
    Credentials {
        /// Its name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: super::credentials::Error,
    },
    /// What kind of cluster this is couldn't be told.
    #[error("failed to find out what kind of cluster this is")]
    Platform(#[source] platform::Error),
    /// Which kinds there are couldn't be told.
    #[error(transparent)]
    Served(served::Error),
    /// The API server returned an instance without a namespace.
    #[error("the instance has no namespace")]
    NoNamespace,
}

/// The instance as it is now: the one that the watch told of may be older than the operator's own last write of its status, by
/// which images would be resolved twice. Nothing if it is gone or going.
pub async fn fresh(client: &Client, instance: &CoprInstance) -> Result<Option<CoprInstance>, Error> {
    let namespace = instance.namespace().ok_or(Error::NoNamespace)?;
    let api: Api<CoprInstance> = Api::namespaced(client.clone(), &namespace);
    let found = api.get_opt(&instance.name_any()).await.map_err(Error::ReadInstance)?;
    let same =
        |found: &CoprInstance| found.uid() == instance.uid() && found.metadata.deletion_timestamp.is_none();
    Ok(found.filter(same))
}

/// Reads what this instance needs.
pub async fn dereference(
    client: &Client,
    platforms: &Platforms,
    served: &served::Cache,
    instance: &CoprInstance,
) -> Result<Observed, Error> {
    let namespace = instance.namespace().ok_or(Error::NoNamespace)?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &namespace);
    let kept = credentials(&secrets, instance).await?;
    let login = instance.spec.login.as_ref();
    let oidc = login.and_then(|login| login.oidc.as_ref());
    let authority = oidc.and_then(|oidc| oidc.ca_config_map.as_ref());
    let proxy = login.and_then(|login| Some(&login.kerberos.as_ref()?.proxy_secret));
    Ok(Observed {
        credentials: kept.credentials,
        credentials_version: kept.version,
        rotation: kept.rotation,
        platform: platforms.of(client, &namespace).await.map_err(Error::Platform)?,
        database_secret: external(&secrets, instance.spec.database.external_secret.as_ref()).await?,
        redis_secret: external(&secrets, instance.spec.redis.external_secret.as_ref()).await?,
        oidc_secret: external(&secrets, oidc.map(|oidc| &oidc.client_secret)).await?,
        oidc_authority: external_config_map(client, &namespace, authority).await?,
        proxy_secret: external(&secrets, proxy).await?,
        served: served.get(client).await.map_err(Error::Served)?,
        user_tokens: user_tokens(&secrets, instance).await?,
        now: now(),
    })
}

/// The credentials, where they came from, and what for.
struct Kept {
    credentials: Credentials,
    version: Option<String>,
    rotation: Option<String>,
}

async fn credentials(secrets: &Api<Secret>, instance: &CoprInstance) -> Result<Kept, Error> {
    let owner = instance.name_any();
    let name = names::credentials(&owner);
    let found = read(secrets, &name).await?;
    let version = found.as_ref().and_then(Secret::resource_version);
    let mut made_for = found.as_ref().and_then(|secret| secret.annotations().get(ROTATION).cloned());
    let mut data = found.map(text).unwrap_or_default();
    if !credentials::is_complete(&data) {
        let lost = recovered(secrets, &owner).await?;
        if version.is_none() {
            made_for = lost.rotation;
        }
        for (key, value) in lost.data {
            data.entry(key).or_insert(value);
        }
    }
    let wanted = instance.annotations().get(ROTATION).cloned();
    let rotate = wanted.is_some() && wanted != made_for;
    if rotate {
        data.clear();
    }
    let credentials =
        Credentials::complete(&data).map_err(|source| Error::Credentials { name: name.clone(), source })?;
    Ok(Kept { credentials, version, rotation: wanted.or(made_for) })
}

struct Recovered {
    data: BTreeMap<String, String>,
    rotation: Option<String>,
}

/// What the Secrets that were rendered from a lost one still hold.
async fn recovered(secrets: &Api<Secret>, instance: &str) -> Result<Recovered, Error> {
    let mut recovered = Recovered { data: BTreeMap::new(), rotation: None };
    let rendered: BTreeSet<_> = credentials::COPIES.iter().map(|copy| copy.secret).collect();
    for suffix in rendered {
        // Anybody's Secret could have the name; those of the operator say so.
        let found = read(secrets, &format!("{instance}-{suffix}")).await?;
        let ours =
            |secret: &Secret| secret.labels().get(labels::MANAGED_BY).is_some_and(|by| by == FIELD_MANAGER);
        let Some(secret) = found.filter(ours) else { continue };
        if let Some(rotation) = secret.annotations().get(ROTATION) {
            recovered.rotation = Some(rotation.clone());
        }
        recovered.data.extend(credentials::recover(suffix, &text(secret)));
    }
    Ok(recovered)
}

async fn external(secrets: &Api<Secret>, reference: Option<&SecretRef>) -> Result<Option<External>, Error> {
    let Some(SecretRef { name }) = reference else {
        return Ok(None);
    };
    let data = read(secrets, name).await?.map(text);
    Ok(Some(External { name: name.clone(), data }))
}

async fn external_config_map(
    client: &Client,
    namespace: &str,
    reference: Option<&ConfigMapRef>,
) -> Result<Option<External>, Error> {
    let Some(ConfigMapRef { name }) = reference else { return Ok(None) };
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let read = maps.get_opt(name).await;
    let found = read.map_err(|source| Error::ReadConfigMap { name: name.clone(), source })?;
    Ok(Some(External { name: name.clone(), data: found.map(|map| map.data.unwrap_or_default()) }))
}

async fn user_tokens(
    secrets: &Api<Secret>,
    instance: &CoprInstance,
) -> Result<BTreeMap<String, External>, Error> {
    let mut tokens = BTreeMap::new();
    for user in &instance.spec.users {
        if let Some(secret) = external(secrets, user.token_secret.as_ref()).await? {
            tokens.insert(user.name.clone(), secret);
        }
    }
    Ok(tokens)
}

async fn read(secrets: &Api<Secret>, name: &str) -> Result<Option<Secret>, Error> {
    secrets.get_opt(name).await.map_err(|source| Error::ReadSecret { name: name.into(), source })
}

fn text(secret: Secret) -> BTreeMap<String, String> {
    let data = secret.data.unwrap_or_default();
    data.into_iter().map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned())).collect()
}

/// The clock of a reconcile.
#[expect(clippy::disallowed_methods, reason = "the clock enters a reconcile here and nowhere else")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests;
