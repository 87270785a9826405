//! The images of an instance. Pure.

use std::collections::BTreeMap;

use copr_operator_api::{
    images::{Image, pull_secrets},
    v1alpha1::CoprInstanceSpec,
};
use k8s_openapi::api::core::v1::LocalObjectReference;

use super::Error;

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

/// An image of the instance, of those that are known by their keys.
pub(super) fn known(known: &BTreeMap<String, String>, image: Image) -> Result<String, Error> {
    known.get(image.key()).cloned().ok_or_else(|| Error::NoImage(image.field()))
}

/// The images of suites, of those that are known by their keys.
pub(super) fn of_suites(known: &BTreeMap<String, String>) -> BTreeMap<Image, String> {
    let suites = Image::ALL.into_iter().filter(|image| image.is_of_suite());
    suites.filter_map(|image| Some((image, known.get(image.key())?.clone()))).collect()
}

/// How images are pulled.
pub(super) fn pull(spec: &CoprInstanceSpec) -> Pull {
    Pull {
        policy: spec.images.pull_policy.to_string(),
        secrets: pull_secrets(spec).into_iter().map(|name| LocalObjectReference { name }).collect(),
    }
}
