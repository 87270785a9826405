//! What a client of the instance needs, and the Secret that everything else is rendered from.

use super::{
    Objects, config,
    workload::{files, secret},
};
use crate::instance::validate::Instance;

pub(super) fn build(instance: &Instance) -> Objects {
    let client = files([
        ("copr", config::copr_cli::render(instance)),
        ("copr_url", instance.endpoints().frontend),
        ("username", instance.admin.name.clone()),
        ("login", instance.credentials.api_login.clone()),
        ("token", instance.credentials.api_token.clone()),
    ]);
    Objects {
        secrets: vec![
            secret(instance, "client", "client", &client),
            secret(instance, "credentials", "credentials", &instance.credentials.to_data()),
        ],
        ..Objects::default()
    }
}
