//! The files that Copr's components read, one function and one file each.

pub mod copr_be_conf;
pub mod copr_cli;
pub mod copr_conf;
pub mod copr_dist_git_conf;
pub mod copr_operator_conf;
pub mod dist_git_client_ini;
pub mod gitconfig;
mod ini;
pub mod macro_overrides;
pub mod main_ini;
pub mod pools_yaml;
mod python;
pub mod server_yaml;
pub mod sign_conf;
pub mod ssh_config;
