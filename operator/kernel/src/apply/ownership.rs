//! Whose an object is. Pure.

use copr_operator_api::{
    annotations::ADOPT,
    labels::{FIELD_MANAGER, INSTANCE, MANAGED_BY},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;

use super::{Error, Lifetime, Owner, Planned};

/// Says whether the object that has the planned name may be written.
pub fn check(existing: &ObjectMeta, owner: &Owner, planned: &Planned) -> Result<(), Error> {
    if existing.deletion_timestamp.is_some() {
        return Err(Error::Terminating {
            kind: planned.resource.kind.clone(),
            name: planned.object.name_any(),
        });
    }
    if is_ours(existing, owner, planned.lifetime) {
        return Ok(());
    }
    Err(Error::NameTaken {
        kind: planned.resource.kind.clone(),
        name: planned.object.name_any(),
        owner: owner.reference.name.clone(),
    })
}

/// An object is ours if it says so itself: by its owner, by the annotation, or, what outlives an instance that is deleted, by the
/// labels that the instance of the same name gave it.
fn is_ours(existing: &ObjectMeta, owner: &Owner, lifetime: Lifetime) -> bool {
    let references = existing.owner_references.as_deref().unwrap_or_default();
    let label = |key: &str| existing.labels.as_ref().and_then(|labels| labels.get(key)).map(String::as_str);
    let adopted = || {
        let annotation = existing.annotations.as_ref().and_then(|annotations| annotations.get(ADOPT));
        annotation == Some(&owner.reference.name)
    };
    let retained = || {
        lifetime != Lifetime::Reconcile
            && references.is_empty()
            && label(MANAGED_BY) == Some(FIELD_MANAGER)
            && label(INSTANCE) == Some(&owner.reference.name)
    };
    references.iter().any(|reference| reference.uid == owner.reference.uid) || adopted() || retained()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{
        api::core::v1::PersistentVolumeClaim, apimachinery::pkg::apis::meta::v1::OwnerReference,
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::apply::planned;

    fn owner() -> Owner {
        let reference = OwnerReference { name: "copr".into(), uid: "u1".into(), ..OwnerReference::default() };
        Owner { reference, namespace: "team".into() }
    }

    fn checked(existing: &Value, lifetime: Lifetime) -> Result<(), Error> {
        let claim: PersistentVolumeClaim =
            serde_json::from_value(json!({"metadata": {"name": "copr-database"}})).unwrap();
        let existing: ObjectMeta = serde_json::from_value(existing.clone()).unwrap();
        check(&existing, &owner(), &planned(&claim, lifetime).unwrap())
    }

    #[test]
    fn a_strangers_object_is_named_by_kind_and_name_with_the_way_out() {
        let stranger = json!({"name": "copr-database", "labels": {"app": "mine"}});
        let said = checked(&stranger, Lifetime::Retain).unwrap_err().to_string();
        assert!(said.contains("PersistentVolumeClaim copr-database"), "{said}");
        assert!(said.contains("copr.fedorainfracloud.org/adopt=copr"), "{said}");
    }

    #[test]
    fn what_an_earlier_instance_left_and_is_going_is_waited_for() {
        let going = json!({"deletionTimestamp": "2026-11-26T00:00:00Z", "finalizers": ["x"]});
        let said = checked(&going, Lifetime::Retain).unwrap_err().to_string();
        assert_eq!(said, "PersistentVolumeClaim copr-database is still being deleted");
    }

    #[test]
    fn ours_by_owner_by_annotation_and_what_an_earlier_instance_left() {
        let reference = |uid: &str| json!([{"apiVersion": "v1", "kind": "X", "name": "copr", "uid": uid}]);
        let kept =
            json!({"app.kubernetes.io/managed-by": "copr-operator", "app.kubernetes.io/instance": "copr"});
        let table = [
            (json!({"ownerReferences": reference("u1")}), Lifetime::Reconcile, true),
            (json!({"ownerReferences": reference("u0")}), Lifetime::Reconcile, false),
            (json!({"annotations": {(ADOPT): "copr"}}), Lifetime::Reconcile, true),
            (json!({"annotations": {(ADOPT): "other"}}), Lifetime::Reconcile, false),
            (json!({"labels": kept}), Lifetime::Retain, true),
            (json!({"labels": kept}), Lifetime::CreateOnce, true),
            // Labels alone give away no object that is simply made anew.
            (json!({"labels": kept}), Lifetime::Reconcile, false),
            (json!({"labels": kept, "ownerReferences": reference("u0")}), Lifetime::Retain, false),
        ];
        for (existing, lifetime, ours) in table {
            assert_eq!(checked(&existing, lifetime).is_ok(), ours, "{existing} {lifetime:?}");
        }
    }
}
