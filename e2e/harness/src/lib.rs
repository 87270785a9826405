//! What the tests against a cluster share. They need a kubeconfig of a cluster administrator; the
//! operator's tests also need the operator and the images, so run them by `./check api` and `./check e2e`.
//!
//! ```text
//! with_namespace("name", |ctx| …)     a namespace for one test, deleted after it
//!   ctx.create(&fixtures::run(…))     objects
//!   ctx.until("name", …, |o| …)       waits on a watch, with a deadline
//!   ctx.operator().kill()             disturbances, which the test so declares
//!   Site::new(&ctx)                   dnf repositories and a registry, to build images from and into
//! ```
//!
//! If a test fails, everything in its namespace is written to `target/e2e/NAMESPACE/`. With `COPR_E2E_KEEP` set,
//! the namespace stays, too.

pub mod admission;
pub mod browser;
pub mod cluster;
mod dump;
mod events;
pub mod fixtures;
pub mod git;
mod http;
mod kstatus;
mod kubectl;
mod leftovers;
mod namespace;
mod node;
pub mod oidc;
mod operator;
pub mod packaged;
mod receiver;
mod registry;
mod repositories;
pub mod repository;
pub mod scripts;
pub mod settings;
pub mod site;
pub mod uid;
mod wait;

pub use events::told;
pub use kstatus::kstatus;
pub use kubectl::kubectl;
pub use leftovers::leftovers;
pub use namespace::{Context, Object, with_namespace};
pub use operator::Operator;
pub use receiver::Receiver;
pub use registry::Registry;
pub use repositories::Repositories;
pub use site::Site;
pub use wait::until;
