//! The images of an instance. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::LocalObjectReference;

use super::Error;
use crate::{api::v1alpha1::CoprInstanceSpec, images::Image};

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

/// The images that the spec names, tags as they are: those of the components that the instance has, and the suite's if it is
/// named.
pub fn given_images(spec: &CoprInstanceSpec) -> Vec<(Image, String)> {
    let images = &spec.images;
    let of = |image: Image| match image {
        Image::Base => &None,
        Image::Database => &images.database,
        Image::Redis => &images.redis,
        Image::Keygen => &images.keygen,
        Image::Frontend => &images.frontend,
        Image::DistGit => &images.dist_git,
        Image::Resalloc => &images.resalloc,
        Image::Backend => &images.backend,
        Image::BackendHttpd => &images.backend_httpd,
        Image::Builder => &images.builder,
        Image::Sanity => &images.sanity,
    };
    let by_registry = |image: Image| {
        let registry = images.registry.as_ref().filter(|_| image != Image::Sanity)?;
        Some(format!("{registry}/copr-{}:{}", image.folder(), images.tag))
    };
    Image::ALL
        .into_iter()
        .filter(|image| *image != Image::Base && runs(spec, *image))
        .filter_map(|image| Some((image, of(image).clone().or_else(|| by_registry(image))?)))
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
