//! The artifact: its names, and the manifest that holds its parts together. Pure.

use std::collections::BTreeMap;

use copr_operator_api::{
    evidence::{ARTIFACT_TYPE, REPOSITORY},
    v1alpha1::CoprTestRun,
};
use copr_operator_images::Blob;
use jiff::Timestamp;
use kube::ResourceExt as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// What an OCI artifact without a configuration has in its place.
pub const EMPTY: &[u8] = b"{}";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

const TITLE: &str = "org.opencontainers.image.title";
const CREATED: &str = "org.opencontainers.image.created";
/// Of a part: the test that it's of, by its whole name.
pub const TEST: &str = "org.fedorainfracloud.copr.test";
/// Of an artifact: when it may be deleted.
pub const EXPIRES: &str = "org.fedorainfracloud.copr.expires";
const RUN: &str = "org.fedorainfracloud.copr.run";
const PHASE: &str = "org.fedorainfracloud.copr.phase";

/// The type of a log.
pub const GZIP: &str = "application/gzip";
/// The type of a folder.
pub const TAR: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The type of `status.json`.
pub const JSON: &str = "application/json";
/// The type of `junit.xml`.
pub const XML: &str = "application/xml";

/// The repository of evidence in a registry.
pub fn repository(registry: &str) -> String {
    format!("{registry}/{REPOSITORY}")
}

/// The beginning of the tags of a namespace.
pub fn tag_prefix(namespace: &str) -> String {
    format!("{namespace}-")
}

/// The tag of a run's evidence: another run of that name has another one.
pub fn tag(run: &CoprTestRun) -> String {
    let uid = run.uid().unwrap_or_default();
    let prefix = tag_prefix(&run.namespace().unwrap_or_default());
    format!("{prefix}{}-{}", run.name_any(), uid.get(..8).unwrap_or_default())
}

/// The name of a file for something that may be called anything, and for nothing else.
pub fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.chars().all(plain) && name.len() <= 64 && !name.starts_with('.') {
        return name.to_owned();
    }
    let mut text: String = name.chars().map(|c| if plain(c) { c } else { '_' }).take(48).collect();
    if text.starts_with('.') {
        text.replace_range(..1, "_");
    }
    format!("{text}-{}", hex::encode(&Sha256::digest(name)[..4]))
}

/// A part of the artifact.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    media_type: &'static str,
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    annotations: BTreeMap<&'static str, String>,
}

impl Layer {
    /// A blob that is there, under the name of a file.
    pub fn new(media_type: &'static str, blob: Blob, title: String) -> Self {
        let annotations = BTreeMap::from([(TITLE, title)]);
        Self { media_type, digest: blob.digest, size: blob.size, annotations }
    }

    /// It's of that test.
    #[must_use]
    pub fn of_test(mut self, test: &str) -> Self {
        self.annotations.insert(TEST, test.to_owned());
        self
    }

    /// The name of its file.
    pub fn title(&self) -> &str {
        self.annotations.get(TITLE).map(String::as_str).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    schema_version: u8,
    media_type: &'static str,
    artifact_type: &'static str,
    config: Config,
    layers: &'a [Layer],
    annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    media_type: &'static str,
    digest: String,
    size: usize,
}

/// The manifest of a run's evidence.
pub fn manifest(
    run: &CoprTestRun,
    layers: &[Layer],
    (created, expires): (Timestamp, Timestamp),
) -> Result<Vec<u8>, serde_json::Error> {
    let phase = run.status.as_ref().map(|status| status.phase).unwrap_or_default();
    serde_json::to_vec(&Manifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE,
        artifact_type: ARTIFACT_TYPE,
        config: Config {
            media_type: EMPTY_TYPE,
            digest: format!("sha256:{}", hex::encode(Sha256::digest(EMPTY))),
            size: EMPTY.len(),
        },
        layers,
        annotations: [
            (CREATED, created.to_string()),
            (EXPIRES, expires.to_string()),
            (RUN, format!("{}/{}", run.namespace().unwrap_or_default(), run.name_any())),
            (PHASE, phase.to_string()),
        ]
        .into(),
    })
}

/// When evidence may be deleted, if a manifest is one of evidence.
pub fn expires(manifest: &[u8]) -> Option<Timestamp> {
    let manifest: serde_json::Value = serde_json::from_slice(manifest).ok()?;
    if manifest.get("artifactType")?.as_str()? != ARTIFACT_TYPE {
        return None;
    }
    manifest.get("annotations")?.get(EXPIRES)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn run() -> CoprTestRun {
        serde_json::from_value(json!({
            "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprTestRun",
            "metadata": {"name": "pr-7", "namespace": "ci", "uid": "5d37cd83-0000-4000-8000-000000000001"},
            "spec": {"instance": {"name": "copr"}},
            "status": {"phase": "Failed"},
        }))
        .unwrap()
    }

    #[test]
    fn a_run_has_a_tag_of_its_own() {
        assert_eq!(repository("quay.io/you"), "quay.io/you/copr-evidence");
        assert_eq!(tag(&run()), "ci-pr-7-5d37cd83");
    }

    #[test]
    fn files_of_tests_have_names_that_every_system_takes() {
        assert_eq!(file_name("build-spec"), "build-spec");
        for name in ["a/b", "../x", ".x", "ä", &"x".repeat(200)] {
            let file = file_name(name);
            assert!(file.len() <= 64 && !file.contains('/') && !file.starts_with('.'), "{file}");
            assert!(file.is_ascii(), "{file}");
        }
        assert_ne!(file_name("a/b"), file_name("a_b"));
        assert_ne!(file_name("a/b"), file_name("a:b"));
    }

    #[test]
    fn the_manifest_is_an_oci_artifact_whose_parts_have_names() {
        let blob = Blob { digest: format!("sha256:{}", "0f".repeat(32)), size: 7 };
        let layers = [Layer::new(GZIP, blob, "a_b-1.log.gz".into()).of_test("a/b")];
        let created: Timestamp = "2026-11-26T09:00:00Z".parse().unwrap();
        let bytes = manifest(&run(), &layers, (created, "2026-12-26T09:00:00Z".parse().unwrap())).unwrap();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        insta::assert_yaml_snapshot!(value);
        assert_eq!(expires(&bytes), Some("2026-12-26T09:00:00Z".parse().unwrap()));
    }

    #[test]
    fn what_is_no_evidence_never_expires() {
        let other = json!({"artifactType": "other", "annotations": {EXPIRES: "2020-01-01T00:00:00Z"}});
        assert_eq!(expires(other.to_string().as_bytes()), None);
        assert_eq!(expires(b"{}"), None);
    }
}
