//! What unit tests of more than one crate need.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "it is called by tests only"
)]

mod api_server;
mod http_server;

pub use api_server::{ApiServer, Exchange, Refusal, Request, delete, get, patch, post, put};
pub use http_server::{HttpRequest, HttpResponse, HttpServer, Reply, reply, response};

use std::{collections::BTreeSet, error::Error, fs, path::Path};

use k8s_openapi::api::core::v1::PodSpec;
use kube::CustomResourceExt;
use serde_json::{Value, json};

use crate::report;

/// That an error tells none of these, neither in what people read of it nor in a log.
///
/// # Panics
/// If it does.
pub fn assert_hides(secrets: &[&str], error: &(dyn Error + 'static)) {
    let told = format!("{}\n{error:?}", report::chain(error));
    assert!(secrets.iter().all(|secret| !told.contains(secret)), "{told}");
}

/// That OpenShift admits the pod under this SCC of manifests/openshift, and that the SCC offers no volume or capability
/// that the pod doesn't use.
///
/// # Panics
/// If it isn't so.
pub fn assert_fits(scc: &str, pod: &PodSpec, unused_volumes: &[&str]) {
    let manifest = include_str!("../../../../manifests/openshift/security_context_constraints.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(manifest).unwrap();
    let scc = documents.into_iter().find(|document| document["metadata"]["name"] == scc).unwrap();
    let named = |key: &str| -> BTreeSet<String> {
        scc[key].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let kinds = pod.volumes.iter().flatten().map(|volume| {
        let volume = serde_json::to_value(volume).unwrap();
        volume.as_object().unwrap().keys().find(|key| *key != "name").unwrap().clone()
    });
    let used = kinds.chain(unused_volumes.iter().map(|&kind| kind.to_owned())).collect();
    assert_eq!(named("volumes"), used);
    assert_eq!(pod.host_users, Some(false));
    for container in &pod.containers {
        let rights = container.security_context.as_ref().unwrap();
        let of_pod = pod.security_context.as_ref().and_then(|security| security.run_as_user);
        assert_eq!(scc["runAsUser"]["uid"], rights.run_as_user.or(of_pod).unwrap());
        assert_eq!(scc["allowPrivilegeEscalation"], rights.allow_privilege_escalation.unwrap());
        let capabilities = rights.capabilities.as_ref().unwrap();
        assert_eq!(named("allowedCapabilities"), capabilities.add.iter().flatten().cloned().collect());
        assert_eq!(capabilities.drop.as_deref(), Some(&["ALL".to_owned()][..]));
    }
}

/// The status that the API server gives to a new object of that kind.
pub fn status_of_new<K: CustomResourceExt>() -> Value {
    let crd = serde_json::to_value(K::crd()).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["status"]["default"].clone()
}

/// Records objects for `e2e/kstatus`, whose test asks kstatus' own code about each. Each comes with a name, and with what kstatus is to
/// make of it. `kind` begins the names of their files: those that nobody records any more are found.
pub fn assert_recorded(kind: &str, objects: &[(&str, &str, Value)]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/kstatus/testdata");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, expected, object) in objects {
        let mut object = object.clone();
        // kstatus reads nothing of it.
        object.as_object_mut().unwrap().remove("spec");
        let record = serde_saphyr::to_string(&json!({"expected": expected, "object": object})).unwrap();
        settings.bind(|| insta::assert_snapshot!(format!("{kind}-{name}"), record));
    }
    let wanted: BTreeSet<_> = objects.iter().map(|(name, ..)| format!("{kind}-{name}.snap")).collect();
    let there = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let there = there.filter(|path| path.extension().is_some_and(|extension| extension == "snap"));
    let there = there.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    let there: BTreeSet<_> = there.filter(|name| name.starts_with(kind)).collect();
    assert_eq!(wanted, there);
}
