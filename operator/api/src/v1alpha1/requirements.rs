//! The schema of container resources: Kubernetes' own, with bounds, and with a pattern for what would be refused only when a pod is
//! made. Not with a CEL rule: the API server takes each quantity for as long as a request may be, which no budget has room for.

use schemars::{Schema, SchemaGenerator, json_schema};

/// A quantity that isn't negative: a number, with a suffix or an exponent.
const QUANTITY: &str = "^[+]?([0-9]+([.][0-9]*)?|[.][0-9]+)(([KMGTPE]i)|[numkMGTPE]|[eE][-+]?[0-9]+)?$";

/// Of a container.
pub fn requirements(_: &mut SchemaGenerator) -> Schema {
    schema()
}

/// A quantity of at least something.
const POSITIVE: &str = "^[+]?([0-9]*[1-9][0-9]*([.][0-9]*)?|[0-9]*[.][0-9]*[1-9][0-9]*)(([KMGTPE]i)|[numkMGTPE]|[eE][-+]?[0-9]+)?$";

/// Of a volume's size: a quantity, never null: an absent one has its default.
pub fn size(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "x-kubernetes-int-or-string": true, "nullable": false, "minimum": 1, "pattern": POSITIVE,
    })
}

fn schema() -> Schema {
    let quantities = json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": {"x-kubernetes-int-or-string": true, "pattern": QUANTITY},
    });
    json_schema!({
        "type": "object",
        "description": "Requests and limits of a container, as in a pod: cpu in cores (500m is half a one), memory in bytes (2Gi). A request can't be above its limit. Each is taken for itself: what isn't given has its default, which gives way where it would contradict.",
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
