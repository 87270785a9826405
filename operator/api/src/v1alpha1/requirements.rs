//! The schema of container resources: Kubernetes' own, with bounds, and with a pattern for what would be refused only when a pod is
//! made. Not with a CEL rule: the API server takes each quantity for as long as a request may be, which no budget has room for.

use schemars::{Schema, SchemaGenerator, json_schema};

/// A quantity that isn't negative: a number, with a suffix or an exponent.
const QUANTITY: &str = "^[+]?([0-9]+([.][0-9]*)?|[.][0-9]+)(([KMGTPE]i)|[numkMGTPE]|[eE][-+]?[0-9]+)?$";

/// Of a container.
pub fn requirements(_: &mut SchemaGenerator) -> Schema {
    schema()
}

/// Of a container of each component.
pub fn requirements_by_component(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "maxProperties": 7, "additionalProperties": schema()})
}

fn schema() -> Schema {
    let quantities = json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": {"x-kubernetes-int-or-string": true, "pattern": QUANTITY},
    });
    json_schema!({
        "type": "object",
        "description": "Requests and limits of a container, as in a pod: cpu in cores (500m is half a one), memory in bytes (2Gi). A request can't be above its limit.",
        "properties": {
            "requests": quantities,
            "limits": quantities,
            "claims": {
                "type": "array",
                "maxItems": 8,
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}, "request": {"type": "string"}},
                },
            },
        },
    })
}
