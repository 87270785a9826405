//! Where images come from, and the images that a spec names.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

/// Where prebuilt images come from. `registry` and `tag` name all of them at once
/// (`<registry>/copr-<component>:<tag>`); the `image` of a component's own block wins. A tag is resolved to a digest once, where the
/// operator can reach the registry, and `status.images` records it. Each image must keep the contract of
/// docs/image-contract.md.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Images {
    /// Registry and path prefix, for example `quay.io/copr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9][a-z0-9._:/-]*[a-z0-9]$') && !self.contains('://')")
        .message("registry is a host and path without a scheme, for example quay.io/copr"))]
    pub registry: Option<String>,
    /// Tag of the images named by `registry`.
    #[serde(default = "default_tag")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"))]
    pub tag: String,
    /// When the kubelet pulls.
    #[serde(default)]
    pub pull_policy: PullPolicy,
    /// Names of Secrets of type `kubernetes.io/dockerconfigjson` in the same namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub pull_secrets: Vec<String>,
}

impl Default for Images {
    fn default() -> Self {
        Self {
            registry: None,
            tag: default_tag(),
            pull_policy: PullPolicy::default(),
            pull_secrets: Vec::new(),
        }
    }
}

fn default_tag() -> String {
    "latest".into()
}

/// When the kubelet pulls an image.
#[derive(
    Serialize, Deserialize, JsonSchema, Display, VariantArray, Clone, Copy, Debug, Default, PartialEq, Eq,
)]
pub enum PullPolicy {
    /// At every start of a container.
    Always,
    /// When the node doesn't have it.
    #[default]
    IfNotPresent,
    /// Never: the node must have it.
    Never,
}
