//! What the status says of images. Pure.

use std::collections::BTreeMap;

use copr_operator_api::{
    component::BUILDER, images::Image, status::images::CONDITION, v1alpha1::CoprInstanceStatus,
};
use copr_operator_images::Provision;
use copr_operator_kernel::conditions;
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use crate::{observe::Seen, validate::Instance};

/// What became of the images, each dated when its state changed, and the condition that sums them up.
pub fn report(
    provision: &Provision,
    generation: Option<i64>,
    status: &mut CoprInstanceStatus,
    now: Timestamp,
) {
    conditions::set(&mut status.conditions, CONDITION, provision.finding.clone(), generation, now);
    let old = std::mem::replace(&mut status.packages, provision.packages.clone());
    for image in status.packages.iter_mut().flat_map(|packages| &mut packages.images) {
        let known = old.iter().flat_map(|old| &old.images).find(|known| known.component == image.component);
        let since =
            known.filter(|known| known.state == image.state).and_then(|k| k.last_transition_time.clone());
        image.last_transition_time = Some(since.unwrap_or(Time(now)));
    }
    status.resolved.clone_from(&provision.resolved);
}

/// Per component the image: by digest where that is known before, else as its container runs it, once the kubelet has pulled it. The
/// digest of a builder is known while one runs, and remembered.
pub fn running(seen: &Seen, old: &BTreeMap<String, String>, instance: &Instance) -> BTreeMap<String, String> {
    let digest = |component: &str, container: &str| {
        let status = seen.pod(component)?.status.as_ref()?;
        let found = status.container_statuses.iter().flatten().find(|c| c.name == container)?;
        found.image_id.contains('@').then(|| found.image_id.clone())
    };
    let of_components = instance.components().flat_map(|component| {
        let wanted = move |image| instance.workloads.image(component, image);
        component
            .row()
            .images
            .iter()
            .map(move |&(image, container)| (image, component.name(), container, wanted(image)))
    });
    let builder = (Image::Builder, BUILDER, BUILDER, instance.builders.image.as_str());
    let repository = |image: &str| image.split('@').next().unwrap_or(image).to_owned();
    let suites = instance.suite_images.iter().map(|(suite, image)| (suite.key().to_owned(), image.clone()));
    of_components
        .chain([builder])
        .map(|(key, component, container, image)| {
            if image.contains('@') {
                return (key.key().to_owned(), image.to_owned());
            }
            let remembered = || {
                let old = old.get(key.key()).filter(|old| old.contains('@'))?;
                let untagged = image.rsplit_once(':').map_or(image, |(name, _)| name);
                (key == Image::Builder && repository(old) == untagged).then(|| old.clone())
            };
            let value = digest(component, container).or_else(remembered).unwrap_or_else(|| image.to_owned());
            (key.key().to_owned(), value)
        })
        .chain(suites)
        .collect()
}
