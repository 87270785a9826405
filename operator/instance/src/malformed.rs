//! Client required: tells of an object that isn't a CoprInstance of this version, which the API server admitted nevertheless: it is
//! older than a rule, or of a later version of the CRD.

use copr_operator_api::{
    status::{READY, RECONCILED},
    v1alpha1::{CoprInstance, CoprInstanceStatus},
};
use copr_operator_kernel::{
    conditions::{self, Verdict},
    report::{chain, truncate},
};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Api, Resource as _, ResourceExt as _,
    api::{ApiResource, Patch, PatchParams},
    core::{DynamicObject, error_boundary::InvalidObject},
    runtime::events::{Event, EventType},
};
use serde_json::json;

use super::{Context, dereference::now};

/// The reason of the conditions.
pub const REASON: &str = "Malformed";

/// Publishes an event, and writes the conditions where the API server takes a status of such an object. What the components last
/// were stays.
pub async fn report(context: &Context, invalid: &InvalidObject) {
    let metadata = &invalid.metadata;
    let name = metadata.name.clone().unwrap_or_default();
    let namespace = metadata.namespace.clone().unwrap_or_default();
    let message = truncate(format!("the object can't be read as a CoprInstance: {}", invalid.error), 1000);
    let about = ObjectReference {
        api_version: Some(CoprInstance::api_version(&()).into()),
        kind: Some(CoprInstance::kind(&()).into()),
        name: Some(name.clone()),
        namespace: Some(namespace.clone()),
        uid: metadata.uid.clone(),
        ..ObjectReference::default()
    };
    let event = Event {
        type_: EventType::Warning,
        reason: REASON.into(),
        note: Some(message.clone()),
        action: "Reconcile".into(),
        secondary: None,
    };
    if let Err(error) = context.recorder.publish(&event, &about).await {
        tracing::warn!(namespace, instance = name, error = chain(&error), "Failed to publish an event");
    }
    // An object that breaks its own schema can't be applied to, and perhaps not be written at all.
    if let Err(error) = write(context, (&namespace, &name), message).await {
        tracing::debug!(
            namespace,
            instance = name,
            error = chain(&error),
            "No status for a malformed object"
        );
    }
}

async fn write(
    context: &Context,
    (namespace, name): (&str, &str),
    message: String,
) -> Result<(), kube::Error> {
    let resource = ApiResource::erase::<CoprInstance>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), namespace, &resource);
    let Some(object) = api.get_opt(name).await? else { return Ok(()) };
    // A status that is what can't be read is made anew.
    let status = object.data.get("status").cloned().unwrap_or_default();
    let old: CoprInstanceStatus = serde_json::from_value(status).unwrap_or_default();
    let mut conditions = old.conditions.clone();
    let (now, generation) = (now(), object.metadata.generation);
    let verdict = Verdict::no(REASON, message);
    if conditions::get(&conditions, READY).is_none() {
        conditions::set(&mut conditions, READY, verdict.clone(), generation, now);
    }
    conditions::set(&mut conditions, RECONCILED, verdict, generation, now);
    if conditions == old.conditions {
        return Ok(());
    }
    let patch = json!({
        "metadata": {"resourceVersion": object.resource_version()},
        "status": {"conditions": conditions, "observedGeneration": generation},
    });
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(())
}
