//! Client required: which of the optional kinds the cluster serves. The answer is kept for a while, as it hardly ever changes.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use kube::{Client, api::ApiResource, core::GroupVersionKind, discovery};

/// How long an answer counts.
const FRESH: Duration = Duration::from_secs(600);

/// The kinds that only some clusters serve: group, version, kind.
const OPTIONAL: [(&str, &str, &str); 2] =
    [("route.openshift.io", "v1", "Route"), ("gateway.networking.k8s.io", "v1", "HTTPRoute")];

/// The optional kinds that are served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served(BTreeSet<String>);

impl Served {
    /// Those of these kinds.
    pub fn of(kinds: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(kinds.into_iter().map(Into::into).collect())
    }

    /// Whether the cluster serves the kind. What isn't optional is part of Kubernetes.
    pub fn has(&self, resource: &ApiResource) -> bool {
        let optional =
            OPTIONAL.iter().any(|(group, _, kind)| *group == resource.group && *kind == resource.kind);
        !optional || self.0.contains(&resource.kind)
    }
}

/// It couldn't be asked.
#[derive(Debug, thiserror::Error)]
#[error("failed to find out whether the cluster serves {kind}.{group}")]
pub struct Error {
    kind: &'static str,
    group: &'static str,
    #[source]
    source: kube::Error,
}

/// The answer, as long as it counts.
#[derive(Debug, Default)]
pub struct Cache(Mutex<Option<(Instant, Served)>>);

impl From<Served> for Cache {
    fn from(served: Served) -> Self {
        Self(Mutex::new(Some((Instant::now(), served))))
    }
}

impl Cache {
    /// The kinds that are served.
    pub async fn get(&self, client: &Client) -> Result<Served, Error> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, served)) = known.filter(|(since, _)| since.elapsed() < FRESH) {
            return Ok(served);
        }
        let mut kinds = Vec::new();
        for (group, version, kind) in OPTIONAL {
            let gvk = GroupVersionKind::gvk(group, version, kind);
            match discovery::pinned_kind(client, &gvk).await {
                Ok(_) => kinds.push(kind),
                Err(kube::Error::Discovery(_)) => {}
                // The HTTP code is compared, not the reason: for a group that isn't served the API server answers 404 without a
                // Status, so without a reason.
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(source) => return Err(Error { kind, group, source }),
            }
        }
        let served = Served::of(kinds);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), served.clone()));
        Ok(served)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{ApiServer, get};

    const ROUTES: &str = "/apis/route.openshift.io/v1";
    const GATEWAYS: &str = "/apis/gateway.networking.k8s.io/v1";

    #[tokio::test]
    async fn the_cluster_is_asked_once() {
        let kind = |name: &str, kind: &str| {
            let verbs = json!(["get"]);
            json!({"name": name, "singularName": "", "namespaced": true, "kind": kind, "verbs": verbs})
        };
        let list = json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "gateway.networking.k8s.io/v1",
            "resources": [kind("gateways", "Gateway"), kind("httproutes", "HTTPRoute")],
        });
        let server = ApiServer::expects([get(ROUTES).is_no_path(), get(GATEWAYS).answers(list)]);
        let cache = Cache::default();
        for _ in 0..2 {
            assert_eq!(cache.get(&server.client()).await.unwrap(), Served::of(["HTTPRoute"]));
        }
    }

    #[tokio::test]
    async fn a_cluster_that_does_not_answer_is_none_without_routes() {
        let server = ApiServer::expects([get(ROUTES).refuses(ApiServer::INTERNAL_ERROR, "etcd")]);
        let error = Cache::default().get(&server.client()).await.unwrap_err();
        assert!(error.to_string().contains("Route.route.openshift.io"), "{error}");
    }
}
