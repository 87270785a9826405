//! The images of an instance. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::LocalObjectReference;

use super::Error;
use crate::{api::v1alpha1::CoprInstanceSpec, images::Image};

/// How images are pulled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pull {
    /// When.
    pub policy: String,
    /// With which Secrets.
    pub secrets: Vec<LocalObjectReference>,
}

impl Pull {
    /// The Secrets as a pod has them.
    pub fn of_pod(&self) -> Option<Vec<LocalObjectReference>> {
        (!self.secrets.is_empty()).then(|| self.secrets.clone())
    }
}

/// The images that the spec names, tags as they are: those of the components that the instance has, and the suite's if it is
/// named.
pub fn given_images(spec: &CoprInstanceSpec) -> Vec<(Image, String)> {
    let images = &spec.images;
    let by_registry = |image: Image| {
        let registry = images.registry.as_ref().filter(|_| image != Image::Sanity)?;
        Some(format!("{registry}/copr-{}:{}", image.folder(), images.tag))
    };
    Image::ALL
        .into_iter()
        .filter(|image| *image != Image::Base && runs(spec, *image))
        .filter_map(|image| Some((image, spec.own_image(image).cloned().or_else(|| by_registry(image))?)))
        .collect()
}

/// Whether the instance runs the image: of an external PostgreSQL or Redis there is no pod.
pub fn runs(spec: &CoprInstanceSpec, image: Image) -> bool {
    match image {
        Image::Database => spec.database.external_secret.is_none(),
        Image::Redis => spec.redis.external_secret.is_none(),
        _ => true,
    }
}

/// Names of the Secrets that the images are pulled with. What may push built ones may pull them.
pub fn pull_secrets(spec: &CoprInstanceSpec) -> Vec<String> {
    let push = spec.registry.iter().filter(|_| spec.packages.is_some()).flat_map(|r| &r.push_secret);
    spec.images.pull_secrets.iter().chain(push.map(|secret| &secret.name)).cloned().collect()
}

/// An image of the instance, of those that are known by their keys.
pub(super) fn known(known: &BTreeMap<String, String>, image: Image) -> Result<String, Error> {
    known.get(image.key()).cloned().ok_or_else(|| Error::NoImage(image.field()))
}

/// How images are pulled.
pub(super) fn pull(spec: &CoprInstanceSpec) -> Pull {
    Pull {
        policy: format!("{:?}", spec.images.pull_policy),
        secrets: pull_secrets(spec).into_iter().map(|name| LocalObjectReference { name }).collect(),
    }
}
