//! What is asked of the API server for a plan, and what becomes of its answers.

mod create_once;
mod orphans;
mod reconcile;

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{ConfigMap, PersistentVolumeClaim},
    },
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::Resource;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::*;

const CONFIG_MAPS: &str = "/api/v1/namespaces/team/configmaps";
const CLAIMS: &str = "/api/v1/namespaces/team/persistentvolumeclaims";
const SETS: &str = "/apis/apps/v1/namespaces/team/statefulsets";

fn owner() -> Owner {
    let reference = OwnerReference { name: "demo".into(), uid: "u1".into(), ..OwnerReference::default() };
    Owner { reference, namespace: "team".into() }
}

/// An object of a component.
fn object<K>(name: &str, component: &str, lifetime: Lifetime) -> Planned
where
    K: Resource<DynamicType = ()> + Serialize + DeserializeOwned,
{
    let metadata = json!({"name": name, "labels": {(labels::COMPONENT): component}});
    planned(&serde_json::from_value::<K>(json!({"metadata": metadata})).unwrap(), lifetime).unwrap()
}

fn config_map(name: &str, component: &str) -> Planned {
    object::<ConfigMap>(name, component, Lifetime::Reconcile)
}

fn claim(name: &str, component: &str) -> Planned {
    object::<PersistentVolumeClaim>(name, component, Lifetime::Retain)
}

fn stateful_set(name: &str, component: &str) -> Planned {
    object::<StatefulSet>(name, component, Lifetime::Reconcile)
}

/// Metadata as the API server has it, of an object that belongs to the instance of this uid.
fn owned_by(uid: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": name, "uid": format!("uid of {name}"), "resourceVersion": "5",
            "ownerReferences": [{"apiVersion": "v1", "kind": "CoprInstance", "name": "demo", "uid": uid}],
        },
    })
}

fn one(folder: &str, name: &str) -> String {
    format!("{folder}/{name}")
}
