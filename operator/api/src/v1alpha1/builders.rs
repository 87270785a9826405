//! Builder pods, and the pods of tests.

use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use super::{PodSettings, SuiteName, instance::is_default};

/// The builder pods: one build each, made by resalloc when a build needs one.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.warm) || self.warm <= self.max")
    .message("builders.warm can't be more than builders.max: warm builders count within it"))]
pub struct Builders {
    /// An image of builders that exists already. It wins over what `packages` or `images.registry` would give.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// How many builder pods may exist at a time, per machine architecture of the chroots. A change takes effect within two
    /// minutes and ends no build.
    #[serde(default = "default_builders_max")]
    #[schemars(range(min = 1, max = 200))]
    pub max: i32,
    /// How many builders are kept ready before a build needs one, per machine architecture of the chroots and within `max`. A
    /// build that takes one has another made in its place. With 0 a builder is made when a build asks for it. Otherwise no more than
    /// this many are started at a time, so that of many builds at once some start later than with 0: choose it as large as such a
    /// burst. An idle builder is replaced after six hours, and when what builders are made from changes. A change takes
    /// effect within two minutes and ends no build; what is too many after one is used up first, and with 0 deleted.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(range(min = 0, max = 200))]
    pub warm: i32,
    /// How a builder gets the rights that Mock needs.
    #[serde(default)]
    pub isolation: Isolation,
    /// Requests and limits of a builder's container: what one build may use. What isn't given here is as in `defaults.resources`, and
    /// what isn't given there, either, is requests of 100m CPU and 320Mi of memory, and limits of 4 CPUs and 8Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    #[schemars(schema_with = "super::requirements::requirements")]
    pub resources: Option<ResourceRequirements>,
    /// Where builders run, and what is written on them.
    #[serde(default)]
    pub pod: Box<PodSettings>,
}

impl Default for Builders {
    fn default() -> Self {
        Self {
            image: None,
            max: default_builders_max(),
            warm: 0,
            isolation: Isolation::default(),
            resources: None,
            pod: Box::default(),
        }
    }
}

impl Builders {
    /// How many builds that are submitted together are certain to run at the same time: where builders are kept warm, those
    /// and as many again, which are started at once when the first are taken.
    pub fn at_once(&self) -> i32 {
        if self.warm == 0 { self.max } else { self.max.min(self.warm.saturating_mul(2)) }
    }
}

fn default_builders_max() -> i32 {
    4
}

/// How a builder pod gets the rights that Mock needs.
#[derive(
    Serialize, Deserialize, JsonSchema, Display, VariantArray, Clone, Copy, Debug, Default, PartialEq, Eq,
)]
pub enum Isolation {
    /// `hostUsers: false` and nine capabilities that count only inside the pod's user namespace.
    /// Needs Kubernetes >= 1.33, containerd >= 2.0 or CRI-O >= 1.25. A builder that finds no user
    /// namespace around it refuses to start.
    #[default]
    UserNamespace,
    /// A privileged container: root on the node for whoever escapes from a build. Only for nodes
    /// without user namespaces.
    Privileged,
}

/// The pods of the tests of runs against this instance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Tests {
    /// The suites whose images are built from `packages`, for runs that name them. The one of `upstream` starts from that of `smoke`, so
    /// that both are built, and is large: it's for instances that such a run is about. A suite that is added later has its image
    /// built, and nothing else changes. A run with `instance.template` adds its own.
    #[serde(default = "default_suites")]
    #[schemars(length(max = 2))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub suites: Vec<SuiteName>,
    /// An image of the sanity suite that exists already. It wins over what `packages` or `images.registry` would give; a run's
    /// `suite.image` wins over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// Requests and limits of the container that a test runs in; a run's `suite.resources` win. What isn't given here is as in
    /// `defaults.resources`, and what isn't given there, either, is requests of 20m CPU and 128Mi of memory, and limits of 2 CPUs
    /// and 2Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    #[schemars(schema_with = "super::requirements::requirements")]
    pub resources: Option<ResourceRequirements>,
    /// Where tests run, and what is written on their pods.
    #[serde(default)]
    pub pod: Box<PodSettings>,
}

impl Default for Tests {
    fn default() -> Self {
        Self { suites: default_suites(), image: None, resources: None, pod: Box::default() }
    }
}

fn default_suites() -> Vec<SuiteName> {
    vec![SuiteName::Smoke]
}
