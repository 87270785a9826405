//! What Helm renders against what kustomize makes, object by object.

use std::{collections::BTreeMap, path::Path};

use anyhow::bail;
use serde_json::{Value, json};

use crate::{
    object::{self, Id},
    source::Source,
};

/// Fails if they differ, with every difference.
pub fn run(source: &Source, openshift: bool, rendered: &Path) -> anyhow::Result<()> {
    let expected = by_id(expected(if openshift { source.on_openshift() } else { source.default.clone() }))?;
    let rendered = by_id(object::read(rendered)?)?;
    let differences = differences(&expected, &rendered);
    if !differences.is_empty() {
        bail!("Helm and kustomize differ:\n{}", differences.join("\n"));
    }
    println!("{} objects are the same", rendered.len());
    Ok(())
}

/// Two differences are meant: Helm makes the namespace by itself, and is told to keep the CRDs.
fn expected(objects: Vec<Value>) -> Vec<Value> {
    objects
        .into_iter()
        .filter(|object| !object::is(object, "Namespace"))
        .map(|mut object| {
            if object::is(&object, "CustomResourceDefinition") {
                object["metadata"]["annotations"] = json!({"helm.sh/resource-policy": "keep"});
            }
            object
        })
        .collect()
}

fn by_id(objects: Vec<Value>) -> anyhow::Result<BTreeMap<Id, Value>> {
    let mut all = BTreeMap::new();
    for object in objects {
        let id = object::id(&object)?;
        if all.insert(id.clone(), object).is_some() {
            bail!("{id} is there twice");
        }
    }
    Ok(all)
}

fn differences(kustomize: &BTreeMap<Id, Value>, helm: &BTreeMap<Id, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for (id, object) in kustomize {
        match helm.get(id) {
            None => found.push(format!("{id}: only kustomize has it")),
            Some(other) => within(&id.to_string(), object, other, &mut found),
        }
    }
    found.extend(
        helm.keys().filter(|id| !kustomize.contains_key(id)).map(|id| format!("{id}: only Helm has it")),
    );
    found
}

fn within(path: &str, kustomize: &Value, helm: &Value, found: &mut Vec<String>) {
    match (kustomize, helm) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let side = |map: &serde_json::Map<_, _>| map.get(key).cloned().unwrap_or(Value::Null);
                within(&format!("{path}.{key}"), &side(left), &side(right), found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                within(&format!("{path}[{index}]"), left, right, found);
            }
        }
        _ if kustomize == helm => {}
        _ => found.push(format!("{path}: kustomize has {kustomize}, Helm has {helm}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str, verbs: &[&str]) -> Value {
        json!({"apiVersion": "v1", "kind": "Role", "metadata": {"name": name}, "rules": [{"verbs": verbs}]})
    }

    fn told(kustomize: Vec<Value>, helm: Vec<Value>) -> Vec<String> {
        differences(&by_id(expected(kustomize)).unwrap(), &by_id(helm).unwrap())
    }

    #[test]
    fn every_difference_is_told_with_its_path() {
        assert!(told(vec![role("a", &["get"])], vec![role("a", &["get"])]).is_empty());
        assert_eq!(
            told(vec![role("a", &["get"]), role("b", &[])], vec![role("a", &["list"]), role("c", &[])]),
            [
                "Role a.rules[0].verbs[0]: kustomize has \"get\", Helm has \"list\"",
                "Role b: only kustomize has it",
                "Role c: only Helm has it",
            ]
        );
    }

    #[test]
    fn the_namespace_is_helms_and_crds_are_kept() {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}});
        let crd = |annotations| json!({"apiVersion": "v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a", "annotations": annotations}});
        let kept = crd(json!({"helm.sh/resource-policy": "keep"}));
        assert!(told(vec![namespace, crd(Value::Null)], vec![kept]).is_empty());
        assert_eq!(
            told(vec![crd(Value::Null)], vec![crd(Value::Null)]).len(),
            1,
            "a chart that doesn't keep CRDs differs"
        );
    }
}
