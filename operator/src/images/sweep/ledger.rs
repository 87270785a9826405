//! When which built image was last used, as far as its registry's spec asks for deletion. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::used::Used;
use crate::{
    api::v1alpha1::{CoprInstance, Registry},
    images::{Image, job, repository::hex},
};

/// A use is written down again only when this much of the retention has passed since.
const PRECISION: i32 = 10;
/// How long a registry is left alone that has refused to delete something.
const REST: SignedDuration = SignedDuration::from_hours(24);
/// A ConfigMap holds a mebibyte, and some of it is not data.
const SIZE_MAX: usize = 900 << 10;

/// The images of one registry that one namespace pushed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shelf {
    /// Where the Secrets are that the registry names.
    pub namespace: String,
    /// The registry, as an instance had it.
    pub registry: Registry,
    /// Why it deletes nothing, if it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// By `copr-COMPONENT:HASH` when an instance was last seen that uses it.
    pub images: BTreeMap<String, Timestamp>,
}

/// A registry's refusal to delete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// When it refused.
    pub at: Timestamp,
    /// Its answer.
    pub why: String,
}

/// What an earlier version wrote of one image.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    image: String,
    last_used: Timestamp,
    registry: Option<Registry>,
    namespace: String,
}

/// All shelves by a key that a ConfigMap admits, and what can't be read: that is written back as it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// What can be read.
    pub shelves: BTreeMap<String, Shelf>,
    /// What can't be, or isn't asked for (yet).
    pub other: BTreeMap<String, String>,
}

impl Shelf {
    fn retention(&self) -> SignedDuration {
        // Admission let nothing else through; what can't be read is kept for ever.
        self.registry.retention.parse().unwrap_or(SignedDuration::MAX)
    }

    /// The whole name of an image.
    pub fn reference(&self, image: &str) -> String {
        format!("{}/{image}", self.registry.url)
    }

    fn rests(&self, now: Timestamp) -> bool {
        self.refused.as_ref().is_some_and(|refused| now.duration_since(refused.at) < REST)
    }
}

/// The key of a shelf.
pub fn key(namespace: &str, url: &str) -> String {
    format!("registry-{}", hex(&Sha256::digest(format!("{namespace} {url}")).as_slice()[..16]))
}

/// What the instances use whose registry asks for deletion. An image that is only waited for counts.
pub fn asked<'a>(
    instances: impl IntoIterator<Item = &'a CoprInstance>,
    now: Timestamp,
) -> BTreeMap<String, Shelf> {
    let mut shelves: BTreeMap<String, Shelf> = BTreeMap::new();
    for instance in instances {
        let Some(registry) = instance.spec.registry.as_ref().filter(|registry| registry.delete_unused) else {
            continue;
        };
        let namespace = instance.namespace().unwrap_or_default();
        let images = instance.status.iter().flat_map(|s| &s.packages).flat_map(|p| &p.images);
        let images = images.filter_map(|status| {
            let reference = job::reference("", Image::of_field(&status.component)?, &status.input_hash);
            Some((reference.trim_start_matches('/').to_owned(), now))
        });
        let shelf = Shelf {
            namespace: namespace.clone(),
            registry: registry.clone(),
            refused: None,
            images: images.collect(),
        };
        merge(&mut shelves, BTreeMap::from([(key(&namespace, &registry.url), shelf)]));
    }
    shelves
}

/// Two observations as one. Of several instances the one that keeps images longest decides.
pub fn merge(all: &mut BTreeMap<String, Shelf>, more: BTreeMap<String, Shelf>) {
    for (key, shelf) in more {
        match all.get_mut(&key) {
            Some(known) => {
                if shelf.retention() > known.retention() {
                    known.registry = shelf.registry;
                }
                known.images.extend(shelf.images);
            }
            None => {
                all.insert(key, shelf);
            }
        }
    }
}

impl Ledger {
    /// As a ConfigMap has it. What can't be read is kept.
    pub fn read(data: BTreeMap<String, String>) -> Self {
        let mut ledger = Self::default();
        for (key, text) in data {
            match serde_json::from_str(&text) {
                Ok(shelf) => drop(ledger.shelves.insert(key, shelf)),
                Err(_) => drop(ledger.other.insert(key, text)),
            }
        }
        ledger
    }

