//! Instances whose images are built, and what they say of that.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use copr_operator_api::{
    images::Image,
    v1alpha1::{
        Build, CoprInstance, CoprInstanceSpec, ImageState, ImageStatus, Images, Packages, Registry as Pushed,
        Repository, SecretRef,
    },
};
use copr_operator_kernel::conditions;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::{Registry, fixtures, settings};

/// The condition that sums up all images.
pub const IMAGES_READY: &str = "ImagesReady";

/// An instance of which these images are built (given by their keys in `status.images`), and what they start from. Those
/// of the other components are the ones that `./check e2e` loads.
pub fn spec(
    registry: &Registry,
    prefix: &str,
    repositories: Vec<Repository>,
    built: &[&str],
) -> Result<CoprInstanceSpec> {
    let mut spec = fixtures::instance_spec();
    spec.packages = Some(Packages {
        base_image: settings::base_image()?,
        repositories,
        require: None,
        pins: BTreeMap::new(),
        revision: None,
        build: Build::default(),
    });
    spec.registry = Some(Pushed {
        url: registry.prefix(prefix),
        insecure: true,
        push_secret: None,
        ca_config_map: None,
        // Long enough for a test, and not for ever.
        retention: "1h".into(),
        delete_unused: true,
    });
    spec.images = Images::default();
    prebuilt(spec, built)
}

/// Names the images of the other components.
fn prebuilt(mut spec: CoprInstanceSpec, built: &[&str]) -> Result<CoprInstanceSpec> {
    let given = fixtures::images();
    let registry = given.registry.context("no registry")?;
    for image in Image::ALL.into_iter().filter(|image| !built.contains(&image.key())) {
        let name = Some(format!("{registry}/copr-{}:{}", image.folder(), given.tag));
        match image {
            Image::Base | Image::SanityUpstream | Image::SanityTmt => {}
            Image::Database => spec.database.component.image = name,
            Image::Redis => spec.redis.component.image = name,
            Image::Keygen => spec.keygen.image = name,
            Image::Frontend => spec.frontend.component.image = name,
            Image::DistGit => spec.dist_git.component.image = name,
            Image::Resalloc => spec.resalloc.image = name,
            Image::Backend => spec.backend.component.image = name,
            Image::BackendHttpd => spec.backend.httpd_image = name,
            Image::Builder => spec.builders.image = name,
            Image::Sanity => spec.tests.image = name,
        }
    }
    Ok(spec)
}

/// The same without pods: its database is elsewhere, and nobody says where. For tests of nothing but images.
pub fn without_pods(mut spec: CoprInstanceSpec) -> CoprInstanceSpec {
    spec.database.external_secret = Some(SecretRef { name: "nowhere".into() });
    spec
}

/// An image of the instance, by its key in `status.images`.
pub fn image<'a>(instance: &'a CoprInstance, component: &str) -> Option<&'a ImageStatus> {
    let packages = instance.status.as_ref()?.packages.as_ref()?;
    packages.images.iter().find(|image| image.component == component)
}

/// How far an image is.
pub fn state(instance: &CoprInstance, component: &str) -> Option<ImageState> {
    image(instance, component).map(|image| image.state)
}

/// Whether the build of an image waits for somebody, and says all of this of it. So does the condition of all images.
pub fn waits<'a>(component: &'a str, named: &'a [&'a str]) -> impl Fn(&CoprInstance) -> bool + 'a {
    move |instance| {
        let says = |message: &str| named.iter().all(|name| message.contains(name));
        image(instance, component).is_some_and(|image| {
            image.reason.as_deref() == Some("BuildWaiting") && image.message.as_deref().is_some_and(says)
        }) && images_ready(instance).is_some_and(|condition| says(&condition.message))
    }
}

/// The condition of all images.
pub fn images_ready(instance: &CoprInstance) -> Option<&Condition> {
    conditions::get(&instance.status.as_ref()?.conditions, IMAGES_READY)
}

/// Whether all images are there, for the spec as it is now.
pub fn are_ready(instance: &CoprInstance) -> bool {
    images_ready(instance)
        .is_some_and(|c| c.status == "True" && c.observed_generation == instance.metadata.generation)
}

/// Whether the images can't be had for that reason, and the message names all of it.
pub fn refused(instance: &CoprInstance, reason: &str, named: &[&str]) -> bool {
    images_ready(instance).is_some_and(|c| {
        c.status == "False" && c.reason == reason && named.iter().all(|name| c.message.contains(name))
    })
}
