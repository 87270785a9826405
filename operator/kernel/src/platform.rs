//! Client required: what kind of cluster this is. Asked now and then, as it hardly ever changes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, ResourceExt as _, discovery};

/// Where OpenShift writes which uids the pods of a namespace run as.
const UID_RANGE: &str = "openshift.io/sa.scc.uid-range";
/// How long an answer counts.
const FRESH: Duration = Duration::from_secs(600);

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

/// Why it can't be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API groups couldn't be read.
    #[error("failed to read the API groups of the cluster")]
    Discover(#[source] kube::Error),
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
    #[error("the namespace has no usable annotation {UID_RANGE}")]
    NoUidRange,
}

/// Answers by namespace.
#[derive(Debug, Default)]
pub struct Platforms(Mutex<HashMap<String, (Instant, Platform)>>);

impl Platforms {
    /// What kind of cluster the namespace is in.
    pub async fn of(&self, client: &Client, namespace: &str) -> Result<Platform, Error> {
        let known = self.lock().get(namespace).filter(|(since, _)| since.elapsed() < FRESH).cloned();
        if let Some((_, platform)) = known {
            return Ok(platform);
        }
        let platform = ask(client, namespace).await?;
        let mut all = self.lock();
        all.retain(|_, (since, _)| since.elapsed() < FRESH);
        all.insert(namespace.to_owned(), (Instant::now(), platform.clone()));
        Ok(platform)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, Platform)>> {
        // Entries are replaced whole, whatever panicked meanwhile.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// OpenShift is told by its API, not by a flag.
async fn ask(client: &Client, namespace: &str) -> Result<Platform, Error> {
    match discovery::group(client, "security.openshift.io").await {
        Ok(_) => {}
        Err(kube::Error::Discovery(_)) => return Ok(Platform::Kubernetes),
        Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(Platform::Kubernetes),
        Err(source) => return Err(Error::Discover(source)),
    }
    let read = Api::<Namespace>::all(client.clone()).get(namespace).await;
    let namespace = read.map_err(|source| Error::ReadNamespace { name: namespace.into(), source })?;
    // Written as "1000100000/10000"; it appears a moment after the namespace.
    let uid =
        namespace.annotations().get(UID_RANGE).and_then(|range| range.split(['/', '-']).next()?.parse().ok());
    Ok(Platform::OpenShift { uid: uid.ok_or(Error::NoUidRange)? })
}
