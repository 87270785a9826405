//! Where pods run, and what is written on them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, Toleration, TopologySpreadConstraint};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Where pods run, and what is written on them. A field that isn't given is as in `defaults.pod`; of maps, each key.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PodSettings {
    /// Labels that a node must have, such as `kubernetes.io/arch: amd64`. That of the architecture is the operator's own for builders
    /// and builds of images.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "maxLength": 63, "pattern": "^(([A-Za-z0-9][A-Za-z0-9_.-]*)?[A-Za-z0-9])?$"}))]
    pub node_selector: BTreeMap<String, String>,
    /// Taints of nodes that the pods put up with, as in a pod. An empty list is none, whatever the defaults say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::scheduling::tolerations")]
    pub tolerations: Option<Vec<Toleration>>,
    /// Which nodes are preferred or demanded, by their labels or by the pods on them, as in a pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::scheduling::affinity")]
    pub affinity: Option<Affinity>,
    /// How the pods are spread over zones or nodes, as in a pod. Without a `labelSelector` the pods of the same component (or builders, or
    /// tests, or builds) of the instance are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::scheduling::topology_spread_constraints")]
    pub topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,
    /// Name of a PriorityClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub priority_class_name: Option<String>,
    /// Labels of the pods, beside the operator's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "maxLength": 63, "pattern": "^(([A-Za-z0-9][A-Za-z0-9_.-]*)?[A-Za-z0-9])?$"}))]
    #[x_kube(validation = Rule::new("self.all(k, !k.startsWith('app.kubernetes.io/') && !k.startsWith('copr.fedorainfracloud.org/'))")
        .message("pod.labels: app.kubernetes.io/ and copr.fedorainfracloud.org/ are the operator's own"))]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the pods, beside the operator's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "maxLength": 4096}))]
    #[x_kube(validation = Rule::new("self.all(k, !k.startsWith('app.kubernetes.io/') && !k.startsWith('copr.fedorainfracloud.org/'))")
        .message("pod.annotations: app.kubernetes.io/ and copr.fedorainfracloud.org/ are the operator's own"))]
    pub annotations: BTreeMap<String, String>,
}
