//! From packages to images: what `spec.packages` becomes, once per distinct input for the whole cluster.
//!
//! ```text
//! resolve ──▶ look ──▶ decide ──▶ start
//!  base image,  registry,  pure     Jobs
//!  repositories   Jobs
//! ```
//!
//! Four rooms, each of which uses those before it only: `registry` speaks to registries, knows whether an image is there, and
//! reads the Secrets to log in with. `resolve` reads what the spec refers to (repositories, tags), and makes of it the hash of an
//! image's inputs. `build` decides which Jobs there are to be, makes them, and says how they are. [`sweep`] deletes from registries
//! what nobody uses, and builds nothing. `provide` goes through the first three for an instance.

mod arch;
mod build;
mod context;
mod names;
mod provide;
mod registry;
mod resolve;
pub mod sweep;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use copr_operator_api::v1alpha1::CoprInstanceSpec;
use copr_operator_kernel::{dependency, http};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Client;

pub use build::{condition, events, identity::Objects as BuildIdentity, job::PREFIX as JOB_PREFIX};
pub use provide::{Provider, Provision};
pub use registry::{
    Access, Blob, Deleted, Error as RegistryError, Keyring, Login, Name, PullError, Registries, Registry,
    Upload,
    access::{Error as AccessError, Target, target},
};

/// An instance as its images need it.
struct Wanted<'a> {
    client: &'a Client,
    name: String,
    namespace: String,
    owner: OwnerReference,
    generation: Option<i64>,
    spec: &'a CoprInstanceSpec,
}
