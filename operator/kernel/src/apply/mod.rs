//! Client required: brings objects to what a plan says of them, each as its lifetime allows.
//!
//! | Lifetime | Applied | When it's no longer planned |
//! |---|---|---|
//! | `Reconcile` | server-side, with force | deleted |
//! | `CreateOnce` | created; afterwards only missing keys are added | kept |
//! | `Retain` | server-side, with force | kept |
//!
//! An object of the planned name that isn't the owner's is left alone. What the API server refuses doesn't hold back the other
//! objects, unless they would work on what isn't ours. [`memory`] knows what was applied, so that an unchanged plan writes nothing.

mod create_once;
mod error;
pub mod memory;
mod orphans;
mod ownership;

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{
    Client, Resource, ResourceExt,
    api::{Api, ApiResource, DynamicObject, Patch, PatchParams},
};
use serde::Serialize;

use copr_operator_api::labels::{self, FIELD_MANAGER};
use memory::{Memory, Version};

pub use error::{Error, is_refusal, is_unwell};
pub use orphans::delete_orphans;

/// What becomes of an object over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// It is what the plan says, and goes with it.
    Reconcile,
    /// It holds what can't be made again: only what it lacks is added.
    CreateOnce,
    /// It holds a user's data: never deleted because a plan doesn't have it.
    Retain,
}

/// One object of a plan, ready to be applied.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its kind and where its API is.
    pub resource: ApiResource,
    /// The object.
    pub object: DynamicObject,
    /// What becomes of it.
    pub lifetime: Lifetime,
}

impl Planned {
    fn key(&self) -> memory::Key {
        (self.resource.kind.clone(), self.object.name_any())
    }

    fn component(&self) -> Option<&String> {
        self.object.labels().get(labels::COMPONENT)
    }
}

/// Makes an object of a plan from a typed one.
pub fn planned<K>(object: &K, lifetime: Lifetime) -> Result<Planned, Error>
where
    K: Resource<DynamicType = ()> + Serialize,
{
    let serialize = |source| Error::Serialize { kind: K::kind(&()).into_owned(), source };
    let mut value = serde_json::to_value(object).map_err(serialize)?;
    value["apiVersion"] = K::api_version(&()).into();
    value["kind"] = K::kind(&()).into();
    let object = serde_json::from_value(value).map_err(serialize)?;
    Ok(Planned { resource: ApiResource::erase::<K>(&()), object, lifetime })
}

/// Who the objects belong to.
#[derive(Clone, Debug)]
pub struct Owner {
    /// What each of its objects refers to.
    pub reference: OwnerReference,
    /// Its namespace.
    pub namespace: String,
}

/// What came of applying a plan.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many objects were written.
    pub written: usize,
    /// What couldn't be done.
    pub failures: Vec<Error>,
    /// The components of which at least one object isn't as planned, so that a new pod of theirs wouldn't be, either.
    pub incomplete: BTreeSet<String>,
}

impl Outcome {
    /// Whether every object is as planned.
    pub fn result(self) -> Result<usize, Error> {
        match self.failures.into_iter().next() {
            None => Ok(self.written),
            Some(failure) => Err(failure),
        }
    }
}

/// Applies every object of the plan, in order, but those that `memory` knows to be as they should be.
pub async fn apply_all(client: &Client, owner: &Owner, plan: &[Planned], memory: &Memory) -> Outcome {
    let mut outcome = Outcome::default();
    let mut taken: Vec<&String> = Vec::new();
    for (index, planned) in plan.iter().enumerate() {
        if planned.resource.kind == "StatefulSet" && planned.component().is_some_and(|c| taken.contains(&c)) {
            // Another object of the component belongs to somebody else: the pods would mount a volume, or answer behind a Service,
            // that isn't the owner's.
            continue;
        }
        let hash = memory::hash(&planned.object);
        if memory.is_current(owner, &planned.key(), &hash) {
            continue;
        }
        match apply_one(client, owner, planned, memory).await {
            Ok(version) => {
                outcome.written += 1;
                memory.applied(owner, planned.key(), hash, version);
            }
            Err(error) => {
                if matches!(error, Error::NameTaken { .. } | Error::Terminating { .. }) {
                    taken.extend(planned.component());
                }
                if planned.lifetime != Lifetime::Retain
                    || matches!(error, Error::NameTaken { .. } | Error::Terminating { .. })
                {
                    // A claim of the owner's that can't be changed (`Retain`) doesn't count: the pod mounts it as before.
                    outcome.incomplete.extend(planned.component().cloned());
                }
                outcome.failures.push(error);
                if planned.lifetime == Lifetime::CreateOnce {
                    // All later objects are rendered from what this one holds, so they aren't applied.
                    let rest = plan.iter().skip(index).filter_map(Planned::component).cloned();
                    outcome.incomplete.extend(rest);
                    break;
                }
            }
        }
    }
    outcome
}

async fn apply_one(
    client: &Client,
    owner: &Owner,
    planned: &Planned,
    memory: &Memory,
) -> Result<Version, Error> {
    let Planned { resource, object, lifetime } = planned;
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &owner.namespace, resource);
    if *lifetime == Lifetime::CreateOnce {
        return create_once::apply(&api, owner, planned).await;
    }
    let name = object.name_any();
    let failed = |source| Error::apply(&resource.kind, &name, source);
    if !memory.knows(owner, &planned.key())
        && let Some(existing) = api.get_metadata_opt(&name).await.map_err(failed)?
    {
        ownership::check(&existing.metadata, owner, planned)?;
    }
    let applied = api
        .patch(&name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(object))
        .await
        .map_err(failed)?;
    Ok(Version::of(&applied.metadata))
}

#[cfg(test)]
mod tests;
