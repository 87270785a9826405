//! Step 3, pure: a valid instance in, the full set of its objects out.
//!
//! Nothing here has a client, a clock or randomness. One file a component; the files that Copr reads
//! are rendered in [`config`].

pub mod config;

mod backend;
mod builder;
mod client;
mod database;
mod dist_git;
pub mod expose;
mod forget_workers;
mod frontend;
mod keygen;
mod logs;
mod network;
mod objects;
mod redis;
mod renderer;
mod resalloc;
mod resources;
mod volumes;
mod workload;

pub use builder::pod as builder_pod;
pub use frontend::{SCHEMA, SEED};
pub use objects::Objects;
pub use renderer::RENDERER;
pub use workload::{CREDENTIALS_HASH, TEMPLATE_HASH};

use copr_operator_api::component::Component;
use copr_operator_images::BuildIdentity;

use super::validate::Instance;

/// Everything that the instance consists of.
pub fn build(instance: &Instance) -> Objects {
    let mut all = objects_of(instance);
    renderer::mark(&mut all.stateful_sets);
    all
}

fn objects_of(instance: &Instance) -> Objects {
    let mut all = Objects::default();
    for component in instance.components() {
        all.extend(match component {
            Component::Database => database::build(instance),
            Component::Redis => redis::build(instance),
            Component::Frontend => frontend::build(instance),
            Component::Backend => backend::build(instance),
            Component::Keygen => keygen::build(instance),
            Component::DistGit => dist_git::build(instance),
            Component::Resalloc => resalloc::build(instance),
        });
    }
    all.extend(builder::build(instance));
    all.extend(image_builds(instance));
    all.extend(client::build(instance));
    all.extend(network::build(instance));
    all.extend(expose::build(instance));
    all
}

/// What builds of images run as: applied before the first build, and wanted as long as the instance has packages.
fn image_builds(instance: &Instance) -> Objects {
    let BuildIdentity { service_accounts, role_bindings } = instance.image_builds.clone();
    Objects { service_accounts, role_bindings, ..Objects::default() }
}

#[cfg(test)]
mod tests;
