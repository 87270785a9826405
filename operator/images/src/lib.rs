//! From packages to images: what `spec.packages` becomes, once per distinct input for the whole cluster.
//!
//! ```text
//! resolve ──▶ look ──▶ decide ──▶ start
//!  base image,  registry,  pure     Jobs
//!  repositories   Jobs
//! ```
//!
//! Four rooms: [`resolve`] reads what the spec refers to (repositories, tags), and makes of it the hash of an image's inputs.
//! [`registry`] speaks to registries, knows whether an image is there, and reads the Secrets to log in with. [`build`] decides
//! which Jobs there are to be, makes them, and says how they are. [`sweep`] deletes from registries what nobody uses. [`provide`]
//! goes through the first three for an instance.

mod arch;
pub mod build;
mod context;
pub mod provide;
pub mod registry;
pub mod resolve;
pub mod sweep;

use copr_operator_api::v1alpha1::CoprInstanceSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Client;

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
