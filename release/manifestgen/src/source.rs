//! manifests/, as kustomize makes it: the one source of everything here.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::object::{self, Id};

/// The operator's namespace, and the name of nearly everything in it.
pub const NAME: &str = "copr-operator";

const CONTAINERS: &str = "/spec/template/spec/containers";
const IMAGE_BUILDER: &str = "COPR_OPERATOR_IMAGE_BUILDER";

/// What is installed.
pub struct Source {
    /// On every Kubernetes.
    pub default: Vec<Value>,
    /// What OpenShift needs besides.
    pub openshift: Vec<Value>,
    /// Examples of the operator's own kinds.
    pub samples: Vec<Value>,
}

impl Source {
    /// From a folder of kustomize's results.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let default = object::read(&folder.join("default.yaml"))?;
        let openshift = object::read(&folder.join("openshift.yaml"))?;
        let samples = object::read(&folder.join("samples.yaml"))?;
        Ok(Self { openshift: more(&default, openshift)?, default, samples })
    }

    /// All of it.
    pub fn on_openshift(&self) -> Vec<Value> {
        self.default.iter().chain(&self.openshift).cloned().collect()
    }

    /// Other images than those that manifests/ names.
    pub fn pin(&mut self, operator: Option<&str>, image_builder: Option<&str>) -> anyhow::Result<()> {
        let deployment = self
            .default
            .iter_mut()
            .find(|object| object::is(object, "Deployment"))
            .context("there is no Deployment")?;
        for (pointer, reference) in
            [(image_pointer(), operator), (image_builder_pointer(deployment)?, image_builder)]
        {
            if let Some(reference) = reference {
                object::replace(deployment, &pointer, reference.into())?;
            }
        }
        Ok(())
    }

    /// The one Deployment.
    pub fn deployment(&self) -> anyhow::Result<&Value> {
        self.default.iter().find(|object| object::is(object, "Deployment")).context("there is no Deployment")
    }
}

/// Where a Deployment names the operator's image.
pub fn image_pointer() -> String {
    format!("{CONTAINERS}/0/image")
}

/// Where it names the one whose pods build images.
pub fn image_builder_pointer(deployment: &Value) -> anyhow::Result<String> {
    environment_pointer(deployment, IMAGE_BUILDER)
}

/// Where it has the value of a variable of the operator's environment.
pub fn environment_pointer(deployment: &Value, variable: &str) -> anyhow::Result<String> {
    let pointer = format!("{CONTAINERS}/0/env");
    let variables = object::get(deployment, &pointer)?.as_array().context("env is no list")?;
    let index = variables
        .iter()
        .position(|entry| entry["name"] == variable)
        .with_context(|| format!("the Deployment sets no {variable}"))?;
    Ok(format!("{pointer}/{index}/value"))
}

/// What the second has besides the first, all of which it must have unchanged: so the chart can add it by a value.
fn more(default: &[Value], openshift: Vec<Value>) -> anyhow::Result<Vec<Value>> {
    let mut known: BTreeMap<Id, &Value> = BTreeMap::new();
    for object in default {
        known.insert(object::id(object)?, object);
    }
    let mut rest = Vec::new();
    for object in openshift {
        let id = object::id(&object)?;
        match known.remove(&id) {
            None => rest.push(object),
            Some(same) if *same == object => {}
            Some(_) => {
                bail!("manifests/openshift changes {id}, which the chart can't: it can only add objects")
            }
        }
    }
    match known.into_keys().next() {
        Some(id) => bail!("manifests/openshift lacks {id} of manifests/default"),
        None => Ok(rest),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(name: &str, data: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": data}})
    }

    #[test]
    fn openshift_may_add_and_nothing_else() {
        let default = [named("a", "1")];
        assert_eq!(more(&default, vec![named("a", "1"), named("b", "2")]).unwrap(), [named("b", "2")]);
        let changed = more(&default, vec![named("a", "2")]).unwrap_err().to_string();
        assert!(changed.starts_with("manifests/openshift changes ConfigMap a,"), "{changed}");
        let lacking = more(&default, vec![named("b", "2")]).unwrap_err().to_string();
        assert_eq!(lacking, "manifests/openshift lacks ConfigMap a of manifests/default");
    }
}
