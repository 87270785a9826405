//! What the status says of images. Pure.

use std::collections::BTreeMap;

use copr_operator_api::{
    names::{BUILDER, Component},
    status::images::CONDITION,
    v1alpha1::CoprInstanceStatus,
};
use copr_operator_images::{Provision, build::verdict};
use copr_operator_kernel::conditions;
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};

use crate::{
    observe::Seen,
    validate::{Instance, ResolvedImages},
};

/// The images, each with a condition of its own where they are built.
pub fn report(
    provision: &Provision,
    generation: Option<i64>,
    status: &mut CoprInstanceStatus,
    now: Timestamp,
) {
    let verdicts: Vec<_> = provision
        .packages
        .iter()
        .flat_map(|packages| &packages.images)
        .filter_map(verdict::of_image)
        .collect();
    let wanted = |c: &Condition| verdicts.iter().any(|(image, _)| image.condition() == c.type_);
    status.conditions.retain(|c| !super::is_of_image(&c.type_) || wanted(c));
    conditions::set(&mut status.conditions, CONDITION, provision.verdict.clone(), generation, now);
    for (image, verdict) in verdicts {
        conditions::set(&mut status.conditions, image.condition(), verdict, generation, now);
    }
    status.packages.clone_from(&provision.packages);
    status.resolved.clone_from(&provision.resolved);
}

/// Per component the image: by digest where that is known before, else as its container runs it, once the kubelet has pulled it. The
/// digest of a builder is known while one runs, and remembered.
pub fn running(
    wanted: &ResolvedImages,
    seen: &Seen,
    old: &BTreeMap<String, String>,
    instance: &Instance,
) -> BTreeMap<String, String> {
    let digest = |component: &str, container: &str| {
        let status = seen.pod(component)?.status.as_ref()?;
        let found = status.container_statuses.iter().flatten().find(|c| c.name == container)?;
        found.image_id.contains('@').then(|| found.image_id.clone())
    };
    let rows = [
        ("frontend", "frontend", "httpd", &wanted.frontend),
        ("backend", "backend", "build", &wanted.backend),
        ("backendHttpd", "backend", "httpd", &wanted.backend_httpd),
        ("keygen", "keygen", "signd", &wanted.keygen),
        ("distGit", "dist-git", "importer", &wanted.dist_git),
        ("resalloc", "resalloc", "resalloc", &wanted.resalloc),
        ("builder", BUILDER, BUILDER, &wanted.builder),
        ("database", "database", "database", &wanted.database),
        ("redis", "redis", "redis", &wanted.redis),
    ];
    let runs = |key: &str| match key {
        "database" => instance.components().any(|c| c == Component::Database),
        "redis" => instance.components().any(|c| c == Component::Redis),
        _ => true,
    };
    let repository = |image: &str| image.split('@').next().unwrap_or(image).to_owned();
    let suite = wanted.sanity.iter().map(|image| ("sanity".to_owned(), image.clone()));
    rows.into_iter()
        .filter(|(key, ..)| runs(key))
        .map(|(key, component, container, image)| {
            if image.contains('@') {
                return (key.to_owned(), image.clone());
            }
            let remembered = || {
                let old = old.get(key).filter(|old| old.contains('@'))?;
                let untagged = image.rsplit_once(':').map_or(image.as_str(), |(name, _)| name);
                (key == BUILDER && repository(old) == untagged).then(|| old.clone())
            };
            let value = digest(component, container).or_else(remembered).unwrap_or_else(|| image.clone());
            (key.to_owned(), value)
        })
        .chain(suite)
        .collect()
}
