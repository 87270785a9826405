//! Version `v1alpha1` of the group `copr.fedorainfracloud.org`.

mod instance;
mod instance_status;
mod packages;
mod requirements;
mod storage;
mod test_run;
mod test_run_status;

pub use instance::*;
pub use instance_status::*;
pub use packages::*;
pub use storage::*;
pub use test_run::*;
pub use test_run_status::*;

/// The API group of every resource of this operator.
pub const GROUP: &str = "copr.fedorainfracloud.org";
