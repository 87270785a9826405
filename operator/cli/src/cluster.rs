//! Client required: the cluster, and what is read of it.

use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun};
use copr_operator_kernel::report;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod, Secret};
use kube::{
    Api, Client, Config, Resource,
    api::{ApiResource, DynamicObject},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde::de::DeserializeOwned;

use crate::{
    args::Place,
    error::{Error, without_logins},
};

pub const RUN: (&str, &str) = ("CoprTestRun", "coprtestruns");
pub const INSTANCE: (&str, &str) = ("CoprInstance", "coprinstances");

/// A namespace of a cluster.
pub struct Cluster {
    pub client: Client,
    pub namespace: String,
}

impl Cluster {
    pub async fn connect(place: &Place) -> Result<Self, Error> {
        let config = config(place).await?;
        let namespace = place.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(|error| unusable(&error))?;
        Ok(Self { client, namespace })
    }

    pub fn runs(&self) -> Api<CoprTestRun> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Runs with all fields that the cluster knows, also those that this program doesn't.
    pub fn whole_runs(&self) -> Api<DynamicObject> {
        let resource = ApiResource::erase::<CoprTestRun>(&());
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    /// Creates a run. Strictly: what this cluster's operator doesn't know is an error, and not left out.
    pub async fn create_run(&self, run: &DynamicObject, dry_run: bool) -> kube::Result<DynamicObject> {
        // kube's own parameters of a creation have no such field.
        let query = if dry_run { "fieldValidation=Strict&dryRun=All" } else { "fieldValidation=Strict" };
        let request = http::Request::post(format!("{}?{query}", self.whole_runs().resource_url()))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(serde_json::to_vec(run).map_err(kube::Error::SerdeError)?)
            .map_err(kube::Error::HttpError)?;
        self.client.request(request).await
    }

    pub fn instances(&self) -> Api<CoprInstance> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub fn events(&self) -> Api<Event> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub async fn run(&self, name: &str) -> Result<CoprTestRun, Error> {
        self.runs().get(name).await.map_err(|source| Error::of(RUN, "read", name, &self.namespace, source))
    }

    pub async fn whole_run(&self, name: &str) -> Result<DynamicObject, Error> {
        self.whole_runs().get(name).await.map_err(|e| Error::of(RUN, "read", name, &self.namespace, e))
    }

    pub async fn instance(&self, name: &str) -> Result<CoprInstance, Error> {
        self.instances().get(name).await.map_err(|e| Error::of(INSTANCE, "read", name, &self.namespace, e))
    }

    /// The JUnit report of a run.
    pub async fn junit(&self, run: &CoprTestRun) -> Result<String, Error> {
        let name = run.metadata.name.as_deref().unwrap_or_default();
        let status = run.status.as_ref();
        let Some(map) = status.and_then(|status| status.junit.as_deref()) else {
            return Err(Error::Said(format!(
                "the run {name} has no JUnit report yet: the operator writes it when the run has ended; 'kubectl copr watch {name}' waits for that"
            )));
        };
        let found = self.config_maps().get(map).await.map_err(|source| {
            Error::of(("ConfigMap", "configmaps"), "read the JUnit report in", map, &self.namespace, source)
        })?;
        found.data.unwrap_or_default().remove("junit.xml").ok_or_else(|| {
            Error::Said(format!(
                "the ConfigMap {map} in the namespace {} has no key junit.xml: somebody changed it",
                self.namespace
            ))
        })
    }
}

/// The object as this program knows it.
pub fn typed<K: Resource + DeserializeOwned>(object: DynamicObject) -> Result<K, Error> {
    let name = object.metadata.name.clone().unwrap_or_default();
    object.try_parse().map_err(|error| {
        Error::Said(format!("{name} can't be read: {error}; is this kubectl copr as new as the operator?"))
    })
}

async fn config(place: &Place) -> Result<Config, Error> {
    let options = KubeConfigOptions { context: place.context.clone(), ..KubeConfigOptions::default() };
    let said = |error: kube::config::KubeconfigError| unusable(&error);
    let mut config = match &place.kubeconfig {
        Some(file) => {
            let kubeconfig = Kubeconfig::read_from(file).map_err(said)?;
            Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(said)?
        }
        None if place.context.is_some() => Config::from_kubeconfig(&options).await.map_err(said)?,
        None => Config::infer().await.map_err(|error| unusable(&error))?,
    };
    if let Some(proxy) = &config.proxy_url
        && is_excepted(&config.cluster_url, proxy, |name| std::env::var(name).ok())
    {
        config.proxy_url = None;
    }
    Ok(config)
}

/// Whether the proxy of the environment isn't for this URL. kube compares `NO_PROXY` with the address of the proxy.
fn is_excepted(url: &Uri, proxy: &Uri, variable: impl Fn(&str) -> Option<String>) -> bool {
    let of = |names: [&str; 2]| {
        names.into_iter().find_map(|name| variable(name).filter(|value| !value.is_empty()))
    };
    let is_of_the_environment =
        of(["HTTPS_PROXY", "https_proxy"]).and_then(|text| text.parse::<Uri>().ok()).as_ref() == Some(proxy);
    let excepted = of(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    let matcher = Matcher::builder().all(proxy.to_string()).no(excepted).build();
    is_of_the_environment && matcher.intercept(url).is_none()
}

fn unusable(error: &(dyn std::error::Error + 'static)) -> Error {
    Error::Kubeconfig(without_logins(&report::chain(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_is_about_the_cluster() {
        let excepted = |url: &str, proxy: &str, no: &str| {
            let variable = |name: &str| match name {
                "https_proxy" => Some("http://10.0.0.9:3128".to_owned()),
                "NO_PROXY" => Some(no.to_owned()),
                _ => None,
            };
            is_excepted(&url.parse().unwrap(), &proxy.parse().unwrap(), variable)
        };
        let (cluster, proxy) = ("https://api.example.org:6443", "http://10.0.0.9:3128");
        for no in ["example.org", ".example.org", "a, api.example.org", "*"] {
            assert!(excepted(cluster, proxy, no), "{no}");
        }
        assert!(excepted("https://10.1.2.3:6443", proxy, "10.0.0.0/8"));
        for no in ["", "10.0.0.9", "example.com"] {
            assert!(!excepted(cluster, proxy, no), "{no}");
        }
        // A kubeconfig's own.
        assert!(!excepted(cluster, "http://other:3128", "example.org"));
    }
}
