//! When which built image was last used, as far as its registry's spec asks for deletion. Pure.

use std::collections::{BTreeMap, BTreeSet};

use copr_operator_api::{
    images::Image,
    v1alpha1::{CoprInstance, Registry},
};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::used::Used;
use crate::names;

/// A use is written down again only when this much of the retention has passed since.
const PRECISION: i32 = 10;
/// How long a registry is left alone that has refused to delete something.
const REST: SignedDuration = SignedDuration::from_hours(24);
/// A ConfigMap holds a mebibyte, and some of it is not data.
pub const SIZE_MAX: usize = 900 << 10;

/// The images of one registry that one namespace pushed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stock {
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

/// All stocks by a key that a ConfigMap admits, and what can't be read: that is written back as it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// What can be read.
    pub stocks: BTreeMap<String, Stock>,
    /// What can't be, or isn't asked for (yet).
    pub other: BTreeMap<String, String>,
}

impl Stock {
    fn retention(&self) -> SignedDuration {
        // The API server admits durations only. If it is none all the same, images are kept for ever.
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

/// The key of a stock.
pub fn key(namespace: &str, url: &str) -> String {
    format!("registry-{}", hex::encode(&Sha256::digest(format!("{namespace} {url}"))[..16]))
}

/// What the instances use whose registry asks for deletion. An image that is only waited for counts.
pub fn asked<'a>(
    instances: impl IntoIterator<Item = &'a CoprInstance>,
    now: Timestamp,
) -> BTreeMap<String, Stock> {
    let mut stocks: BTreeMap<String, Stock> = BTreeMap::new();
    for instance in instances {
        let Some(registry) = instance.spec.registry.as_ref().filter(|registry| registry.delete_unused) else {
            continue;
        };
        let namespace = instance.namespace().unwrap_or_default();
        let images = instance.status.iter().flat_map(|s| &s.packages).flat_map(|p| &p.images);
        let images = images.filter_map(|status| {
            let reference = names::reference("", Image::of_key(&status.component)?, &status.input_hash);
            Some((reference.trim_start_matches('/').to_owned(), now))
        });
        let stock = Stock {
            namespace: namespace.clone(),
            registry: registry.clone(),
            refused: None,
            images: images.collect(),
        };
        merge(&mut stocks, BTreeMap::from([(key(&namespace, &registry.url), stock)]));
    }
    stocks
}

/// Two observations as one. Of several instances the one that keeps images longest decides.
pub fn merge(all: &mut BTreeMap<String, Stock>, more: BTreeMap<String, Stock>) {
    for (key, stock) in more {
        match all.get_mut(&key) {
            Some(known) => {
                if stock.retention() > known.retention() {
                    known.registry = stock.registry;
                }
                known.images.extend(stock.images);
            }
            None => {
                all.insert(key, stock);
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
                Ok(stock) => drop(ledger.stocks.insert(key, stock)),
                Err(_) => drop(ledger.other.insert(key, text)),
            }
        }
        ledger
    }

    /// As a ConfigMap has it.
    pub fn write(&self) -> Result<BTreeMap<String, String>, serde_json::Error> {
        let stocks = self.stocks.iter().map(|(key, stock)| Ok((key.clone(), serde_json::to_string(stock)?)));
        let mut data: BTreeMap<_, _> = stocks.collect::<Result<_, serde_json::Error>>()?;
        data.extend(self.other.clone());
        Ok(data)
    }

    /// Writes down what is used by instances whose registry asks for deletion: `asked` as they are now or were `seen` since the
    /// last time, and drops what is no longer asked for.
    pub fn note(&mut self, asked: BTreeMap<String, Stock>, living: &[CoprInstance], now: Timestamp) {
        let of_living: BTreeSet<_> = living
            .iter()
            .filter_map(|instance| Some(key(&instance.namespace()?, &instance.spec.registry.as_ref()?.url)))
            .collect();
        // A stock of a registry that instances still name, but none of them asks for deletion any more, is dropped. Stocks without
        // any instance stay, until their images expire.
        self.stocks.retain(|key, _| asked.contains_key(key) || !of_living.contains(key));
        for (key, stock) in asked {
            let known =
                self.stocks.entry(key).or_insert_with(|| Stock { images: BTreeMap::new(), ..stock.clone() });
            if known.registry != stock.registry {
                known.registry = stock.registry;
                // The registry's settings have changed, so what it refused before is tried again.
                known.refused = None;
            }
            let precision = known.retention() / PRECISION;
            for (image, _) in stock.images {
                renew(known.images.entry(image).or_insert(now), precision, now);
            }
        }
        self.adopt();
    }

    /// What else is used stays as long.
    pub fn renew(&mut self, used: &Used, now: Timestamp) {
        for stock in self.stocks.values_mut() {
            let precision = stock.retention() / PRECISION;
            for (_, last) in stock.images.iter_mut().filter(|(image, _)| used.has(image)) {
                renew(last, precision, now);
            }
        }
    }

    /// The keys of stocks and images that nobody has used for as long as their registry keeps images.
    pub fn expired(&self, used: &Used, now: Timestamp) -> Vec<(String, String)> {
        let is_old = |stock: &Stock, image: &str| {
            stock.images.get(image).is_none_or(|last| now.duration_since(*last) >= stock.retention())
        };
        let mut expired = Vec::new();
        for (key, stock) in self.stocks.iter().filter(|(_, stock)| !stock.rests(now)) {
            // Another namespace may push to the same registry, and keep its images longer.
            let same: Vec<_> =
                self.stocks.values().filter(|s| s.registry.url == stock.registry.url).collect();
            let images = stock.images.keys().filter(|image| !used.has(image));
            let images = images.filter(|image| same.iter().all(|stock| is_old(stock, image)));
            expired.extend(images.map(|image| (key.clone(), image.clone())));
        }
        expired
    }

    /// Writes down that a registry deletes nothing; tells whether that is news.
    pub fn refuse(&mut self, key: &str, why: &str, now: Timestamp) -> bool {
        let Some(stock) = self.stocks.get_mut(key) else { return false };
        let is_news = stock.refused.as_ref().is_none_or(|refused| refused.why != why);
        stock.refused = Some(Refusal { at: now, why: why.to_owned() });
        is_news
    }

    /// An image is out of the registry, or none of ours.
    pub fn forget(&mut self, key: &str, image: &str) {
        if let Some(stock) = self.stocks.get_mut(key) {
            stock.images.remove(image);
        }
    }

    /// The shortest time that any image is kept unused.
    pub fn shortest(&self) -> Option<SignedDuration> {
        self.stocks.values().map(Stock::retention).min()
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
            // Images in registries that refuse to delete are forgotten first, then those that were unused longest.
            let age = |stock: &Stock, last: &Timestamp| (stock.refused.is_none(), *last);
            let mut ages: Vec<_> = self
                .stocks
                .values()
                .flat_map(|stock| stock.images.values().map(move |last| age(stock, last)))
                .collect();
            ages.sort_unstable();
            let Some(limit) = ages.get(ages.len() / 10).copied() else { return Ok(forgotten) };
            for stock in self.stocks.values_mut() {
                let refused = stock.refused.is_none();
                let before = stock.images.len();
                stock.images.retain(|_, last| (refused, *last) > limit);
                forgotten += before - stock.images.len();
            }
        }
    }

    /// Entries of an earlier version go to the stock of their registry, as soon as that asks for deletion.
    fn adopt(&mut self) {
        let stocks = &mut self.stocks;
        self.other.retain(|_, text| {
            let Ok(Entry { image, last_used, registry: Some(registry), namespace }) =
                serde_json::from_str(text)
            else {
                return true;
            };
            let Some(stock) = stocks.get_mut(&key(&namespace, &registry.url)) else { return true };
            if let Some(image) = image.strip_prefix(&format!("{}/", registry.url)) {
                stock.images.entry(image.to_owned()).or_insert(last_used);
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
