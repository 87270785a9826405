//! Client required: the cluster, and what is read of it.

use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun};
use k8s_openapi::api::core::v1::{ConfigMap, Event, Pod, Secret};
use kube::{
    Api, Client, Config, Resource,
    api::{ApiResource, DynamicObject},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde::de::DeserializeOwned;

use crate::{args::Place, error::Error};

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
        let client = Client::try_from(config).map_err(|error| Error::Kubeconfig(error.to_string()))?;
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
    let said = |error: kube::config::KubeconfigError| Error::Kubeconfig(error.to_string());
    match &place.kubeconfig {
        Some(file) => {
            let kubeconfig = Kubeconfig::read_from(file).map_err(said)?;
            Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(said)
        }
        None if place.context.is_some() => Config::from_kubeconfig(&options).await.map_err(said),
        None => Config::infer().await.map_err(|error| Error::Kubeconfig(error.to_string())),
    }
}
