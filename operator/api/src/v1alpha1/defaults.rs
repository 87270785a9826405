//! What holds for all pods and volumes of an instance.

use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::PodSettings;

/// What holds for every pod and volume of the instance: of the components, builders, tests and builds of images. What a block says
/// itself wins.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Defaults {
    /// Requests and limits of every container, each where its block doesn't say. What isn't given here, either, is as the operator says
    /// for that container: docs/lifecycle.md.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    #[schemars(schema_with = "super::requirements::requirements")]
    pub resources: Option<ResourceRequirements>,
    /// Every volume.
    #[serde(default)]
    pub storage: VolumeDefaults,
    /// Every pod.
    #[serde(default)]
    pub pod: Box<PodSettings>,
}

/// What holds for every volume.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.className) == has(oldSelf.className) && (!has(self.className) || self.className == oldSelf.className)")
    .message("storage.className cannot change once the instance exists: a volume stays in its StorageClass"))]
pub struct VolumeDefaults {
    /// StorageClass of every volume. Absent: the cluster's default. Cannot change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,
}