    /// As a ConfigMap has it.
    pub fn write(&self) -> Result<BTreeMap<String, String>, serde_json::Error> {
        let shelves =
            self.shelves.iter().map(|(key, shelf)| Ok((key.clone(), serde_json::to_string(shelf)?)));
        let mut data: BTreeMap<_, _> = shelves.collect::<Result<_, serde_json::Error>>()?;
        data.extend(self.other.clone());
        Ok(data)
    }

    /// Writes down what is used by instances whose registry asks for deletion: `asked` as they are now or were `seen` since the
    /// last time, and drops what is no longer asked for.
    pub fn note(&mut self, asked: BTreeMap<String, Shelf>, living: &[CoprInstance], now: Timestamp) {
        let of_living: BTreeSet<_> = living
            .iter()
            .filter_map(|instance| Some(key(&instance.namespace()?, &instance.spec.registry.as_ref()?.url)))
            .collect();
        // Whoever is there now has the say.
        self.shelves.retain(|key, _| asked.contains_key(key) || !of_living.contains(key));
        for (key, shelf) in asked {
            let known =
                self.shelves.entry(key).or_insert_with(|| Shelf { images: BTreeMap::new(), ..shelf.clone() });
            if known.registry != shelf.registry {
                known.registry = shelf.registry;
                // What it refused may work now.
                known.refused = None;
            }
            let precision = known.retention() / PRECISION;
            for (image, _) in shelf.images {
                renew(known.images.entry(image).or_insert(now), precision, now);
            }
        }
        self.adopt();
    }

    /// What else is used stays as long.
    pub fn renew(&mut self, used: &Used, now: Timestamp) {
        for shelf in self.shelves.values_mut() {
            let precision = shelf.retention() / PRECISION;
            for (_, last) in shelf.images.iter_mut().filter(|(image, _)| used.has(image)) {
                renew(last, precision, now);
            }
        }
    }

    /// The keys of shelves and images that nobody has used for as long as their registry keeps images.
    pub fn expired(&self, used: &Used, now: Timestamp) -> Vec<(String, String)> {
        let is_old = |shelf: &Shelf, image: &str| {
            shelf.images.get(image).is_none_or(|last| now.duration_since(*last) >= shelf.retention())
        };
        let mut expired = Vec::new();
        for (key, shelf) in self.shelves.iter().filter(|(_, shelf)| !shelf.rests(now)) {
            // Another namespace may push to the same place.
            let same: Vec<_> =
                self.shelves.values().filter(|s| s.registry.url == shelf.registry.url).collect();
            let images = shelf.images.keys().filter(|image| !used.has(image));
            let images = images.filter(|image| same.iter().all(|shelf| is_old(shelf, image)));
            expired.extend(images.map(|image| (key.clone(), image.clone())));
        }
        expired
    }

    /// Writes down that a registry deletes nothing; tells whether that is news.
    pub fn refuse(&mut self, key: &str, why: &str, now: Timestamp) -> bool {
        let Some(shelf) = self.shelves.get_mut(key) else { return false };
        let is_news = shelf.refused.as_ref().is_none_or(|refused| refused.why != why);
        shelf.refused = Some(Refusal { at: now, why: why.to_owned() });
        is_news
    }

    /// An image is out of the registry, or none of ours.
    pub fn forget(&mut self, key: &str, image: &str) {
        if let Some(shelf) = self.shelves.get_mut(key) {
            shelf.images.remove(image);
        }
    }

    /// The shortest time that any image is kept unused.
    pub fn shortest(&self) -> Option<SignedDuration> {
        self.shelves.values().map(Shelf::retention).min()
    }

    /// Forgets what has been unused longest until it fits; returns how many images stay in their registries for ever therefore.
    pub fn shrink(&mut self) -> Result<usize, serde_json::Error> {
        let mut forgotten = 0;
        loop {
            let size: usize = self.write()?.iter().map(|(key, text)| key.len() + text.len()).sum();
            if size <= SIZE_MAX {
                return Ok(forgotten);
            }
            forgotten += self.other.len();
            if !self.other.is_empty() {
                self.other.clear();
                continue;
            }
            // Those that are refused go first.
            let age = |shelf: &Shelf, last: &Timestamp| (shelf.refused.is_none(), *last);
            let mut ages: Vec<_> = self
                .shelves
                .values()
                .flat_map(|shelf| shelf.images.values().map(move |last| age(shelf, last)))
                .collect();
            ages.sort_unstable();
            let Some(limit) = ages.get(ages.len() / 10).copied() else { return Ok(forgotten) };
            for shelf in self.shelves.values_mut() {
                let refused = shelf.refused.is_none();
                let before = shelf.images.len();
                shelf.images.retain(|_, last| (refused, *last) > limit);
                forgotten += before - shelf.images.len();
            }
        }
    }

