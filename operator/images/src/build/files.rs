//! What a build's pod mounts: the request, and the folder of the image. Pure.

use std::collections::BTreeMap;

use copr_operator_api::images::Image;
use k8s_openapi::{
    ByteString,
    api::{
        batch::v1::Job,
        core::v1::{ConfigMap, KeyToPath},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::Resource as _;
use serde_json::json;

use super::job::{Build, path};
use crate::{context, names::HASH_LABEL, resolve::expected::Expected};

impl Build<'_> {
    /// What the Job's pod mounts: the request, and the image's folder.
    pub fn files(&self, job: &Job) -> ConfigMap {
        let mut data = BTreeMap::from([("request.json".to_owned(), self.request(self.expected))]);
        let mut binary = BTreeMap::new();
        for (index, (_, content)) in context::files(self.image).into_iter().enumerate() {
            match String::from_utf8(content) {
                Ok(text) => _ = data.insert(key(index), text),
                Err(error) => _ = binary.insert(key(index), ByteString(error.into_bytes())),
            }
        }
        ConfigMap {
            metadata: ObjectMeta {
                name: job.metadata.name.clone(),
                namespace: job.metadata.namespace.clone(),
                labels: job.metadata.labels.clone(),
                owner_references: job.controller_owner_ref(&()).map(|owner| vec![owner]),
                ..ObjectMeta::default()
            },
            data: Some(data),
            binary_data: (!binary.is_empty()).then_some(binary),
            ..ConfigMap::default()
        }
    }

    /// What was found in the repositories is no part of what a Job is: an operator that has just started may have to look again.
    pub(super) fn request(&self, expected: Option<&Expected>) -> String {
        let argument = if self.image == Image::Base { "BASE_IMAGE" } else { "BASE" };
        let repositories: Vec<_> = self
            .packages
            .repositories
            .iter()
            .map(|repository| {
                let mut entry = json!({
                    "name": repository.name,
                    "baseURL": repository.base_url,
                    "priority": repository.priority,
                    "credentials": repository.credentials_secret.is_some(),
                });
                if let Some(key) = &repository.gpg_key {
                    entry["gpgKey"] = key.as_str().into();
                }
                if repository.ca_config_map.is_some() {
                    entry["authority"] = true.into();
                }
                if let Some(expected) = expected {
                    expected.tell(&repository.name, &self.beneath_from(&repository.name), &mut entry);
                }
                entry
            })
            .collect();
        let urls: Vec<_> =
            self.packages.repositories.iter().map(|r| format!("{}={}", r.name, r.base_url)).collect();
        let mut request = json!({
            "component": self.image.folder(),
            "image": self.reference(),
            "baseImage": self.from,
            "buildArgs": {argument: self.from},
            "repositories": repositories,
            "insecure": self.registry.insecure,
            "tokenAuth": self.token_auth,
            "labels": {
                "org.opencontainers.image.title": format!("Copr {}", self.image.folder()),
                "org.opencontainers.image.base.name": self.from,
                "org.fedorainfracloud.copr.component": self.image.folder(),
                "org.fedorainfracloud.copr.repositories": urls.join(" "),
                HASH_LABEL: self.hash,
                "org.fedorainfracloud.copr.operator-version": env!("CARGO_PKG_VERSION"),
            },
        });
        if !self.packages.pins.is_empty() {
            request["pins"] = json!(self.packages.pins);
        }
        format!("{request:#}\n")
    }

    /// What it starts from may have packages that the repository has no more.
    fn beneath_from(&self, repository: &str) -> Vec<String> {
        let from = self.beneath.iter().filter(|package| package.repository == repository);
        from.map(|package| package.nevra.clone()).collect()
    }

    pub(super) fn context_paths(&self) -> Vec<KeyToPath> {
        let executable = |content: &[u8]| content.starts_with(b"#!");
        let files = context::files(self.image).into_iter().enumerate();
        files
            .map(|(index, (name, content))| {
                path(&key(index), &name, if executable(&content) { 0o755 } else { 0o644 })
            })
            .collect()
    }
}

/// Keys of a ConfigMap have no slashes.
fn key(index: usize) -> String {
    format!("file-{index}")
}
