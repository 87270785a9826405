//! When which built image was last used. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Image, job, repository::hex};
use crate::api::v1alpha1::{CoprInstance, Registry, default_retention};

/// A use is written down again only when this much of the retention has passed since.
const PRECISION: i32 = 10;

/// A built image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its name and tag.
    pub image: String,
    /// When an instance was last seen that uses it.
    pub last_used: Timestamp,
    /// The registry, as the spec of that instance had it; nothing for the cluster's own.
    pub registry: Option<Registry>,
    /// Where the Secrets are that the registry names.
    pub namespace: String,
}

impl Entry {
    fn retention(&self) -> SignedDuration {
        let text =
            self.registry.as_ref().map_or_else(default_retention, |registry| registry.retention.clone());
        // Admission let nothing else through; an entry that can't be read is kept for ever.
        text.parse().unwrap_or(SignedDuration::MAX)
    }
}

/// All that is known of built images, by a key that a ConfigMap admits.
pub type Ledger = BTreeMap<String, Entry>;

/// The key of an image.
pub fn key(image: &str) -> String {
    hex(&Sha256::digest(image).as_slice()[..16])
}

/// What the instances use at a moment. An image that is only waited for counts.
pub fn used<'a>(
    instances: impl Iterator<Item = &'a CoprInstance>,
    internal: impl Fn(&str) -> String,
    now: Timestamp,
) -> Ledger {
    let mut used = Ledger::new();
    for instance in instances.filter(|instance| instance.spec.packages.is_some()) {
        let namespace = instance.namespace().unwrap_or_default();
        let registry = instance.spec.registry.clone();
        let url = registry.as_ref().map_or_else(|| internal(&namespace), |registry| registry.url.clone());
        let images = instance.status.iter().flat_map(|s| &s.packages).flat_map(|p| &p.images);
        for (image, status) in images.filter_map(|i| Some((Image::of_field(&i.component)?, i))) {
            let name = job::reference(&url, image, &status.input_hash);
            let entry = Entry {
                image: name,
                last_used: now,
                registry: registry.clone(),
                namespace: namespace.clone(),
            };
            used.insert(key(&entry.image), entry);
        }
    }
    used
}

/// Writes down what is used; returns whether anything changed that is worth keeping.
pub fn note(ledger: &mut Ledger, used: &Ledger) -> bool {
    let mut changed = false;
    for (key, entry) in used {
        let fresh = ledger.get(key).is_some_and(|known| {
            let same = known.registry == entry.registry && known.namespace == entry.namespace;
            same && entry.last_used.duration_since(known.last_used) < known.retention() / PRECISION
        });
        if !fresh {
            ledger.insert(key.clone(), entry.clone());
            changed = true;
        }
    }
    changed
}

/// The keys of what nobody has used for as long as its registry keeps images.
pub fn expired(ledger: &Ledger, used: &Ledger, now: Timestamp) -> BTreeSet<String> {
    let is_expired = |(key, entry): &(&String, &Entry)| {
        !used.contains_key(*key) && now.duration_since(entry.last_used) >= entry.retention()
    };
    ledger.iter().filter(is_expired).map(|(key, _)| key.clone()).collect()
}

/// The shortest time that any image is kept unused.
pub fn shortest(ledger: &Ledger) -> Option<SignedDuration> {
    ledger.values().map(Entry::retention).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::v1alpha1::{ImageStatus, PackagesStatus};

    const INSTANCE: &str = "
metadata: {name: demo, namespace: team, uid: 0a1b2c, generation: 3}
apiVersion: copr.fedorainfracloud.org/v1alpha1
kind: CoprInstance
spec:
  packages: {repositories: [{name: main, baseURL: 'https://example.org/'}]}
  registry: {url: quay.io/team, retention: 1h}
  chroots: [fedora-44-x86_64]
";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn uses(hash: &str, second: i64) -> Ledger {
        let mut instance: CoprInstance = serde_saphyr::from_str(INSTANCE).unwrap();
        let image =
            ImageStatus { component: "keygen".into(), input_hash: hash.into(), ..ImageStatus::default() };
        let packages = PackagesStatus { images: vec![image], ..PackagesStatus::default() };
        instance.status.get_or_insert_default().packages = Some(packages);
        used([&instance].into_iter(), |_| String::new(), at(second))
    }

    #[test]
    fn an_image_expires_when_nobody_has_used_it_for_the_retention_of_its_registry() {
        let mut ledger = Ledger::new();
        assert!(note(&mut ledger, &uses("old", 0)));
        assert_eq!(ledger.values().next().unwrap().image, "quay.io/team/copr-keygen:old");
        assert!(expired(&ledger, &Ledger::new(), at(3599)).is_empty());
        assert_eq!(expired(&ledger, &Ledger::new(), at(3600)).len(), 1);
        // Still in use, however long ago that was written down.
        assert!(expired(&ledger, &uses("old", 9000), at(9000)).is_empty());
    }

    #[test]
    fn a_use_is_written_down_now_and_then() {
        let mut ledger = Ledger::new();
        note(&mut ledger, &uses("a", 0));
        assert!(!note(&mut ledger, &uses("a", 300)));
        assert!(note(&mut ledger, &uses("a", 360)));
        assert_eq!(shortest(&ledger), Some(SignedDuration::from_hours(1)));
    }
}
