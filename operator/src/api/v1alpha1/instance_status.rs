//! What the operator reports of a `CoprInstance`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::PackagesStatus;

/// The state of a Copr instance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CoprInstanceStatus {
    /// `Ready` (every component answers) and one per component: `DatabaseReady`, `RedisReady`,
    /// `FrontendReady`, `BackendReady`, `KeygenReady`, `DistGitReady`, `ResallocReady`. A reason other
    /// than `Available` says what is missing; the message names the pod. `ImagesReady`: every image is known by digest, or will
    /// be once it's pulled; with `packages` there is one condition more per image, such as `FrontendImageReady`, whose
    /// reason is its state (Queued, Building, Pushed, Reused, Failed). `BuildersReady` is False while
    /// a builder pod can't be made, scheduled or started; it is no part of `Ready`, since builders exist
    /// only while something is built.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the instance answers, as seen from inside the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Endpoints>,
    /// Name of the Secret whose key `copr` is a copr-cli configuration of the administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// What became of `spec.packages`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packages: Option<PackagesStatus>,
    /// Per component the image that runs, by digest once that is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
    /// Per component what a tag under `images` was found to stand for when the spec first had it. It isn't looked at again
    /// until the spec names another image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resolved: BTreeMap<String, ResolvedTag>,
}

/// A tag, and what it stands for.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedTag {
    /// The image as the spec names it.
    pub image: String,
    /// The digest that the tag stood for. Absent: none could be had, and the image is used by its tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Why no digest could be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// URLs of an instance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Endpoints {
    /// Web UI and API.
    pub frontend: String,
    /// Build results; repositories are below `/results/`.
    pub backend: String,
    /// Dist-git; repositories are below `/git/`.
    pub dist_git: String,
}
