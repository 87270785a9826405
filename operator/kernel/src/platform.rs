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
        // Entries are replaced whole, so they are usable even if a thread panicked while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cluster that serves the API group of security context constraints is OpenShift.
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{ApiServer, Exchange, get};

    const NAMESPACE: &str = "/api/v1/namespaces/team";

    /// The API groups, and what OpenShift's has.
    fn openshift() -> [Exchange; 2] {
        let version = json!({"groupVersion": "security.openshift.io/v1", "version": "v1"});
        let group = json!({
            "name": "security.openshift.io", "versions": [version], "preferredVersion": version,
        });
        let resources = json!({"groupVersion": "security.openshift.io/v1", "resources": []});
        [
            get("/apis").answers(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]})),
            get("/apis/security.openshift.io/v1").answers(resources),
        ]
    }

    fn kubernetes() -> Exchange {
        get("/apis").answers(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []}))
    }

    fn namespace(annotations: &Value) -> Exchange {
        get(NAMESPACE).answers(json!({"metadata": {"name": "team", "annotations": annotations}}))
    }

    #[tokio::test]
    async fn kubernetes_has_no_such_group_and_is_asked_once_for_a_namespace() {
        let platforms = Platforms::default();
        let server = ApiServer::expects([kubernetes(), kubernetes()]);
        for name in ["team", "team", "other", "team"] {
            assert_eq!(platforms.of(&server.client(), name).await.unwrap(), Platform::Kubernetes);
        }
    }

    #[tokio::test]
    async fn openshift_tells_which_uid_pods_of_the_namespace_run_as() {
        for range in ["1000100000/10000", "1000100000-1000109999"] {
            let platforms = Platforms::default();
            let server =
                ApiServer::expects(openshift().into_iter().chain([namespace(&json!({(UID_RANGE): range}))]));
            for _ in 0..2 {
                let platform = platforms.of(&server.client(), "team").await.unwrap();
                assert_eq!(platform, Platform::OpenShift { uid: 1_000_100_000 });
            }
        }
    }

    #[tokio::test]
    async fn a_namespace_without_its_range_is_asked_about_again() {
        let platforms = Platforms::default();
        let script = [json!({}), json!({(UID_RANGE): "soon"}), json!({(UID_RANGE): "7/1"})];
        let server = ApiServer::expects(
            script
                .into_iter()
                .flat_map(|annotations| openshift().into_iter().chain([namespace(&annotations)])),
        );
        for _ in 0..2 {
            assert!(matches!(platforms.of(&server.client(), "team").await, Err(Error::NoUidRange)));
        }
        assert_eq!(platforms.of(&server.client(), "team").await.unwrap(), Platform::OpenShift { uid: 7 });
    }

    #[tokio::test]
    async fn an_api_server_that_does_not_say_is_not_taken_for_kubernetes() {
        let platforms = Platforms::default();
        let server = ApiServer::expects(
            [
                get("/apis").refuses(ApiServer::FORBIDDEN, "no"),
                get("/apis").refuses(ApiServer::INTERNAL_ERROR, "etcd"),
                get("/apis").is_cut_off(),
            ]
            .into_iter()
            .chain(openshift())
            .chain([get(NAMESPACE).refuses(ApiServer::FORBIDDEN, "no")]),
        );
        for _ in 0..3 {
            assert!(matches!(platforms.of(&server.client(), "team").await, Err(Error::Discover(_))));
        }
        let said = platforms.of(&server.client(), "team").await.unwrap_err().to_string();
        assert_eq!(said, "failed to read the namespace team");
    }
}
