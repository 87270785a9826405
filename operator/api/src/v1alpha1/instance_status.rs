//! What the operator reports of a `CoprInstance`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::PackagesStatus;

/// The state of a Copr instance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct CoprInstanceStatus {
    /// `Ready` (every component answers) and one per component: `DatabaseReady`, `RedisReady`,
    /// `FrontendReady`, `BackendReady`, `KeygenReady`, `DistGitReady`, `ResallocReady`. A reason other
    /// than `Available` says what is missing; the message names the pod. `Reconciled`: the cluster has everything that the present
    /// spec says; while it is False, what was applied before goes on serving. `VolumesReady`: every volume has its size. `ImagesReady`: every image is known by digest, or will
    /// be once it's pulled; with `packages` there is one condition more per image, such as `FrontendImageReady`, whose
    /// reason is its state (Queued, Building, Pushed, Reused, Failed). `BuildersReady` is False while
    /// a builder pod can't be made, scheduled or started; it is no part of `Ready`, since builders exist
    /// only while something is built. `ChrootsReady` is False while the builder image has no Mock configuration for a
    /// chroot of the spec, and Unknown until that was looked at.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The generation of the spec that was last applied completely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_generation: Option<i64>,
    /// Where the instance answers: inside the cluster, and where people reach it.
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
    /// Builders that the cluster ended before their build did: the last eight within an hour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub builder_incidents: Vec<BuilderIncident>,
    /// The chroots of the spec that the builder image has no `/etc/mock/<chroot>.cfg` for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chroots_without_mock_config: Vec<String>,
    /// Per component what a tag under `images` was found to stand for when the spec first had it. It isn't looked at again
    /// until the spec names another image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resolved: BTreeMap<String, ResolvedTag>,
}

/// A builder that the cluster ended: out of memory, evicted, lost with its node or deleted by somebody else than resalloc. A
/// build that failed for it says nothing about Copr.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BuilderIncident {
    /// When.
    pub time: Time,
    /// Name of the builder's pod.
    pub pod: String,
    /// `BuilderOutOfMemory`, `BuilderEvicted`, `BuilderNodeLost` or `BuilderLost`.
    pub reason: String,
    /// What the cluster says.
    pub message: String,
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
    /// The same for people, if `spec.url` is given. The others are for what runs inside the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<PublicEndpoints>,
}

/// URLs of an instance, as people use them.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PublicEndpoints {
    /// Web UI and API.
    pub frontend: String,
    /// Build results; repositories are below `/results/`.
    pub results: String,
    /// Dist-git; repositories are below `/git/`.
    pub dist_git: String,
}
