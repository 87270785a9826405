//! Server-side apply of a plan, and deletion of what an earlier plan had and this one has not.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{
    Client, Resource, ResourceExt,
    api::{
        Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, Preconditions,
        PropagationPolicy,
    },
};
use serde::Serialize;

use crate::labels::FIELD_MANAGER;

/// What went wrong while the plan was applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused an object, or couldn't be reached.
    #[error("failed to apply {kind} {name}")]
    Apply {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// Objects of a kind couldn't be listed for deletion.
    #[error("failed to list {kind} of the instance")]
    List {
        /// Kind of the objects.
        kind: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// An object that is no longer wanted couldn't be deleted.
    #[error("failed to delete {kind} {name}, which is no longer wanted")]
    Delete {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// An object of a plan couldn't be serialized.
    #[error("failed to serialize {kind}")]
    Serialize {
        /// Kind of the object.
        kind: String,
        /// What serde says.
        #[source]
        source: serde_json::Error,
    },
}

/// One object of a plan, ready to be applied.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its kind and where its API is.
    pub resource: ApiResource,
    /// The object.
    pub object: DynamicObject,
}

/// Makes an object of a plan from a typed one.
pub fn planned<K>(object: &K) -> Result<Planned, Error>
where
    K: Resource<DynamicType = ()> + Serialize,
{
    let serialize = |source| Error::Serialize { kind: K::kind(&()).into_owned(), source };
    let mut value = serde_json::to_value(object).map_err(serialize)?;
    value["apiVersion"] = K::api_version(&()).into();
    value["kind"] = K::kind(&()).into();
    let object = serde_json::from_value(value).map_err(serialize)?;
    Ok(Planned { resource: ApiResource::erase::<K>(&()), object })
}

/// Applies every object, in order.
pub async fn apply_all(client: &Client, namespace: &str, plan: &[Planned]) -> Result<(), Error> {
    for Planned { resource, object } in plan {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, resource);
        let name = object.name_any();
        api.patch(&name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(object))
            .await
            .map_err(|source| Error::Apply { kind: resource.kind.clone(), name, source })?;
    }
    Ok(())
}

/// Deletes the owner's objects of these kinds that the query finds and the plan does not have.
pub async fn delete_orphans(
    client: &Client,
    namespace: &str,
    query: &str,
    owner: &OwnerReference,
    kinds: &[ApiResource],
    plan: &[Planned],
) -> Result<(), Error> {
    for resource in kinds {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, resource);
        let found = api
            .list(&ListParams::default().labels(query))
            .await
            .map_err(|source| Error::List { kind: resource.kind.clone(), source })?;
        for object in found {
            let name = object.name_any();
            let wanted = plan.iter().any(|p| p.resource.kind == resource.kind && p.object.name_any() == name);
            let ours = object.owner_references().iter().any(|o| o.uid == owner.uid);
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
                    tracing::info!(kind = %resource.kind, name, "Deleted an object that is no longer wanted");
                }
                Err(kube::Error::Api(status)) if status.is_not_found() => {}
                Err(source) => return Err(Error::Delete { kind: resource.kind.clone(), name, source }),
            }
        }
    }
    Ok(())
}
