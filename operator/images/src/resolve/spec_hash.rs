//! What of a spec decides what images are built from. Pure.
//!
//! Base image and repositories are looked at when it changes, and only then. So it is made of named parts: a field that a
//! later version adds, and one that has nothing to do with what is in the images (resources, time limits, retention, who may
//! push), changes nothing for instances that have their images.

mod before;

use copr_operator_api::{
    images::given_images,
    v1alpha1::{CoprInstanceSpec, Packages, PackagesStatus, Require, SuiteName},
};

use super::inputs::Hasher;

/// A hash of what a spec says of the inputs of images.
pub fn spec_hash(spec: &CoprInstanceSpec) -> String {
    with_suites(spec, &spec.tests.suites)
}

/// The hash of the spec, had it these suites.
fn with_suites(spec: &CoprInstanceSpec, suites: &[SuiteName]) -> String {
    let mut hasher = Hasher::default();
    hasher.add(&["spec", "2"]);
    if let Some(packages) = &spec.packages {
        add_packages(&mut hasher, packages);
    }
    // Which images are built, and where they are.
    for (image, _) in given_images(spec) {
        hasher.add(&["given", image.key()]);
    }
    let external = [("database", &spec.database.external_secret), ("redis", &spec.redis.external_secret)];
    for (component, _) in external.iter().filter(|(_, secret)| secret.is_some()) {
        hasher.add(&["external", component]);
    }
    hasher.add(&["registry", spec.registry.as_ref().map_or("", |registry| &registry.url)]);
    // By default an instance has `smoke`, and that alone.
    if !suites.contains(&SuiteName::Smoke) {
        hasher.add(&["no suite", "smoke"]);
    }
    for suite in [SuiteName::Upstream, SuiteName::Tmt].iter().filter(|suite| suites.contains(suite)) {
        hasher.add(&["suite", (*suite).into()]);
    }
    hasher.finish()
}

fn add_packages(hasher: &mut Hasher, packages: &Packages) {
    hasher.add(&["base", &packages.base_image]);
    hasher.add(&["revision", packages.revision.as_deref().unwrap_or_default()]);
    for repository in &packages.repositories {
        hasher.add(&[
            "repository",
            &repository.name,
            &repository.base_url,
            &repository.priority.to_string(),
            repository.gpg_key.as_deref().unwrap_or_default(),
            repository.credentials_secret.as_ref().map_or("", |secret| &secret.name),
            repository.ca_config_map.as_ref().map_or("", |map| &map.name),
        ]);
    }
    for (name, version) in &packages.pins {
        hasher.add(&["pin", name, version]);
    }
}

/// A hash of that and of what is required of the packages.
pub fn wait_hash(spec: &CoprInstanceSpec, require: &Require) -> String {
    let mut hasher = Hasher::default();
    hasher.add(&["wait", &spec_hash(spec)]);
    hasher.add(&["commit", require.commit.as_deref().unwrap_or_default()]);
    hasher.add(&["timeout", require.timeout.as_deref().unwrap_or_default()]);
    for (field, map) in [("packages", &require.packages), ("versions", &require.versions)] {
        for (name, wanted) in map.iter().flatten() {
            hasher.add(&[field, name, wanted]);
        }
    }
    for (name, commits) in require.commits.iter().flatten() {
        hasher.add(&["commits", name, &commits.join(" ")]);
    }
    hasher.finish()
}

/// Whether a status was made from such a spec, by this version or the one before.
pub fn is_of(known: &PackagesStatus, spec: &CoprInstanceSpec) -> bool {
    known.spec_hash == spec_hash(spec) || before::spec_hash(spec).is_some_and(|hash| known.spec_hash == hash)
}

