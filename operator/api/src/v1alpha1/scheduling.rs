//! The schemas of what Kubernetes itself reads: its own, with bounds, and without the page of text that each nested field has there.
//! A CoprTestRun has every block twice as deep, and a client-side apply keeps all of it in an annotation.

use k8s_openapi::api::core::v1::{Affinity, Toleration, TopologySpreadConstraint};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

/// The longest list within a list.
const MOST_NESTED: i64 = 16;

/// Of `affinity`.
pub fn affinity(generator: &mut SchemaGenerator) -> Schema {
    described(
        lean::<Affinity>(generator),
        "nodeAffinity, podAffinity and podAntiAffinity, as in a pod's spec.affinity (kubectl explain pod.spec.affinity).",
    )
}

/// Of `tolerations`.
pub fn tolerations(generator: &mut SchemaGenerator) -> Schema {
    let items = lean::<Toleration>(generator);
    described(
        json_schema!({"type": "array", "maxItems": 16, "items": items}),
        "Taints of nodes that the pods put up with, as in a pod's spec.tolerations. An empty list is none, whatever the defaults say.",
    )
}

/// Of `topologySpreadConstraints`.
pub fn topology_spread_constraints(generator: &mut SchemaGenerator) -> Schema {
    let items = lean::<TopologySpreadConstraint>(generator);
    described(
        json_schema!({"type": "array", "maxItems": 8, "items": items}),
        "How the pods are spread, as in a pod's spec.topologySpreadConstraints. Without a labelSelector the pods of the same component (or builders, or tests, or builds) of the instance are counted.",
    )
}

fn described(mut schema: Schema, text: &str) -> Schema {
    schema.insert("description".into(), text.into());
    schema
}

/// The schema of a type without references and descriptions, and with every list and map bounded.
fn lean<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = T::json_schema(generator).to_value();
    trim(&mut schema);
    Schema::try_from(schema).unwrap_or_default()
}

fn trim(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("description");
    match object.get("type").and_then(Value::as_str) {
        Some("array") => _ = object.insert("maxItems".into(), MOST_NESTED.into()),
        Some("object") if object.contains_key("additionalProperties") => {
            object.insert("maxProperties".into(), MOST_NESTED.into());
        }
        _ => {}
    }
    for key in ["items", "additionalProperties"] {
        if let Some(nested) = object.get_mut(key) {
            trim(nested);
        }
    }
    for nested in object.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        trim(nested.1);
    }
}

#[cfg(test)]
mod tests {
    use kube::CustomResourceExt as _;

    use super::*;
    use crate::v1alpha1::{CoprInstance, CoprTestRun};

    /// A client-side apply writes the whole object into an annotation, and an object's annotations may have 262,144 bytes.
    #[test]
    fn the_crds_leave_room_for_what_kubectl_apply_writes_beside_them() {
        for crd in [CoprInstance::crd(), CoprTestRun::crd()] {
            let length = serde_json::to_string(&crd).unwrap().len();
            assert!(length < 200_000, "{} has {length} bytes", crd.spec.names.kind);
        }
    }

    #[test]
    fn everything_nested_is_bounded_and_without_a_page_of_text() {
        fn look(schema: &Value, depth: usize) {
            let Some(object) = schema.as_object() else { return };
            assert!(depth == 0 || !object.contains_key("description"), "{schema}");
            assert!(
                object.get("type") != Some(&"array".into()) || object.contains_key("maxItems"),
                "{schema}"
            );
            assert!(!object.contains_key("$ref"), "{schema}");
            let properties = object.get("properties").and_then(Value::as_object).into_iter().flatten();
            for nested in properties.map(|(_, nested)| nested).chain(object.get("items")) {
                look(nested, depth + 1);
            }
        }
        // As kube makes CRDs: everything where it is used.
        let settings =
            schemars::generate::SchemaSettings::openapi3().with(|settings| settings.inline_subschemas = true);
        let mut generator = settings.into_generator();
        for of in [affinity, tolerations, topology_spread_constraints] {
            look(&of(&mut generator).to_value(), 0);
        }
    }
}
