//! What a client of the instance needs, and the Secret that everything else is rendered from.

use std::collections::BTreeMap;

use copr_operator_api::annotations::ROTATION;

use super::{
    Objects, config,
    workload::{files, secret},
};
use crate::validate::Instance;

pub(super) fn build(instance: &Instance) -> Objects {
    let urls = instance.endpoints();
    let mut client = files([
        ("copr", config::copr_cli::render(instance, &urls.frontend)),
        ("copr_url", urls.frontend),
        ("username", instance.admin.name.clone()),
        ("login", instance.credentials.api_login.clone()),
        ("token", instance.credentials.api_token.clone()),
    ]);
    if let Some(public) = urls.public {
        client.insert("copr.public".into(), config::copr_cli::render(instance, &public.frontend));
    }
    let mut client = secret(instance, "client", "client", &client);
    client.metadata.annotations = rotation(instance);
    let mut credentials = secret(instance, "credentials", "credentials", &instance.credentials.to_data());
    credentials.metadata.owner_references = instance.owner_of_data();
    credentials.metadata.resource_version.clone_from(&instance.credentials_version);
    credentials.metadata.annotations = rotation(instance);
    Objects { credentials: vec![credentials], secrets: vec![client], ..Objects::default() }
}

/// Which rotation the credentials belong to. It is written on the client's Secret, too, so that it is still known if the Secret
/// with the credentials is lost.
fn rotation(instance: &Instance) -> Option<BTreeMap<String, String>> {
    instance.rotation.as_ref().map(|rotation| [(ROTATION.to_owned(), rotation.clone())].into())
}
