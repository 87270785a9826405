//! Client required: objects that hold what can't be made again, such as generated credentials.
//!
//! The plan was made from what the object held at the `resourceVersion` that it carries (none: there was no object). It is applied
//! to exactly that, so that nothing is rendered from values that another writer has replaced meanwhile.

use std::collections::BTreeMap;

use copr_operator_api::labels::FIELD_MANAGER;
use kube::{
    ResourceExt as _,
    api::{Api, DynamicObject, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use super::{Error, Owner, Planned, memory::Version, ownership};

/// Creates the object, or adds what it lacks.
pub async fn apply(api: &Api<DynamicObject>, owner: &Owner, planned: &Planned) -> Result<Version, Error> {
    let name = planned.object.name_any();
    let kind = &planned.resource.kind;
    let failed = |source| Error::apply(kind, &name, source);
    let raced = || Error::Raced { kind: kind.clone(), name: name.clone() };
    let existing = api.get_opt(&name).await.map_err(failed)?;
    if let Some(existing) = &existing {
        ownership::check(&existing.metadata, owner, planned)?;
    }
    if existing.as_ref().and_then(DynamicObject::resource_version) != planned.object.resource_version() {
        return Err(raced());
    }
    let Some(existing) = existing else {
        let params = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
        return match api.create(&params, &planned.object).await {
            Ok(created) => Ok(Version::of(&created.metadata)),
            Err(kube::Error::Api(answer)) if answer.is_already_exists() => Err(raced()),
            Err(source) => Err(failed(source)),
        };
    };
    let Some(change) = change(&existing, &planned.object) else {
        return Ok(Version::of(&existing.metadata));
    };
    match api.patch(&name, &PatchParams::default(), &Patch::Merge(change)).await {
        Ok(written) => Ok(Version::of(&written.metadata)),
        Err(kube::Error::Api(answer)) if answer.is_conflict() => Err(raced()),
        Err(source) => Err(failed(source)),
    }
}

/// A merge patch that adds to the object what the plan has beyond it; nothing if it has all of it.
fn change(existing: &DynamicObject, wanted: &DynamicObject) -> Option<Value> {
    let has = data(existing);
    let data: BTreeMap<_, _> =
        data(wanted).into_iter().filter(|(key, value)| has.get(key) != Some(value)).collect();
    let annotations: BTreeMap<_, _> = wanted
        .annotations()
        .iter()
        .filter(|(key, value)| existing.annotations().get(*key) != Some(value))
        .collect();
    let owners = wanted.metadata.owner_references.clone().unwrap_or_default();
    let same_owners = existing.metadata.owner_references.clone().unwrap_or_default() == owners;
    if data.is_empty() && annotations.is_empty() && same_owners {
        return None;
    }
    Some(json!({
        "metadata": {
            "resourceVersion": existing.resource_version(),
            "ownerReferences": owners,
            "annotations": annotations,
        },
        "data": data,
    }))
}

fn data(object: &DynamicObject) -> BTreeMap<String, Value> {
    let data = object.data.get("data").and_then(Value::as_object);
    data.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(data: &Value) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Secret", "data": data,
            "metadata": {"name": "copr-credentials", "resourceVersion": "7"},
        }))
        .unwrap()
    }

    #[test]
    fn only_what_is_missing_is_added_to_the_version_that_was_read() {
        let existing = secret(&json!({"a": "MQ==", "of-a-later-version": "eA=="}));
        let patch = change(&existing, &secret(&json!({"a": "MQ==", "b": "Mg=="}))).unwrap();
        assert_eq!(patch["data"], json!({"b": "Mg=="}));
        assert_eq!(patch["metadata"]["resourceVersion"], "7");
    }

    #[test]
    fn an_object_that_has_everything_is_not_written() {
        let existing = secret(&json!({"a": "MQ==", "of-a-later-version": "eA=="}));
        assert_eq!(change(&existing, &secret(&json!({"a": "MQ=="}))), None);
    }

    #[test]
    fn its_owner_follows_the_plan() {
        let mut wanted = secret(&json!({"a": "MQ=="}));
        wanted.metadata.owner_references =
            Some(vec![k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference::default()]);
        assert!(change(&secret(&json!({"a": "MQ=="})), &wanted).is_some());
    }
}
