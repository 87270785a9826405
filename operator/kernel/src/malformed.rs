//! Client required: conditions of an object that isn't of the kind of this version, which the API server admitted nevertheless: it is
//! older than a rule, or of a later version of the CRD.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{ApiResource, Patch, PatchParams},
    core::DynamicObject,
};
use serde_json::json;

/// The reason of conditions and events.
pub const REASON: &str = "Malformed";

/// Writes what `say` makes of the conditions, given the generation of the object, where the API server takes a status of it. One that
/// breaks its own schema can't be applied to, and perhaps not be written at all. Everything else in the status stays; where nothing is
/// said, the generation stays unobserved, too.
pub async fn write<K>(
    client: &Client,
    (namespace, name): (&str, &str),
    say: impl FnOnce(&mut Vec<Condition>, Option<i64>),
) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = ()>,
{
    let resource = ApiResource::erase::<K>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let Some(object) = api.get_opt(name).await? else { return Ok(()) };
    let generation = object.metadata.generation;
    let known = object.data.get("status").and_then(|status| status.get("conditions")).cloned();
    // Conditions that can't be read either are made anew.
    let known: Vec<Condition> = known.and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default();
    let mut conditions = known.clone();
    say(&mut conditions, generation);
    if conditions == known {
        return Ok(());
    }
    let patch = json!({
        "metadata": {"resourceVersion": object.resource_version()},
        "status": {"conditions": conditions, "observedGeneration": generation},
    });
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(())
}
