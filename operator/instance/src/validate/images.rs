//! The images of an instance. Pure.

use std::collections::BTreeMap;

use copr_operator_api::{
    images::{Image, pull_secrets, runs},
    v1alpha1::CoprInstanceSpec,
};
use k8s_openapi::api::core::v1::LocalObjectReference;

use super::Error;

/// The image of every component.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedImages {
    /// Frontend.
    pub frontend: String,
    /// Backend.
    pub backend: String,
    /// Results web server.
    pub backend_httpd: String,
    /// Keygen.
    pub keygen: String,
    /// Dist-git.
    pub dist_git: String,
    /// Resalloc.
    pub resalloc: String,
    /// Builder.
    pub builder: String,
    /// PostgreSQL.
    pub database: String,
    /// Redis.
    pub redis: String,
    /// The sanity suite, if the instance has an image of it.
    pub sanity: Option<String>,
    /// When to pull.
    pub pull_policy: String,
    /// With which Secrets.
    pub pull_secrets: Vec<LocalObjectReference>,
}

/// Every image by name.
pub(super) fn resolved(
    spec: &CoprInstanceSpec,
    known: &BTreeMap<String, String>,
) -> Result<ResolvedImages, Error> {
    let name = |image: Image| known.get(image.field()).cloned().ok_or(Error::NoImage(image.field()));
    let if_run = |image| if runs(spec, image) { name(image) } else { Ok(String::new()) };
    Ok(ResolvedImages {
        frontend: name(Image::Frontend)?,
        backend: name(Image::Backend)?,
        backend_httpd: name(Image::BackendHttpd)?,
        keygen: name(Image::Keygen)?,
        dist_git: name(Image::DistGit)?,
        resalloc: name(Image::Resalloc)?,
        builder: name(Image::Builder)?,
        database: if_run(Image::Database)?,
        redis: if_run(Image::Redis)?,
        sanity: known.get(Image::Sanity.field()).cloned(),
        pull_policy: format!("{:?}", spec.images.pull_policy),
        pull_secrets: pull_secrets(spec).into_iter().map(|name| LocalObjectReference { name }).collect(),
    })
}
