//! Client required: deletes what an earlier plan had and this one has not.

use kube::{
    Client, ResourceExt as _,
    api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Preconditions, PropagationPolicy},
};

use super::{Error, Owner, Planned, memory::Memory};

/// Deletes the owner's objects of these kinds that the query finds and the plan does not have. `kinds` are those whose objects go
/// with the plan. Looks only where `memory` doesn't know that there is nothing to find; returns how many were deleted.
pub async fn delete_orphans(
    client: &Client,
    owner: &Owner,
    query: &str,
    kinds: &[ApiResource],
    plan: &[Planned],
    memory: &Memory,
) -> Result<usize, Error> {
    let keys: Vec<_> = plan.iter().map(Planned::key).collect();
    if !memory.may_have_orphans(owner, &keys) {
        return Ok(0);
    }
    let mut deleted = 0;
    for resource in kinds {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &owner.namespace, resource);
        let found = api
            .list_metadata(&ListParams::default().labels(query))
            .await
            .map_err(|source| Error::List { kind: resource.kind.clone(), source: Box::new(source) })?;
        for object in found {
            let name = object.name_any();
            let wanted = plan.iter().any(|p| p.resource.kind == resource.kind && p.object.name_any() == name);
            let ours = object.owner_references().iter().any(|o| o.uid == owner.reference.uid);
            if wanted || !ours || object.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let params = DeleteParams {
                propagation_policy: Some(PropagationPolicy::Background),
                preconditions: Some(Preconditions { uid: object.uid(), resource_version: None }),
                ..DeleteParams::default()
            };
            match api.delete(&name, &params).await {
                Ok(_) => {
                    deleted += 1;
                    tracing::info!(kind = %resource.kind, name, "Deleted an object that is no longer wanted");
                }
                Err(kube::Error::Api(status)) if status.is_not_found() => {}
                Err(source) => {
                    return Err(Error::Delete {
                        kind: resource.kind.clone(),
                        name,
                        source: Box::new(source),
                    });
                }
            }
        }
    }
    memory.swept(owner, keys);
    Ok(deleted)
}