    /// Entries of an earlier version go to the shelf of their registry, as soon as that asks for deletion.
    fn adopt(&mut self) {
        let shelves = &mut self.shelves;
        self.other.retain(|_, text| {
            let Ok(Entry { image, last_used, registry: Some(registry), namespace }) =
                serde_json::from_str(text)
            else {
                return true;
            };
            let Some(shelf) = shelves.get_mut(&key(&namespace, &registry.url)) else { return true };
            if let Some(image) = image.strip_prefix(&format!("{}/", registry.url)) {
                shelf.images.entry(image.to_owned()).or_insert(last_used);
            }
            false
        });
    }
}

fn renew(last: &mut Timestamp, precision: SignedDuration, now: Timestamp) {
    if now.duration_since(*last) >= precision {
        *last = now;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HASH: &str = "0d97038ad8b1b616d26990abe2eeb603";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn instance(namespace: &str, registry: serde_json::Value, hash: &str) -> CoprInstance {
        serde_json::from_value(json!({
            "apiVersion": "copr.fedorainfracloud.org/v1alpha1",
            "kind": "CoprInstance",
            "metadata": {"name": "demo", "namespace": namespace},
            "spec": {
                "packages": {"repositories": [{"name": "main", "baseURL": "https://example.org/"}]},
                "registry": registry,
                "chroots": ["fedora-44-x86_64"],
            },
            "status": {"packages": {"specHash": "", "images": [{"component": "keygen", "inputHash": hash}]}},
        }))
        .unwrap()
    }

    fn asking(hash: &str) -> CoprInstance {
        instance("team", json!({"url": "quay.io/team", "retention": "1h", "deleteUnused": true}), hash)
    }

    fn noted(instances: &[CoprInstance], second: i64) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.note(asked(instances, at(second)), instances, at(second));
        ledger
    }

    fn used(text: &str) -> Used {
        let mut used = Used::default();
        used.add(&json!(text));
        used
    }

    #[test]
    fn an_image_expires_when_nobody_has_used_it_for_the_retention_of_its_registry() {
        let ledger = noted(&[asking(HASH)], 0);
        let nobody = Used::default();
        assert!(ledger.expired(&nobody, at(3599)).is_empty());
        let expired = ledger.expired(&nobody, at(3600));
        assert_eq!(expired, [(key("team", "quay.io/team"), format!("copr-keygen:{HASH}"))]);
        assert_eq!(
            ledger.shelves[&expired[0].0].reference(&expired[0].1),
            format!("quay.io/team/copr-keygen:{HASH}")
        );
        // Still in use, however long ago that was written down.
        assert!(ledger.expired(&used(HASH), at(9000)).is_empty());
    }

    #[test]
    fn only_what_a_registry_asks_for_is_written_down() {
        for registry in [
            json!({"url": "quay.io/team", "retention": "1h"}),
            json!({"url": "quay.io/team", "deleteUnused": false}),
        ] {
            assert!(noted(&[instance("team", registry, HASH)], 0).shelves.is_empty());
        }
    }

    #[test]
    fn who_asks_no_more_has_nothing_deleted() {
        let mut ledger = noted(&[asking(HASH)], 0);
        let no_more = [instance("team", json!({"url": "quay.io/team"}), "other")];
        ledger.note(asked(&no_more, at(1)), &no_more, at(1));
        assert!(ledger.expired(&Used::default(), at(99999)).is_empty());
        // But an instance that is gone leaves its wish behind.
        let mut ledger = noted(&[asking(HASH)], 0);
        ledger.note(BTreeMap::new(), &[], at(1));
        assert_eq!(ledger.expired(&Used::default(), at(99999)).len(), 1);
    }

    #[test]
    fn the_longest_retention_of_all_who_push_there_counts() {
        let longer = |namespace| {
            instance(namespace, json!({"url": "quay.io/team", "retention": "2h", "deleteUnused": true}), HASH)
        };
        for other in ["team", "elsewhere"] {
            let ledger = noted(&[asking(HASH), longer(other)], 0);
            assert!(ledger.expired(&Used::default(), at(7199)).is_empty(), "{other}");
            assert!(!ledger.expired(&Used::default(), at(7200)).is_empty(), "{other}");
        }
    }

    #[test]
    fn a_use_is_written_down_now_and_then_whoever_uses_it() {
        let mut ledger = noted(&[asking(HASH)], 0);
        let first = ledger.clone();
        ledger.renew(&used(HASH), at(300));
        assert_eq!(ledger, first);
        ledger.renew(&used(HASH), at(360));
        assert_eq!(ledger.expired(&Used::default(), at(3959)), []);
        assert_eq!(ledger.expired(&Used::default(), at(3960)).len(), 1);
        assert_eq!(ledger.shortest(), Some(SignedDuration::from_hours(1)));
    }

    #[test]
    fn a_registry_that_refuses_is_left_alone_for_a_day_or_until_its_spec_changes() {
        let mut ledger = noted(&[asking(HASH)], 0);
        let shelf = key("team", "quay.io/team");
        assert!(ledger.refuse(&shelf, "405 UNSUPPORTED", at(4000)));
        assert_eq!(ledger.expired(&Used::default(), at(4000 + 86399)), []);
        assert_eq!(ledger.expired(&Used::default(), at(4000 + 86400)).len(), 1);
        assert!(!ledger.refuse(&shelf, "405 UNSUPPORTED", at(90400)), "it's no news");

        let secret = json!({"url": "quay.io/team", "retention": "1h", "deleteUnused": true, "pushSecret": {"name": "x"}});
        let mended = [instance("team", secret, "other")];
        ledger.note(asked(&mended, at(90401)), &mended, at(90401));
        assert_eq!(ledger.expired(&Used::default(), at(90401)).len(), 1);
    }

    #[test]
    fn what_can_not_be_read_is_kept_as_it_is() {
        let mut data = noted(&[asking(HASH)], 0).write().unwrap();
        data.insert("x".into(), "{not json".into());
        let ledger = Ledger::read(data.clone());
        assert_eq!(ledger.shelves.len(), 1);
        assert_eq!(ledger.write().unwrap(), data);
    }

    #[test]
    fn entries_of_the_version_before_are_taken_over_once_their_registry_asks() {
        let old = format!(
            r#"{{"image":"quay.io/team/copr-redis:{HASH}","lastUsed":"1970-01-01T00:00:00Z","registry":{{"url":"quay.io/team","insecure":false,"retention":"1h"}},"namespace":"team"}}"#
        );
        let data = BTreeMap::from([("0123".to_owned(), old)]);
        let mut ledger = Ledger::read(data.clone());
        ledger.note(BTreeMap::new(), &[], at(99999));
        assert_eq!(ledger.write().unwrap(), data);
        assert!(ledger.expired(&Used::default(), at(99999)).is_empty(), "nobody asks");
        let living = [asking("other")];
        ledger.note(asked(&living, at(99999)), &living, at(99999));
        let expired: Vec<_> =
            ledger.expired(&Used::default(), at(99999)).into_iter().map(|(_, image)| image).collect();
        assert_eq!(expired, [format!("copr-redis:{HASH}")]);
    }

    #[test]
    fn it_never_outgrows_its_config_map() {
        let mut ledger = noted(&[asking(HASH)], 0);
        let shelf = ledger.shelves.values_mut().next().unwrap();
        for number in 0..20_000 {
            shelf.images.insert(format!("copr-frontend:{number:032x}"), at(number));
        }
        let forgotten = ledger.shrink().unwrap();
        let size: usize = ledger.write().unwrap().values().map(String::len).sum();
        assert!(size <= SIZE_MAX && size > SIZE_MAX / 2, "{size}");
        let shelf = ledger.shelves.values().next().unwrap();
        assert_eq!(shelf.images.len() + forgotten, 20_001);
        assert!(shelf.images.contains_key(&format!("copr-frontend:{:032x}", 19_999)), "the newest stay");
    }
}
