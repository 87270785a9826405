//! Version `v1alpha1` of the group `copr.fedorainfracloud.org`.

mod extra_config;
mod instance;
mod instance_status;
mod login;
mod packages;
mod requirements;
mod storage;
mod test_run;
mod test_run_status;
mod url;

pub use extra_config::*;
pub use instance::*;
pub use instance_status::*;
pub use login::*;
pub use packages::*;
pub use storage::*;
pub use test_run::*;
pub use test_run_status::*;
pub use url::*;

/// The API group of every resource of this operator.
pub const GROUP: &str = "copr.fedorainfracloud.org";
