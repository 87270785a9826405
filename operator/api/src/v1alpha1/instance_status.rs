//! What the operator reports of a `CoprInstance`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::PackagesStatus;

/// The state of a Copr instance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
// An instance that no operator has looked at yet isn't Ready for whoever asks by kstatus.
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct CoprInstanceStatus {
    /// `Available`: every component answers, whatever the spec says meanwhile. `Ready`: the present spec is in effect, and every
    /// component answers; its reason and message say what is in the way. `Reconciling`: not Ready, but the operator or the cluster is at
    /// it. `Stalled`: not Ready, and it stays so until somebody does something; retries may go on. `ImagesReady`: every image is known
    /// by digest, or will be once it's pulled. `VolumesReady`: every volume has its size. `BuildersReady` is False while a builder pod
    /// can't be made, scheduled or started; it is no part of `Ready`, since builders exist only while something is built.
    /// `ChrootsReady` is False while the builder image has no Mock configuration for a chroot of the spec, and Unknown until that was
    /// looked at. `Exposed` is there unless `expose` is `None`: True once every Ingress, Route or HTTPRoute is served; False while a router or
    /// a Gateway refuses one, in its own words, by which the instance isn't Ready though Copr answers inside the cluster; Unknown while nobody
    /// has answered for one. `Expiring` is there, and True, from the warning on that the instance is about to be deleted, as `ttl` or
    /// `expiresAt` say. The reasons are listed in docs/architecture.md.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about; -1 before the operator has seen the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The generation of the spec that was last applied completely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_generation: Option<i64>,
    /// When the instance is deleted, as `ttl` or `expiresAt` say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// How each component is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub components: Vec<ComponentStatus>,
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
    /// Per component what the tag of an image in the spec was found to stand for when the spec first had it. It isn't looked at again
    /// until the spec names another image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resolved: BTreeMap<String, ResolvedTag>,
}

/// How a component is.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ComponentStatus {
    /// The component: `database`, `redis`, `keygen`, `frontend`, `distGit`, `resalloc` or `backend`.
    pub name: String,
    /// Whether it answers.
    pub ready: bool,
    /// `Available`; `Starting` on its way up; or what is wrong with it: `PodRefused`, `Unschedulable`, `ImagePullFailed`,
    /// `ContainerFailed`, `VolumeFailed`, `SandboxFailed`, `SchemaFailed`, `SeedFailed`, `InitFailed`, `Crashing`, `NotReady`.
    pub reason: String,
    /// The pod, and the words of the kubelet, the scheduler, the API server or the log.
    pub message: String,
    /// Since when it answers, is on its way up, or is in trouble.
    pub last_transition_time: Time,
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
