//! What the operator reports of a `CoprTestRun`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use super::{EvidenceStatus, InstalledPackage};

/// The state and the verdict of a run.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
// A run that no operator has looked at yet isn't Ready for whoever asks by kstatus.
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct CoprTestRunStatus {
    /// Where the run is, in a word.
    #[serde(default)]
    pub phase: Phase,
    /// `InstanceReady`: tests can start. `Succeeded`, True: passed; False: failed, error or cancelled, the reason says which; Unknown
    /// until the end. `Finished`: the verdict is final. For tools that know no runs: `Ready`, every test passed; `Reconciling`, the
    /// run goes on; `Stalled`, it ended otherwise. `EvidenceKept`: what `evidence` asks for is in the registry, or why it isn't.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about; -1 before the operator has seen the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many tests ended how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Every test of the run, in the order of the suite.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub tests: Vec<TestStatus>,
    /// When each phase was reached.
    #[serde(default)]
    pub timestamps: Timestamps,
    /// Name of the tested CoprInstance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Per component the image that was tested, by digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
    /// The packages that came from the repositories of the instance's `packages`, and from which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<InstalledPackage>,
    /// Name of the ConfigMap whose key `junit.xml` is the run as JUnit XML. Set at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub junit: Option<String>,
    /// What was kept of the run, once that is settled; the condition `EvidenceKept` says whether anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceStatus>,
}

/// Where a run is.
#[derive(
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    VariantArray,
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
)]
pub enum Phase {
    /// Not looked at yet, or something that it refers to is missing.
    #[default]
    Pending,
    /// Images are being built from the packages.
    Building,
    /// The instance comes up.
    Provisioning,
    /// Tests run.
    Running,
    /// Every test passed or was skipped.
    Passed,
    /// At least one test failed: Copr is broken.
    Failed,
    /// No test failed, but at least one has no verdict: the infrastructure is broken.
    Error,
    /// Ended early by `spec.cancel`.
    Cancelled,
}

impl Phase {
    /// Whether the verdict is final.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Passed | Self::Failed | Self::Error | Self::Cancelled)
    }
}

/// How many tests ended how.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Tests of the run.
    pub total: i32,
    /// Tests that passed.
    pub passed: i32,
    /// Tests that failed.
    pub failed: i32,
    /// Tests that don't apply to this instance.
    pub skipped: i32,
    /// Tests without a verdict, through no fault of Copr.
    pub error: i32,
}

/// One test.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TestStatus {
    /// Name of the test.
    pub name: String,
    /// How it ended, or how far it is.
    #[serde(default)]
    pub outcome: Outcome,
    /// How long the last attempt took, such as `41s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// How many attempts were made. One that couldn't be started counts.
    #[serde(default)]
    pub attempts: i32,
    /// The first failing line, or why there is no verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why there is no verdict, in a word for programs, while `outcome` is Error or another attempt is made after one. What
    /// each means is in docs/verdicts.md. About builders: `BuilderRefused`, `BuilderUnschedulable`, `BuilderImagePullFailed`,
    /// `BuilderStartFailed`, `BuilderOutOfMemory`, `BuilderEvicted`, `BuilderNodeLost`, `BuilderLost`, `MockConfigMissing`.
    /// About the test's pod: `PodRefused`, `PodUnschedulable`, `PodImagePullFailed`, `PodStartFailed`, `PodOutOfMemory`,
    /// `PodEvicted`, `PodLost`, `DeadlineExceeded`, `NoVerdict`, `TestBroken`, `EvidenceKeeperFailed`. About the instance: `InstanceDisturbed`,
    /// `InstanceShared`, `InstanceNotReady`, `InstanceLost`, `ImagesUnavailable`. About the run: `TimedOut`, `Cancelled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when the API server refuses the pod of the next attempt, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_since: Option<Time>,
    /// The component of Copr to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The pod of the last attempt; its log is the log of the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// When the last attempt started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the last attempt ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
}

/// How a test ended.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Not started.
    #[default]
    Pending,
    /// A pod of it exists.
    Running,
    /// Copr did what the test expects.
    Passed,
    /// Copr did not.
    Failed,
    /// The test doesn't apply to this instance.
    Skipped,
    /// No verdict: the pod couldn't run, was lost, or the instance was disturbed under it.
    Error,
}

impl Outcome {
    /// Whether the test has ended.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}

/// When each phase of a run was reached.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Timestamps {
    /// The operator first saw the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// Every image of the instance is known by digest: built from packages, found in its registry or pulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images_ready: Option<Time>,
    /// The instance was Available, and its spec applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_ready: Option<Time>,
    /// The first test's pod was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_test: Option<Time>,
    /// The verdict was final.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Time>,
}
