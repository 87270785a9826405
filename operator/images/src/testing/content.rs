//! A registry that behaves as real ones do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::{Request, Response, response};
use crate::{names::HASH_LABEL, registry::digest_of};

/// What a registry has. Clones are the same one.
#[derive(Clone, Default)]
pub struct Content(Arc<Mutex<Stored>>);

#[derive(Default)]
struct Stored {
    /// Repository, then tag.
    tags: BTreeMap<String, BTreeMap<String, String>>,
    blobs: BTreeMap<String, Vec<u8>>,
    /// Manifests, by repository.
    manifests: BTreeSet<(String, String)>,
    /// What was sent so far of blobs on their way.
    uploads: Vec<Vec<u8>>,
}

impl Content {
    /// An image with the label of what it was built from; returns its digest.
    pub fn push(&self, repository: &str, tag: &str, hash: &str) -> String {
        let config = json!({"config": {"Labels": {HASH_LABEL: hash}}}).to_string().into_bytes();
        let manifest = json!({"schemaVersion": 2, "config": {"digest": digest_of(&config)}, "layers": []});
        self.store(config);
        self.push_manifest(repository, tag, manifest.to_string().into_bytes())
    }

    pub fn push_manifest(&self, repository: &str, tag: &str, manifest: Vec<u8>) -> String {
        let digest = self.store(manifest);
        let mut stored = self.0.lock().unwrap();
        stored.manifests.insert((repository.into(), digest.clone()));
        stored.tags.entry(repository.into()).or_default().insert(tag.into(), digest.clone());
        digest
    }

    fn store(&self, bytes: Vec<u8>) -> String {
        let digest = digest_of(&bytes);
        self.0.lock().unwrap().blobs.insert(digest.clone(), bytes);
        digest
    }

    pub fn tags(&self, repository: &str) -> Vec<String> {
        self.0
            .lock()
            .unwrap()
            .tags
            .get(repository)
            .map(|tags| tags.keys().cloned().collect())
            .unwrap_or_default()
    }

    pub fn has(&self, repository: &str, reference: &str) -> bool {
        self.digest(repository, reference).is_some()
    }

    pub fn has_repository(&self, repository: &str) -> bool {
        self.0.lock().unwrap().tags.contains_key(repository)
    }

    fn digest(&self, repository: &str, reference: &str) -> Option<String> {
        let stored = self.0.lock().unwrap();
        if reference.contains(':') {
            let known = stored.manifests.contains(&(repository.into(), reference.into()));
            return known.then(|| reference.to_owned());
        }
        stored.tags.get(repository)?.get(reference).cloned()
    }

    pub fn untag(&self, repository: &str, tag: &str) {
        if let Some(tags) = self.0.lock().unwrap().tags.get_mut(repository) {
            tags.remove(tag);
        }
    }

    pub fn delete(&self, repository: &str, digest: &str) {
        let mut stored = self.0.lock().unwrap();
        stored.manifests.remove(&(repository.into(), digest.into()));
        if let Some(tags) = stored.tags.get_mut(repository) {
            tags.retain(|_, of| of != digest);
        }
    }

    /// A blob, as it was pushed.
    pub fn blob(&self, digest: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().blobs.get(digest).cloned()
    }

    /// A blob is gone, as a registry's garbage collector would have it.
    pub fn lose(&self, digest: &str) {
        self.0.lock().unwrap().blobs.remove(digest);
    }

    /// The manifest of a tag.
    pub fn manifest(&self, repository: &str, tag: &str) -> Option<Value> {
        let digest = self.digest(repository, tag)?;
        serde_json::from_slice(&self.blob(&digest)?).ok()
    }

    /// As the distribution specification says, without anybody having to log in. DELETE isn't there.
    pub fn answer(&self, request: &Request) -> Response {
        match request.method.as_str() {
            "GET" | "HEAD" => self.answer_read(request),
            "POST" | "PATCH" | "PUT" => self.answer_write(request).unwrap_or_else(|| response(404)),
            _ => response(405),
        }
    }

    fn answer_write(&self, request: &Request) -> Option<Response> {
        let rest = request.bare_path().strip_prefix("/v2/")?;
        if let Some((repository, tag)) = rest.split_once("/manifests/") {
            let manifest: Value = serde_json::from_slice(&request.bytes).ok()?;
            let parts = manifest["layers"].as_array()?.iter().chain([&manifest["config"]]);
            for part in parts {
                if self.blob(part["digest"].as_str()?).is_none() {
                    return Some(response(404).error("MANIFEST_BLOB_UNKNOWN"));
                }
            }
            let digest = self.push_manifest(repository, tag, request.bytes.clone());
            return Some(response(201).with("Docker-Content-Digest", digest));
        }
        let (repository, id) = rest.split_once("/blobs/uploads/")?;
        let going_on = |id: usize, status| {
            response(status).with("Location", format!("/v2/{repository}/blobs/uploads/{id}?state=x"))
        };
        let mut stored = self.0.lock().unwrap();
        if request.method == "POST" {
            stored.uploads.push(Vec::new());
            return Some(going_on(stored.uploads.len() - 1, 202));
        }
        let id: usize = id.parse().ok()?;
        let so_far = stored.uploads.get_mut(id)?;
        let first = request.header("content-range").split('-').next().filter(|first| !first.is_empty());
        if first.is_some_and(|first| first.parse() != Ok(so_far.len())) {
            return Some(response(416));
        }
        so_far.extend_from_slice(&request.bytes);
        if request.method == "PATCH" {
            return Some(going_on(id, 202));
        }
        let bytes = std::mem::take(so_far);
        let digest = digest_of(&bytes);
        if !request.path.contains(&format!("digest={digest}")) {
            return Some(response(400).error("DIGEST_INVALID"));
        }
        stored.blobs.insert(digest, bytes);
        Some(response(201))
    }

    fn answer_read(&self, request: &Request) -> Response {
        let path = request.bare_path();
        if path == "/v2/" {
            return response(200).body("{}");
        }
        let Some(rest) = path.strip_prefix("/v2/") else { return response(404) };
        if let Some((repository, reference)) = rest.split_once("/manifests/") {
            let digest = self.digest(repository, reference);
            return match digest {
                Some(digest) => {
                    let body = self.0.lock().unwrap().blobs[&digest].clone();
                    response(200).with("Docker-Content-Digest", digest).body(body)
                }
                None if self.has_repository(repository) => response(404).error("MANIFEST_UNKNOWN"),
                None => response(404).error("NAME_UNKNOWN"),
            };
        }
        if let Some((_, digest)) = rest.split_once("/blobs/") {
            return match self.0.lock().unwrap().blobs.get(digest) {
                Some(blob) => response(200).body(blob.clone()),
                None => response(404).error("BLOB_UNKNOWN"),
            };
        }
        if let Some((repository, _)) = rest.split_once("/tags/list") {
            return response(200)
                .body(json!({"name": repository, "tags": self.tags(repository)}).to_string());
        }
        response(404)
    }
}
