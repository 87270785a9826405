//! The OLM bundle: a ClusterServiceVersion, and beside it the objects that OLM takes as they are.

use anyhow::bail;
use serde_json::{Value, json};

use crate::{
    Files, csv,
    object::{self, yaml},
    source::{NAME, Source},
};

const HEADER: &str = "# Generated from manifests/ by release/generate. Do not edit.\n";
/// Versions aren't stable yet: what is installed follows each release.
const CHANNEL: &str = "candidate";
/// userNamespaceLevel of security context constraints came with it.
const OPENSHIFT: &str = "v4.20";

/// The files of the bundle.
pub fn files(source: &Source, version: &str, architecture: &str) -> anyhow::Result<Files> {
    let csv = csv::csv(source, version, architecture)?;
    let mut files = Files::from([
        ("bundle.Dockerfile".into(), dockerfile()),
        (
            "metadata/annotations.yaml".into(),
            HEADER.to_owned() + &yaml(&json!({"annotations": annotations()}))?,
        ),
        (format!("manifests/{NAME}.clusterserviceversion.yaml"), HEADER.to_owned() + &yaml(&csv)?),
    ]);
    let bound = csv::bound(source)?;
    for object in source.default.iter().chain(&source.openshift) {
        let id = object::id(object)?;
        match id.kind.as_str() {
            "CustomResourceDefinition" => {}
            "ClusterRole" if !bound.contains(&id.name) => {}
            // In the ClusterServiceVersion: Deployment, service account, and what it may do. The Namespace is there as a
            // suggestion. OLM refuses a bundle with SecurityContextConstraints (operator-registry,
            // pkg/lib/bundle/supported_resources.go): an administrator installs openshift-scc.yaml of the release before.
            "Deployment"
            | "ServiceAccount"
            | "Namespace"
            | "Role"
            | "RoleBinding"
            | "ClusterRole"
            | "ClusterRoleBinding"
            | "SecurityContextConstraints" => continue,
            _ => bail!("the bundle has no place for {id}: say in manifestgen's bundle.rs where it belongs"),
        }
        let file = format!("manifests/{}.{}.yaml", id.name, id.kind.to_lowercase());
        files.insert(file, HEADER.to_owned() + &yaml(object)?);
    }
    Ok(files)
}

fn annotations() -> Value {
    json!({
        "com.redhat.openshift.versions": OPENSHIFT,
        "operators.operatorframework.io.bundle.channel.default.v1": CHANNEL,
        "operators.operatorframework.io.bundle.channels.v1": CHANNEL,
        "operators.operatorframework.io.bundle.manifests.v1": "manifests/",
        "operators.operatorframework.io.bundle.mediatype.v1": "registry+v1",
        "operators.operatorframework.io.bundle.metadata.v1": "metadata/",
        "operators.operatorframework.io.bundle.package.v1": NAME,
    })
}

/// The image of nothing but the bundle. Its labels say what its annotations say.
fn dockerfile() -> String {
    let labels: String = annotations()
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("LABEL {name}={value}\n"))
        .collect();
    format!("{HEADER}FROM scratch\n{labels}COPY manifests /manifests/\nCOPY metadata /metadata/\n")
}
