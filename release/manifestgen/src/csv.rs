//! The ClusterServiceVersion: what OLM shows of a version, and how it installs it.

use std::collections::BTreeSet;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    object,
    source::{self, NAME, Source},
};

const KUBERNETES: &str = "1.33.0";
const SUMMARY: &str = "Runs complete Copr build systems, and the sanity suite that tests them";

/// The object.
pub fn csv(source: &Source, version: &str, architecture: &str) -> anyhow::Result<Value> {
    let deployment = source.deployment()?;
    let operator = object::text(deployment, &source::image_pointer())?;
    let image_builder = object::text(deployment, &source::image_builder_pointer(deployment)?)?;
    Ok(json!({
        "apiVersion": "operators.coreos.com/v1alpha1",
        "kind": "ClusterServiceVersion",
        "metadata": {
            "name": format!("{NAME}.v{version}"),
            "annotations": annotations(source, version, operator)?,
            "labels": {
                format!("operatorframework.io/arch.{architecture}"): "supported",
                "operatorframework.io/os.linux": "supported",
            },
        },
        "spec": {
            "customresourcedefinitions": {"owned": owned(source)?},
            "description": include_str!("../assets/bundle/description.md").trim_end(),
            "displayName": "Copr",
            "icon": [{
                "base64data": STANDARD.encode(include_str!("../assets/bundle/icon.svg")),
                "mediatype": "image/svg+xml",
            }],
            "install": {
                "strategy": "deployment",
                "spec": {
                    "clusterPermissions": permissions(source, "Cluster")?,
                    "permissions": permissions(source, "")?,
                    "deployments": [{
                        "name": object::text(deployment, "/metadata/name")?,
                        "label": object::get(deployment, "/metadata/labels")?,
                        "spec": object::get(deployment, "/spec")?,
                    }],
                },
            },
            // It serves all namespaces: instances and runs may be in any.
            "installModes": [
                {"type": "OwnNamespace", "supported": false},
                {"type": "SingleNamespace", "supported": false},
                {"type": "MultiNamespace", "supported": false},
                {"type": "AllNamespaces", "supported": true},
            ],
            "keywords": ["copr", "rpm", "build system", "fedora"],
            "links": [
                {"name": "Copr operator", "url": env!("CARGO_PKG_REPOSITORY")},
                {"name": "Copr", "url": "https://github.com/fedora-copr/copr"},
            ],
            "maintainers": [{"name": "Copr team", "email": "copr-devel@lists.fedorahosted.org"}],
            "maturity": "alpha",
            "minKubeVersion": KUBERNETES,
            "provider": {"name": "Copr", "url": "https://github.com/fedora-copr"},
            "relatedImages": [
                {"name": "operator", "image": operator},
                {"name": "image-builder", "image": image_builder},
            ],
            "version": version,
        },
    }))
}

/// ClusterRoles and Roles that a binding gives to the operator. Their rules are the ClusterServiceVersion's.
pub fn bound(source: &Source) -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for prefix in ["Cluster", ""] {
        for binding in bindings(source, prefix) {
            names.insert(object::text(binding, "/roleRef/name")?.to_owned());
        }
    }
    Ok(names)
}

fn annotations(source: &Source, version: &str, operator: &str) -> anyhow::Result<Value> {
    let namespace = source
        .default
        .iter()
        .find(|object| object::is(object, "Namespace"))
        .context("there is no Namespace")?;
    Ok(json!({
        "alm-examples": serde_json::to_string_pretty(&source.samples)?,
        "capabilities": "Basic Install",
        "categories": "Developer Tools",
        "containerImage": operator,
        "description": SUMMARY,
        // From any earlier version at once.
        "olm.skipRange": format!("<{version}"),
        "operatorframework.io/suggested-namespace-template": serde_json::to_string(namespace)?,
        "repository": env!("CARGO_PKG_REPOSITORY"),
    }))
}

fn owned(source: &Source) -> anyhow::Result<Vec<Value>> {
    let mut owned = Vec::new();
    for crd in source.default.iter().filter(|object| object::is(object, "CustomResourceDefinition")) {
        let kind = object::text(crd, "/spec/names/kind")?;
        let versions = object::get(crd, "/spec/versions")?.as_array().context("versions is no list")?;
        for version in versions {
            owned.push(json!({
                "name": object::text(crd, "/metadata/name")?,
                "version": object::text(version, "/name")?,
                "kind": kind,
                "displayName": words(kind),
                "description": object::text(version, "/schema/openAPIV3Schema/description")?,
            }));
        }
    }
    Ok(owned)
}

/// `CoprTestRun` as people write it.
fn words(kind: &str) -> String {
    let mut words = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter);
    }
    words
}

fn bindings<'a>(source: &'a Source, prefix: &str) -> impl Iterator<Item = &'a Value> {
    let kind = format!("{prefix}RoleBinding");
    source.default.iter().chain(&source.openshift).filter(move |object| object::is(object, &kind))
}

/// What each bound role allows, by the service account that it is bound to.
fn permissions(source: &Source, prefix: &str) -> anyhow::Result<Vec<Value>> {
    let kind = format!("{prefix}Role");
    let mut permissions: Vec<(String, Vec<Value>)> = Vec::new();
    for binding in bindings(source, prefix) {
        let name = object::text(binding, "/roleRef/name")?;
        let role = source
            .default
            .iter()
            .chain(&source.openshift)
            .find(|object| object::is(object, &kind) && object["metadata"]["name"] == name)
            .with_context(|| format!("there is no {kind} {name}, which is bound"))?;
        let rules = object::get(role, "/rules")?.as_array().context("rules is no list")?;
        let account = object::text(binding, "/subjects/0/name")?;
        match permissions.iter_mut().find(|(other, _)| other == account) {
            Some((_, all)) => all.extend_from_slice(rules),
            None => permissions.push((account.to_owned(), rules.clone())),
        }
    }
    Ok(permissions
        .into_iter()
        .map(|(account, rules)| json!({"serviceAccountName": account, "rules": rules}))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_told_in_words() {
        assert_eq!(words("CoprTestRun"), "Copr Test Run");
    }

    #[test]
    fn rules_of_all_bound_roles_are_one_accounts() {
        let role = |name: &str, verb: &str| json!({"kind": "ClusterRole", "metadata": {"name": name}, "rules": [{"verbs": [verb]}]});
        let binding = |name: &str| {
            json!({
                "kind": "ClusterRoleBinding", "metadata": {"name": name}, "roleRef": {"name": name},
                "subjects": [{"name": "operator"}],
            })
        };
        let mut source = Source {
            default: vec![role("a", "get"), binding("a"), role("free", "use")],
            openshift: vec![role("b", "bind"), binding("b")],
            samples: Vec::new(),
        };
        assert_eq!(
            permissions(&source, "Cluster").unwrap(),
            [json!({"serviceAccountName": "operator", "rules": [{"verbs": ["get"]}, {"verbs": ["bind"]}]})]
        );
        assert_eq!(bound(&source).unwrap().into_iter().collect::<Vec<_>>(), ["a", "b"]);
        source.openshift.remove(0);
        let error = permissions(&source, "Cluster").unwrap_err().to_string();
        assert_eq!(error, "there is no ClusterRole b, which is bound");
    }
}
