//! From packages to images: what `spec.packages` becomes, once per distinct input for the whole cluster.
//!
//! ```text
//! resolve ──▶ look ──▶ decide ──▶ start
//!  base image,  registry,  pure     Jobs
//!  repositories   Jobs
//! ```
//!
//! [`context`], [`resolve`], [`inputs`], [`spec_hash`], [`require`], [`decide`], [`job`] and [`pin`] are pure. [`repository`],
//! [`registry`] and [`http`] speak to the world, [`access`] reads Secrets, [`provide`] puts it all together.
//! [`heal`] finds out what has left the registry, and [`sweep`] deletes from it what nobody uses.

pub mod access;
mod builds;
pub mod context;
pub mod decide;
pub mod events;
pub mod expected;
pub mod failure;
mod files;
pub mod heal;
pub mod http;
pub mod identity;
pub mod inputs;
pub mod job;
mod look;
pub mod pin;
mod prebuilt;
pub mod provide;
pub mod registry;
pub mod repository;
pub mod require;
pub mod resolve;
mod spec_hash;
pub mod start;
pub mod sweep;
#[cfg(test)]
mod tests;
pub mod verdict;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Client;

use crate::api::v1alpha1::CoprInstanceSpec;

pub use crate::api::images::Image;
pub use provide::{Provider, Provision};

/// An instance as its images need it.
struct Wanted<'a> {
    client: &'a Client,
    name: String,
    namespace: String,
    owner: OwnerReference,
    generation: Option<i64>,
    spec: &'a CoprInstanceSpec,
}
