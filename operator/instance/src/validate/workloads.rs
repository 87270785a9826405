//! What each component's block says, with the defaults below it. Pure.

use std::collections::BTreeMap;

use copr_operator_api::{
    component::Component,
    images::{Image, runs},
    v1alpha1::{CoprInstanceSpec, Isolation, PodSettings},
};
use copr_operator_kernel::{resources, scheduling};
use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::api::resource::Quantity};

use super::{Error, images};

/// A component as it is to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workload {
    /// The image of its containers; of the backend that of the dispatchers.
    pub image: String,
    /// What the spec says of requests and limits. The rest is each container's own default.
    pub resources: ResourceRequirements,
    /// How large its volume is.
    pub size: Quantity,
    /// The StorageClass of its volume; nothing for the cluster's default.
    pub class_name: Option<String>,
    /// Where its pod runs.
    pub pod: PodSettings,
}

/// All components. Those that are somebody else's have no image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workloads {
    /// PostgreSQL.
    pub database: Workload,
    /// Redis.
    pub redis: Workload,
    /// Keygen.
    pub keygen: Workload,
    /// Frontend.
    pub frontend: Workload,
    /// Dist-git.
    pub dist_git: Workload,
    /// Resalloc.
    pub resalloc: Workload,
    /// Backend.
    pub backend: Workload,
    /// The image of the results web server, in the backend's pod.
    pub httpd_image: String,
}

impl Workloads {
    /// That of a component.
    pub const fn of(&self, component: Component) -> &Workload {
        match component {
            Component::Database => &self.database,
            Component::Redis => &self.redis,
            Component::Frontend => &self.frontend,
            Component::Backend => &self.backend,
            Component::Keygen => &self.keygen,
            Component::DistGit => &self.dist_git,
            Component::Resalloc => &self.resalloc,
        }
    }

    /// An image of them.
    pub fn image(&self, component: Component, image: Image) -> &str {
        if image == Image::BackendHttpd { &self.httpd_image } else { &self.of(component).image }
    }
}

/// Builders as they are to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Builders {
    /// Their image.
    pub image: String,
    /// How many there may be of each pool.
    pub max: i32,
    /// How many are ready before a build needs one.
    pub warm: i32,
    /// How they get the rights that Mock needs.
    pub isolation: Isolation,
    /// What the spec says of requests and limits.
    pub resources: ResourceRequirements,
    /// Where they run.
    pub pod: PodSettings,
}

/// The components of a spec, with the images that are known by their keys.
pub(super) fn workloads(
    spec: &CoprInstanceSpec,
    known: &BTreeMap<String, String>,
) -> Result<Workloads, Error> {
    let of = |component: Component, image: Image| -> Result<Workload, Error> {
        let (block, defaults) = (spec.block(component), &spec.defaults);
        let default_size = || Quantity(component.row().volume.into());
        Ok(Workload {
            image: if runs(spec, image) { images::known(known, image)? } else { String::new() },
            resources: resources::merge(
                defaults.resources.clone().unwrap_or_default(),
                block.resources.as_ref(),
            ),
            size: block.storage.size.clone().unwrap_or_else(default_size),
            class_name: block.storage.class_name.clone().or_else(|| defaults.storage.class_name.clone()),
            pod: scheduling::resolved(&defaults.pod, &block.pod),
        })
    };
    Ok(Workloads {
        database: of(Component::Database, Image::Database)?,
        redis: of(Component::Redis, Image::Redis)?,
        keygen: of(Component::Keygen, Image::Keygen)?,
        frontend: of(Component::Frontend, Image::Frontend)?,
        dist_git: of(Component::DistGit, Image::DistGit)?,
        resalloc: of(Component::Resalloc, Image::Resalloc)?,
        backend: of(Component::Backend, Image::Backend)?,
        httpd_image: images::known(known, Image::BackendHttpd)?,
    })
}

/// The builders of a spec.
pub(super) fn builders(spec: &CoprInstanceSpec, known: &BTreeMap<String, String>) -> Result<Builders, Error> {
    let (block, defaults) = (&spec.builders, &spec.defaults);
    Ok(Builders {
        image: images::known(known, Image::Builder)?,
        max: block.max,
        warm: block.warm,
        isolation: block.isolation,
        resources: resources::merge(defaults.resources.clone().unwrap_or_default(), block.resources.as_ref()),
        pod: scheduling::resolved(&defaults.pod, &block.pod),
    })
}

/// What no rule of the API server can say of the blocks: each is refused here with its field, and not with each of its pods.
pub(super) fn check(spec: &CoprInstanceSpec) -> Result<(), Error> {
    let build = spec.packages.as_ref().map(|packages| &packages.build);
    let (builders, tests, defaults) = (&spec.builders, &spec.tests, &spec.defaults);
    let others: [(_, _, &PodSettings); 3] = [
        ("builders", builders.resources.as_ref(), &builders.pod),
        ("tests", tests.resources.as_ref(), &tests.pod),
        ("defaults", defaults.resources.as_ref(), &defaults.pod),
    ];
    let build = build.map(|build| ("packages.build", build.resources.as_ref(), build.pod.as_ref()));
    let components = Component::ALL.map(|component| {
        let block = spec.block(component);
        (component.row().field, block.resources.as_ref(), block.pod.as_ref())
    });
    for (field, requirements, pod) in components.into_iter().chain(others).chain(build) {
        let wrong = |part: &str, problem| Error::Field { field: format!("{field}.{part}"), problem };
        resources::check(requirements).map_err(|problem| wrong("resources", problem))?;
        scheduling::check(pod).map_err(|problem| wrong("pod", problem))?;
    }
    Ok(())
}
