//! The files for `kubectl apply`.

use serde_json::Value;

use crate::{
    Files, object,
    source::{NAME, Source},
};

/// What a cluster needs, what OpenShift needs, and what OpenShift needs besides an OLM bundle.
pub fn files(source: &Source, version: &str) -> anyhow::Result<Files> {
    let constraints: Vec<Value> = source
        .openshift
        .iter()
        .filter(|object| object::is(object, "SecurityContextConstraints"))
        .cloned()
        .collect();
    [
        ("install.yaml", source.default.clone(), "Kubernetes"),
        ("install-openshift.yaml", source.on_openshift(), "OpenShift"),
        ("openshift-scc.yaml", constraints, "OpenShift, before the OLM bundle"),
    ]
    .into_iter()
    .map(|(file, objects, target)| {
        let header = format!("# {NAME} {version} on {target}: kubectl apply --server-side -f {file}\n");
        Ok((file.to_owned(), header + &object::documents(&objects)?))
    })
    .collect()
}