/// Whether a status was made from such a spec, whatever suites that named.
pub fn is_but_for_suites(known: &PackagesStatus, spec: &CoprInstanceSpec) -> bool {
    use SuiteName::{Smoke, Upstream};
    let any: [&[SuiteName]; 4] = [&[], &[Smoke], &[Upstream], &[Smoke, Upstream]];
    is_of(known, spec) || any.iter().any(|suites| known.spec_hash == with_suites(spec, suites))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(change: impl FnOnce(&mut Value)) -> CoprInstanceSpec {
        let mut spec = json!({
            "chroots": ["fedora-44-x86_64"],
            "packages": {"repositories": [{"name": "main", "baseURL": "https://main.example/"}]},
            "registry": {"url": "quay.io/team"},
        });
        change(&mut spec);
        serde_json::from_value(spec).unwrap()
    }

    fn changes(change: impl FnOnce(&mut Value)) -> bool {
        spec_hash(&spec(change)) != spec_hash(&spec(|_| ()))
    }

    #[test]
    fn what_images_are_built_from_counts() {
        assert!(changes(|s| s["packages"]["baseImage"] = json!("fedora:45")));
        assert!(changes(|s| s["packages"]["revision"] = json!("2")));
        assert!(changes(|s| s["packages"]["pins"] = json!({"copr-cli": "1-1"})));
        assert!(changes(|s| s["packages"]["repositories"][0]["priority"] = json!(1)));
        assert!(changes(|s| s["packages"]["repositories"][0]["gpgKey"] = json!("https://main.example/key")));
        assert!(changes(|s| s["packages"]["repositories"][0]["credentialsSecret"] = json!({"name": "x"})));
        assert!(changes(|s| s["packages"]["repositories"][0]["caConfigMap"] = json!({"name": "x"})));
        assert!(changes(|s| s["redis"] = json!({"image": "redis:7"})));
        assert!(changes(|s| s["database"] = json!({"externalSecret": {"name": "pg"}})));
        assert!(changes(|s| s["registry"]["url"] = json!("quay.io/other")));
        assert!(changes(|s| s["tests"] = json!({"suites": ["smoke", "upstream"]})));
        assert!(changes(|s| s["tests"] = json!({"suites": []})));
    }

    #[test]
    fn other_suites_are_told_from_other_packages() {
        let known = |spec: &CoprInstanceSpec| PackagesStatus {
            spec_hash: spec_hash(spec),
            ..PackagesStatus::default()
        };
        let with = |suites: Value| spec(|s| s["tests"] = json!({"suites": suites}));
        for (before, after) in
            [(json!(["smoke"]), json!(["upstream", "smoke"])), (json!(["upstream"]), json!([]))]
        {
            assert!(!is_of(&known(&with(before.clone())), &with(after.clone())));
            assert!(is_but_for_suites(&known(&with(before)), &with(after)));
        }
        let other = spec(|s| s["packages"]["revision"] = json!("2"));
        assert!(!is_but_for_suites(&known(&spec(|_| ())), &other));
        assert_eq!(
            spec_hash(&with(json!(["smoke", "upstream"]))),
            spec_hash(&with(json!(["upstream", "smoke"])))
        );
    }

    #[test]
    fn how_they_are_built_kept_and_demanded_does_not() {
        assert!(!changes(
            |s| s["packages"]["build"] = json!({"timeout": "40m", "resources": {"limits": {"cpu": "1"}}})
        ));
        assert!(!changes(|s| s["packages"]["require"] = json!({"commit": "5d37cd8"})));
        assert!(!changes(|s| s["registry"]["retention"] = json!("1h")));
        assert!(!changes(|s| s["registry"]["pushSecret"] = json!({"name": "robot"})));
        assert!(!changes(|s| s["images"] = json!({"pullPolicy": "Always", "pullSecrets": ["x"]})));
        assert!(!changes(|s| s["builders"] = json!({"max": 9, "pod": {"priorityClassName": "low"}})));
        assert!(!changes(|s| s["packages"]["build"] = json!({"pod": {"nodeSelector": {"disk": "ssd"}}})));
        assert!(!changes(
            |s| s["frontend"] = json!({"resources": {"limits": {"cpu": "1"}}, "storage": {"size": "9Gi"}})
        ));
        assert!(!changes(|s| s["defaults"] = json!({"pod": {"labels": {"a": "b"}}})));
        assert!(!changes(|s| s["proxy"] = json!({"http": "http://proxy.example:3128"})));
    }

    /// What this version makes of a spec, every later one has to.
    #[test]
    fn equal_content_has_the_hash_that_it_had_before_there_were_blocks() {
        assert_eq!(
            spec_hash(&spec(|s| s["redis"] = json!({"image": "redis:7"}))),
            "4ac558e86db07c154a1a2208fc17cf20"
        );
    }
}
