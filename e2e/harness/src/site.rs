//! Where images are built in a test: from which repositories, into which registry, and by which Jobs.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_operator_api::{
    labels,
    v1alpha1::{CoprInstance, CoprInstanceSpec, ImageState},
};
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::{ResourceExt, api::ListParams, runtime::watcher};

use crate::{Context, Registry, Repositories, fixtures, packaged, settings};

const SOON: Duration = Duration::from_secs(60);
/// How long a few images may take that are built one after another, beside other tests.
pub const BUILD: Duration = Duration::from_secs(8 * 60);

/// What a test builds from, and where to.
pub struct Site {
    ctx: Context,
    /// Has the base image, and gets what is built.
    pub registry: Registry,
    /// What is built from.
    pub repositories: Repositories,
}

impl Site {
    /// The repository `main` is the one that the prebuilt images were built from.
    pub async fn new(ctx: &Context) -> Result<Self> {
        let repositories = Repositories::start(ctx).await?;
        repositories.serve("main", settings::repository()?);
        Ok(Self { ctx: ctx.clone(), registry: Registry::find(ctx).await?, repositories })
    }

    /// An instance of which these images are built from `main`, in the part of the registry that is this test's.
    pub fn spec(&self, built: &[&str]) -> Result<CoprInstanceSpec> {
        packaged::spec(&self.registry, &self.ctx.namespace, vec![self.repositories.entry("main", 50)], built)
    }

    /// Creates the instance and waits until its images are there.
    pub async fn provide(&self, name: &str, spec: CoprInstanceSpec) -> Result<CoprInstance> {
        self.ctx.create(&fixtures::instance(name, spec)).await?;
        self.images_of(name).await
    }

    /// Waits until the images of the instance are there, or it's known that they won't be.
    pub async fn images_of(&self, name: &str) -> Result<CoprInstance> {
        let over = |instance: &CoprInstance| {
            packaged::are_ready(instance) || packaged::refused(instance, "ImageBuildFailed", &[])
        };
        let instance = self.ctx.until(name, "provided with images", BUILD, over).await?;
        ensure!(packaged::are_ready(&instance), "{name}: {:?}", packaged::images_ready(&instance));
        Ok(instance)
    }
}

/// These images, and no others, are in that state.
pub fn exactly(instance: &CoprInstance, state: ImageState, wanted: &[&str]) -> Result<()> {
    let packages = instance.status.as_ref().and_then(|status| status.packages.as_ref());
    let images = packages.map(|packages| packages.images.as_slice()).unwrap_or_default();
    let found: Vec<_> =
        images.iter().filter(|image| image.state == state).map(|image| image.component.as_str()).collect();
    ensure!(found == wanted, "{state:?} are {found:?}, not {wanted:?}: {images:?}");
    Ok(())
}

/// The Jobs that build images for an instance, or did.
pub async fn builds(ctx: &Context, instance: &str) -> Result<Vec<String>> {
    let query = format!("{}={},{}={instance}", labels::COMPONENT, labels::IMAGE_BUILD, labels::INSTANCE);
    let jobs = ctx.api::<Job>().list(&ListParams::default().labels(&query)).await;
    Ok(jobs.context("failed to list Jobs")?.iter().map(ResourceExt::name_any).collect())
}

/// Waits until a pod that builds an image runs; returns its name.
pub async fn a_build_runs(ctx: &Context) -> Result<String> {
    let builds = watcher::Config::default().labels(&format!("{}={}", labels::COMPONENT, labels::IMAGE_BUILD));
    let runs = |pod: &Pod| pod.status.as_ref().is_some_and(|s| s.phase.as_deref() == Some("Running"));
    let pod = ctx.until_any(builds, "a build's pod that runs", SOON, runs).await?;
    Ok(pod.name_any())
}
