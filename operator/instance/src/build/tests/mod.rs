//! What an instance becomes, by subject.

mod builders;
mod plan;
mod pods;
mod restarts;
mod urls;

use std::collections::BTreeMap;

use copr_operator_api::v1alpha1::{DeletionPolicy, Isolation, PodSettings};
use copr_operator_kernel::{
    apply::{Lifetime, Planned},
    platform::Platform,
    testing::assert_fits,
};
use kube::ResourceExt as _;

use super::{TEMPLATE_HASH, build, builder, config};
use crate::{
    fixtures::{
        AUTHORITY, EXTERNAL, MINIMAL, minimal, observed, private_provider, public, valid, with_authority,
        with_secrets,
    },
    validate::{Account, DistGit, Instance, Team, Workload},
};

fn plan(instance: &Instance) -> Vec<Planned> {
    build(instance).plan().unwrap()
}

/// An object as YAML, with a Secret's values as text.
fn document(planned: &Planned) -> String {
    let mut value = serde_json::to_value(&planned.object).unwrap();
    if let Some(data) = value.get_mut("data").filter(|_| planned.resource.kind == "Secret") {
        let decoded: BTreeMap<String, k8s_openapi::ByteString> =
            serde_json::from_value(data.clone()).unwrap();
        let text = decoded.into_iter().map(|(key, bytes)| (key, String::from_utf8(bytes.0).unwrap()));
        *data = serde_json::to_value(text.collect::<BTreeMap<_, _>>()).unwrap();
    }
    serde_saphyr::to_string(&value).unwrap()
}

/// All of them.
fn render(instance: &Instance) -> String {
    plan(instance).iter().map(document).collect::<Vec<_>>().join("---\n")
}

fn names(instance: &Instance) -> Vec<String> {
    plan(instance).iter().map(|p| format!("{} {}", p.resource.kind, p.object.name_any())).collect()
}
