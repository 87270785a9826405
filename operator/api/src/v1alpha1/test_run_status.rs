//! What the operator reports of a `CoprTestRun`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use super::{EvidenceStatus, InstalledPackage, ReportStatus, SourceStatus};

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
    /// until the end. `Finished`: the verdict is final. `PackagesKnown`, with `source.packages` only: the forge has said which packages are needed,
    /// or why it hasn't. `EvidenceKept`: what `evidence` asks for is in the registry, or why it isn't.
    /// `Reported`, with `spec.report` only, True: those who are to be told of it were; False: somebody refused, in their words; Unknown: it
    /// is being tried. For tools that know no runs: `Ready`, every test passed; `Reconciling`, the run goes on; `Stalled`, it ended
    /// otherwise.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about; -1 before the operator has seen the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many tests ended how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Its place in the queue, counted from 1, while it waits for other runs to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_place: Option<i32>,
    /// The suite, once it is listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<SuiteStatus>,
    /// Every test of the run, in the order of the suite; empty until the suite is listed. Of a run with hundreds of tests those that
    /// passed are told in short, so that the object stays small: the rest is in the JUnit report.
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
    /// Which packages `source.packages` came to: with `images` and `suite` it's what the verdict is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceStatus>,
    /// What was kept of the run, once that is settled; the condition `EvidenceKept` says whether anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceStatus>,
    /// What came of telling those in `spec.report`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["target".into()]))]
    pub reports: Vec<ReportStatus>,
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
    /// Not looked at yet, in the queue, or something that it refers to is missing.
    #[default]
    Pending,
    /// Images are being built from the packages.
    Building,
    /// The instance comes up.
    Provisioning,
    /// Tests run.
    Running,
    /// Every test passed, was skipped, or failed as expected.
    Passed,
    /// At least one test failed, or passed that was expected to fail.
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
    /// Tests that passed, flaky ones included.
    pub passed: i32,
    /// Tests that failed.
    pub failed: i32,
    /// Tests that don't apply to this instance.
    pub skipped: i32,
    /// Tests without a verdict, through no fault of Copr.
    pub error: i32,
    /// Tests that failed as `suite.expectedFailures` says.
    #[serde(default)]
    pub expected_failures: i32,
    /// Tests that passed although `suite.expectedFailures` says that they fail.
    #[serde(default)]
    pub unexpected_passes: i32,
    /// Tests that passed on a retry after they had failed. They count as passed, too.
    #[serde(default)]
    pub flaky: i32,
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
    /// `PodEvicted`, `PodLost`, `DeadlineExceeded`, `NoVerdict`, `TestBroken`, `NeedUnknown`, `EvidenceKeeperFailed`. As the suite says it:
    /// `JournalIncomplete`, `JournalMissing`, `JournalMalformed`, `ExitCode`, `DeadlineReached`, `Terminated`, `FrontendUnreachable`,
    /// `SourceUnavailable`. About the instance: `InstanceDisturbed`,
    /// `InstanceShared`, `InstanceNotReady`, `InstanceLost`, `ImagesUnavailable`, `PackagesUnknown`, `PackagesMissing`. About the run: `TimedOut`, `Cancelled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when the API server refuses the pod of the next attempt, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_since: Option<Time>,
    /// The component of Copr to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// How many attempts Failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed_attempts: i32,
    /// The same for two failures that are alike, of whatever run: what failed, without times, numbers and names that change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The parts of the test (phases, assertions) that didn't pass, the first of them; the rest is in its log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<TestResult>,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// A part of a test.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// Its name in the test, such as `Test/the build succeeds`.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The first line about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The suite of a run, as it listed itself.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SuiteStatus {
    /// What it calls itself.
    pub name: String,
    /// Its version, if it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its image, by digest where the registry or the kubelet says one. Every test of the run is from this image.
    pub image: String,
    /// The git repository of its tests, if they are in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The commit of its tests, if they are in a git repository. Every test of the run is taken from this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How many tests it has; the run may have fewer.
    pub tests: i32,
    /// Name of the ConfigMap whose key `suite.json` is the list.
    pub list: String,
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
    /// It failed as `suite.expectedFailures` says.
    ExpectedFailure,
    /// It passed although `suite.expectedFailures` says that it fails.
    UnexpectedPass,
    /// It passed on a retry after it had failed.
    Flaky,
}

impl Outcome {
    /// Whether the test has ended.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }

    /// Whether it makes the run red.
    pub fn is_red(self) -> bool {
        matches!(self, Self::Failed | Self::UnexpectedPass | Self::Error)
    }
}

/// When each phase of a run was reached.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Timestamps {
    /// The operator first saw the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// It left the queue: at once, unless so many runs were going on that it had to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admitted: Option<Time>,
    /// The repositories had every package that `source.packages` needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages_there: Option<Time>,
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
