//! What was applied, so that an unchanged plan is not written again. In memory only: after a start everything is applied once.
//!
//! The watches of the owned objects report each version that they see. A version that isn't the one that was written means that
//! somebody else changed the object, and the next reconcile applies it again.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::DynamicObject;
use sha2::{Digest, Sha256};

use super::Owner;

/// Kind and name of an object.
pub type Key = (String, String);

/// A state of an object, as far as its spec and metadata are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    uid: Option<String>,
    generation: Option<i64>,
    written: Option<String>,
}

impl Version {
    /// The version of an object with this metadata.
    pub fn of(metadata: &ObjectMeta) -> Self {
        Self {
            uid: metadata.uid.clone(),
            generation: metadata.generation,
            written: metadata.resource_version.clone(),
        }
    }

    /// Whether `seen` is this version, an older one that the watch tells of late, or one that differs in its status only.
    fn covers(&self, seen: &Self) -> bool {
        if self.uid != seen.uid {
            return false;
        }
        if self.generation.is_some() {
            return self.generation >= seen.generation;
        }
        let number = |version: &Self| version.written.as_ref().and_then(|rv| rv.parse::<u64>().ok());
        match (number(self), number(seen)) {
            (Some(known), Some(seen)) => known >= seen,
            _ => self.written == seen.written,
        }
    }
}

#[derive(Debug)]
struct Known {
    hash: String,
    version: Version,
    changed: bool,
}

#[derive(Debug, Default)]
struct Applied {
    uid: String,
    objects: HashMap<Key, Known>,
    /// Objects with the owner's labels that no plan had.
    strangers: HashSet<Key>,
    /// The plan whose orphans were looked for last.
    swept: Option<Vec<Key>>,
}

/// What was applied for each owner, by namespace and name.
#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<(String, String), Applied>>);

impl Memory {
    /// Whether the object is as it was applied, and was applied with this content.
    pub fn is_current(&self, owner: &Owner, key: &Key, hash: &str) -> bool {
        self.of(owner, |applied| {
            applied.objects.get(key).is_some_and(|known| known.hash == hash && !known.changed)
        })
    }

    /// Whether the object was applied before.
    pub fn knows(&self, owner: &Owner, key: &Key) -> bool {
        self.of(owner, |applied| applied.objects.contains_key(key))
    }

    /// The object was applied.
    pub fn applied(&self, owner: &Owner, key: Key, hash: String, version: Version) {
        self.of(owner, |applied| {
            applied.strangers.remove(&key);
            applied.objects.insert(key, Known { hash, version, changed: false });
        });
    }

    /// Whether orphans have to be looked for: the plan has other objects than when that was done last, or one was seen since.
    pub fn may_have_orphans(&self, owner: &Owner, plan: &[Key]) -> bool {
        self.of(owner, |applied| {
            !applied.strangers.is_empty() || applied.swept.as_deref().is_none_or(|swept| swept != plan)
        })
    }

    /// Orphans were looked for.
    pub fn swept(&self, owner: &Owner, plan: Vec<Key>) {
        self.of(owner, |applied| {
            applied.strangers.clear();
            applied.objects.retain(|key, _| plan.contains(key));
            applied.swept = Some(plan);
        });
    }

    /// A watch saw an object that has the labels of that owner.
    pub fn saw(&self, namespace: &str, owner: &str, key: Key, metadata: &ObjectMeta) {
        let mut all = self.lock();
        // An owner that was not reconciled yet applies everything anyway.
        let Some(applied) = all.get_mut(&(namespace.to_owned(), owner.to_owned())) else { return };
        let seen = Version::of(metadata);
        match applied.objects.get_mut(&key) {
            Some(known) => {
                known.changed |= !known.version.covers(&seen) || metadata.deletion_timestamp.is_some();
            }
            None => _ = applied.strangers.insert(key),
        }
    }

    /// Forgets an owner that is gone.
    pub fn forget(&self, namespace: &str, owner: &str) {
        self.lock().remove(&(namespace.to_owned(), owner.to_owned()));
    }

    fn of<T>(&self, owner: &Owner, act: impl FnOnce(&mut Applied) -> T) -> T {
        let mut all = self.lock();
        let applied = all.entry((owner.namespace.clone(), owner.reference.name.clone())).or_default();
        if applied.uid != owner.reference.uid {
            // The owner was deleted and made again under the same name: nothing of the former counts.
            *applied = Applied { uid: owner.reference.uid.clone(), ..Applied::default() };
        }
        act(applied)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Applied>> {
        // Each change is one insertion or removal, so the map is whole even if a thread panicked while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A hash of a planned object.
pub fn hash(object: &DynamicObject) -> String {
    // serde_json's maps are ordered by key, so equal objects become equal texts.
    let text = serde_json::to_vec(object).unwrap_or_default();
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
    use serde_json::json;

    use super::*;

    fn owner(uid: &str) -> Owner {
        let reference = OwnerReference { name: "copr".into(), uid: uid.into(), ..OwnerReference::default() };
        Owner { reference, namespace: "team".into() }
    }

    fn metadata(version: &str, generation: Option<i64>) -> ObjectMeta {
        serde_json::from_value(
            json!({"uid": "o", "resourceVersion": version, "generation": generation, "name": "x"}),
        )
        .unwrap()
    }

    fn key(name: &str) -> Key {
        ("ConfigMap".into(), name.into())
    }

    fn applied(version: &str, generation: Option<i64>) -> Memory {
        let memory = Memory::default();
        memory.applied(&owner("u"), key("a"), "h".into(), Version::of(&metadata(version, generation)));
        memory
    }

    fn after_seeing(memory: &Memory, version: &str, generation: Option<i64>) -> bool {
        memory.saw("team", "copr", key("a"), &metadata(version, generation));
        memory.is_current(&owner("u"), &key("a"), "h")
    }

    #[test]
    fn an_unchanged_object_is_current_until_its_content_or_owner_differs() {
        let memory = applied("10", None);
        assert!(memory.is_current(&owner("u"), &key("a"), "h"));
        assert!(!memory.is_current(&owner("u"), &key("a"), "other"));
        assert!(!memory.is_current(&owner("an instance made anew"), &key("a"), "h"));
    }

    #[test]
    fn the_watch_telling_of_our_own_or_an_older_version_changes_nothing() {
        assert!(after_seeing(&applied("10", None), "10", None));
        assert!(after_seeing(&applied("10", None), "9", None));
        assert!(!after_seeing(&applied("10", None), "11", None));
    }

    #[test]
    fn a_new_status_of_an_object_with_a_generation_is_no_change() {
        assert!(after_seeing(&applied("10", Some(2)), "99", Some(2)));
        assert!(!after_seeing(&applied("10", Some(2)), "99", Some(3)));
    }

    #[test]
    fn orphans_are_looked_for_once_per_plan_and_when_one_is_seen() {
        let memory = applied("10", None);
        let plan = vec![key("a")];
        assert!(memory.may_have_orphans(&owner("u"), &plan));
        memory.swept(&owner("u"), plan.clone());
        assert!(!memory.may_have_orphans(&owner("u"), &plan));
        memory.saw("team", "copr", key("left"), &metadata("1", None));
        assert!(memory.may_have_orphans(&owner("u"), &plan));
    }
}
