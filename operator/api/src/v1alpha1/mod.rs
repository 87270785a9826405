//! Version `v1alpha1` of the group `copr.fedorainfracloud.org`.

mod builders;
mod component;
mod defaults;
mod extra_config;
mod images;
mod instance;
mod instance_status;
mod login;
mod packages;
mod people;
mod pod;
mod proxy;
mod requirements;
mod scheduling;
mod test_run;
mod test_run_status;
mod url;

pub use builders::*;
pub use component::*;
pub use defaults::*;
pub use extra_config::*;
pub use images::*;
pub use instance::*;
pub use instance_status::*;
pub use login::*;
pub use packages::*;
pub use people::*;
pub use pod::*;
pub use proxy::*;
pub use test_run::*;
pub use test_run_status::*;
pub use url::*;

/// The API group of every resource of this operator.
pub const GROUP: &str = "copr.fedorainfracloud.org";
