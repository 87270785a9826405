//! The hash that version 0.1 recorded in `status.packages.specHash`. Pure.
//!
//! It was the JSON of that version's structs, with all of their fields. An instance that has it is not looked at anew
//! because the operator is: its status is taken over, and gets today's hash. The structs are repeated here as they
//! were, because those of the API go on. What 0.1 had under `images` is in the blocks of the components today; of an object
//! that was stored with it there, it's gone, and the hash another one: other images are wanted. To be removed with support for upgrades from 0.1.

use copr_operator_api::{
    images::{Image, own_image},
    v1alpha1::{ConfigMapRef, CoprInstanceSpec, Isolation, PullPolicy, SecretRef, SuiteName},
};
use k8s_openapi::api::core::v1::ResourceRequirements;
use serde::Serialize;

use crate::resolve::inputs::Hasher;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Packages<'a> {
    base_image: &'a str,
    repositories: Vec<Repository<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require: Option<Require<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a String>,
    build: Build<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Repository<'a> {
    name: &'a str,
    #[serde(rename = "baseURL")]
    base_url: &'a str,
    priority: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpg_key: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials_secret: Option<&'a SecretRef>,
}

#[derive(Serialize)]
struct Require<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    versions: Option<&'a std::collections::BTreeMap<String, String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Build<'a> {
    isolation: Isolation,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_claim: Option<&'a String>,
    timeout: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<&'a ResourceRequirements>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Images<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<&'a String>,
    tag: &'a str,
    pull_policy: PullPolicy,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pull_secrets: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    frontend: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backend_httpd: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keygen: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dist_git: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resalloc: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    builder: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sanity: Option<&'a String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Registry<'a> {
    url: &'a str,
    insecure: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    push_secret: Option<&'a SecretRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_config_map: Option<&'a ConfigMapRef>,
    retention: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct External<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    external_secret: Option<&'a SecretRef>,
}

/// What 0.1 would have recorded; nothing if the spec has an input that 0.1 didn't know.
pub fn spec_hash(spec: &CoprInstanceSpec) -> Option<String> {
    let packages = spec.packages.as_ref();
    let later = packages.is_some_and(|packages| {
        !packages.pins.is_empty() || packages.repositories.iter().any(|r| r.ca_config_map.is_some())
    });
    if later || spec.tests.suites != [SuiteName::Smoke] {
        return None;
    }
    let packages = packages.map(|packages| Packages {
        base_image: &packages.base_image,
        repositories: packages.repositories.iter().map(repository).collect(),
        require: packages
            .require
            .as_ref()
            .map(|require| Require { commit: require.commit.as_ref(), versions: require.versions.as_ref() }),
        revision: packages.revision.as_ref(),
        build: Build {
            isolation: packages.build.isolation,
            cache_claim: packages.build.cache_claim.as_ref(),
            timeout: &packages.build.timeout,
            resources: packages.build.resources.as_ref(),
        },
    });
    let registry = spec.registry.as_ref().map(|registry| Registry {
        url: &registry.url,
        insecure: registry.insecure,
        push_secret: registry.push_secret.as_ref(),
        ca_config_map: registry.ca_config_map.as_ref(),
        retention: &registry.retention,
    });
    let external = (
        External { external_secret: spec.database.external_secret.as_ref() },
        External { external_secret: spec.redis.external_secret.as_ref() },
    );
    let text = serde_json::to_string(&(packages, images(spec), registry, external)).ok()?;
    let mut hasher = Hasher::default();
    hasher.add(&[&text]);
    Some(hasher.finish())
}

fn repository(repository: &copr_operator_api::v1alpha1::Repository) -> Repository<'_> {
    Repository {
        name: &repository.name,
        base_url: &repository.base_url,
        priority: repository.priority,
        gpg_key: repository.gpg_key.as_ref(),
        credentials_secret: repository.credentials_secret.as_ref(),
    }
}

fn images(spec: &CoprInstanceSpec) -> Images<'_> {
    Images {
        registry: spec.images.registry.as_ref(),
        tag: &spec.images.tag,
        pull_policy: spec.images.pull_policy,
        pull_secrets: &spec.images.pull_secrets,
        frontend: own_image(spec, Image::Frontend),
        backend: own_image(spec, Image::Backend),
        backend_httpd: own_image(spec, Image::BackendHttpd),
        keygen: own_image(spec, Image::Keygen),
        dist_git: own_image(spec, Image::DistGit),
        resalloc: own_image(spec, Image::Resalloc),
        builder: own_image(spec, Image::Builder),
        database: own_image(spec, Image::Database),
        redis: own_image(spec, Image::Redis),
        sanity: own_image(spec, Image::Sanity),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "
chroots: [fedora-44-x86_64]
packages:
  repositories: [{name: copr-dev, baseURL: 'https://dev.example/fedora-44-x86_64/'}]
registry: {url: quay.io/team}
";
    const FULL: &str = "
chroots: [fedora-44-x86_64]
packages:
  baseImage: registry.example/fedora:44
  repositories:
  - {name: copr-dev, baseURL: 'https://dev.example/fedora-44-x86_64/', priority: 50, gpgKey: 'https://dev.example/key.gpg'}
  - {name: pr-1, baseURL: 'http://pr.example/', priority: 10, credentialsSecret: {name: login}}
  require: {commit: 5d37cd838, versions: {copr-keygen: 2.2-1.fc44, copr-cli: '1:2'}}
  revision: '2'
  build:
    isolation: Privileged
    cacheClaim: cache
    timeout: 40m
    resources: {requests: {cpu: 100m, memory: 512Mi}, limits: {memory: 2Gi}}
images:
  pullSecrets: [pull]
  pullPolicy: Always
redis: {image: 'quay.io/team/redis:7'}
registry: {url: quay.io/team, insecure: true, pushSecret: {name: robot}, caConfigMap: {name: ca}, retention: 24h}
database: {externalSecret: {name: pg}}
";

    fn of(yaml: &str) -> Option<String> {
        spec_hash(&serde_saphyr::from_str(yaml).unwrap())
    }

    /// Both were recorded by the program of that version.
    #[test]
    fn what_version_0_1_recorded_is_recognized() {
        assert_eq!(of(SMALL).as_deref(), Some("181f1908e066738d2cf0737ad59c1d9a"));
        assert_eq!(of(FULL).as_deref(), Some("0dbb65ab700386afbbb7b39d79774904"));
    }

    #[test]
    fn an_input_that_it_did_not_know_is_a_change() {
        assert_eq!(of(&SMALL.replace("registry:", "  pins: {copr-cli: 1-1}\nregistry:")), None);
    }
}
