//! From an object that a watch reports to the instances that have to be looked at again.

use copr_operator_api::{
    labels::{COMPONENT, INSTANCE},
    v1alpha1::{CoprInstance, CoprInstanceSpec},
};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::{
    ResourceExt as _,
    api::ObjectMeta,
    core::DeserializeGuard,
    runtime::reflector::{ObjectRef, Store},
};

use super::event_map;

/// The instance that a component's pod belongs to. Pods are owned by StatefulSets, builders by resalloc.
pub fn instance_of(pod: &Pod) -> Option<ObjectRef<DeserializeGuard<CoprInstance>>> {
    let labels = pod.labels();
    labels.get(COMPONENT)?;
    Some(ObjectRef::new(labels.get(INSTANCE)?).within(&pod.namespace()?))
}

/// The instances whose specs name an object.
pub fn named_by(
    object: &ObjectMeta,
    instances: &Store<DeserializeGuard<CoprInstance>>,
    names: impl Fn(&CoprInstanceSpec, &str) -> bool,
) -> Vec<ObjectRef<DeserializeGuard<CoprInstance>>> {
    let name = object.name.as_deref().unwrap_or_default();
    let state = instances.state();
    let concerned = state.iter().filter(|instance| {
        instance.namespace() == object.namespace
            && instance.0.as_ref().is_ok_and(|instance| names(&instance.spec, name))
    });
    concerned.map(|instance| ObjectRef::from_obj(instance.as_ref())).collect()
}

/// The instances that an event may concern.
pub fn told_of(
    event: &Event,
    instances: &Store<DeserializeGuard<CoprInstance>>,
) -> Vec<ObjectRef<DeserializeGuard<CoprInstance>>> {
    let names: Vec<_> =
        instances.state().iter().map(|i| (i.namespace().unwrap_or_default(), i.name_any())).collect();
    let names = names.iter().map(|(namespace, name)| (namespace.as_str(), name.as_str()));
    let found = event_map::instances_of(event, names).into_iter();
    found.map(|(namespace, name)| ObjectRef::new(name).within(namespace)).collect()
}
