//! `CoprTestRun`: the sanity suite against an instance, and its verdict.

use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use super::{CoprInstanceSpec, CoprTestRunStatus, Evidence};

/// What to test and how.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "copr.fedorainfracloud.org",
    version = "v1alpha1",
    kind = "CoprTestRun",
    plural = "coprtestruns",
    shortname = "coprrun",
    category = "fedora-copr",
    namespaced,
    status = "CoprTestRunStatus",
    doc = "One run of Copr's sanity suite against a Copr instance. The verdict of every test ends in the status; wait for the condition Finished, then read Succeeded or the phase.",
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Passed", type_ = "integer", json_path = ".status.summary.passed"),
    printcolumn(name = "Failed", type_ = "integer", json_path = ".status.summary.failed"),
    printcolumn(name = "Error", type_ = "integer", json_path = ".status.summary.error"),
    printcolumn(name = "Total", type_ = "integer", json_path = ".status.summary.total"),
    printcolumn(name = "Message", type_ = "string", json_path = r#".status.conditions[?(@.type=="Succeeded")].message"#),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 36")
        .message("metadata.name becomes part of pod and Service names: at most 36 lowercase letters, digits and '-', starting with a letter"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.instance == oldSelf.instance && self.suite == oldSelf.suite")
    .message("instance and suite cannot change once the run exists: create another run"))]
pub struct CoprTestRunSpec {
    /// The instance to test: an existing one, or a template.
    pub instance: InstanceSource,
    /// The suite.
    #[serde(default)]
    pub suite: Suite,
    /// Where the tested packages come from. For people and tools that read the run; the operator
    /// doesn't act on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What becomes of the instance that this run created, once the run has ended. An instance given by name is
    /// never touched. A kept instance is deleted with the run.
    #[serde(default)]
    pub keep_instance: KeepInstance,
    /// What is kept of the run when its pods and its instance are gone. It changes no verdict.
    #[serde(default)]
    pub evidence: Evidence,
    /// Delete the run this many seconds after it has ended. Absent: keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub ttl_seconds_after_finished: Option<i32>,
    /// Set to true to end the run early, as Cancelled.
    #[serde(default)]
    pub cancel: bool,
}

/// An existing instance or a template of one.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.name) != has(self.template)")
    .message("give either instance.name (an existing CoprInstance) or instance.template, not both"))]
#[x_kube(validation = Rule::new("!has(self.template) || !has(self.template.paused) || !self.template.paused")
    .message("instance.template.paused can't be true: nothing would be made of the instance, and the run would wait for it in vain"))]
pub struct InstanceSource {
    /// Name of a CoprInstance in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    pub name: Option<String>,
    /// Spec of an instance that the run creates, owns and names like itself. Its `ttl` or `expiresAt` bounds how long
    /// `keepInstance` keeps it; while the run hasn't ended, it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<CoprInstanceSpec>,
    /// How long the images of the instance's `packages` may take, as a duration such as `1h`. After that the run ends as Error.
    #[serde(default = "default_build_timeout")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    #[x_kube(validation = Rule::new("self != '' && duration(self) >= duration('10s') && duration(self) <= duration('24h')")
        .message("buildTimeout is a duration between 10s and 24h, for example 1h"))]
    pub build_timeout: String,
    /// How long the instance may take until it is Available and its present spec is applied, once its images are there, as a
    /// duration such as `15m`. After that the run ends as Error.
    #[serde(default = "default_ready_timeout")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    #[x_kube(validation = Rule::new("self != '' && duration(self) >= duration('10s') && duration(self) <= duration('24h')")
        .message("readyTimeout is a duration between 10s and 24h, for example 15m"))]
    pub ready_timeout: String,
}

fn default_build_timeout() -> String {
    "1h".into()
}

fn default_ready_timeout() -> String {
    "15m".into()
}

/// The suite of a run.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Suite {
    /// Which suite.
    #[serde(default)]
    pub name: SuiteName,
    /// Run only these tests of the suite. Absent: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 63)))]
    #[x_kube(validation = Rule::new("self.all(t, t in ['auth', 'chroots', 'project-lifecycle', 'build-spec', 'build-srpm', 'signed-repo', 'build-fails', 'cancel', 'parallel-builds']) && self.all(t, self.exists_one(u, u == t))")
        .message("tests of the suite smoke, each at most once: auth, chroots, project-lifecycle, build-spec, build-srpm, signed-repo, build-fails, cancel, parallel-builds"))]
    pub tests: Vec<String>,
    /// How many tests run at a time. `parallel-builds`, which needs every builder, always runs alone: beside it runs no
    /// test of this run, nor of another run on the same instance.
    #[serde(default = "default_parallelism")]
    #[schemars(range(min = 1, max = 64))]
    pub parallelism: i32,
    /// How long the tests may take altogether, as a duration such as `1h`: from the first one, or from when the instance was
    /// ready for it, on. Tests that have no verdict by then are Error.
    #[serde(default = "default_timeout")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    #[x_kube(validation = Rule::new("self != '' && duration(self) >= duration('10s') && duration(self) <= duration('48h')")
        .message("timeout is a duration between 10s and 48h, for example 1h"))]
    pub timeout: String,
    /// How long one test may take, as a duration such as `4m`. Absent: each test has a deadline of its own (1 to
    /// 30 minutes), made for a Copr that builds with Fedora's mirrors behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    #[x_kube(validation = Rule::new("self != '' && duration(self) >= duration('10s') && duration(self) <= duration('24h')")
        .message("testTimeout is a duration between 10s and 24h, for example 4m"))]
    pub test_timeout: Option<String>,
    /// How often a test is tried again that ended in Error (pod refused, not scheduled, not pulled, lost; builders that
    /// couldn't come or were lost; or the instance was disturbed under it). What may pass by itself, such as a quota, is
    /// tried again after a pause that grows from 10 s to 1m20s. A test that Failed is not tried again.
    #[serde(default = "default_retries")]
    #[schemars(range(min = 0, max = 10))]
    pub retries: i32,
    /// Image of the suite. Absent: the one built from the instance's `packages`, or its `tests.image`, or
    /// `<registry>/copr-sanity:<tag>` of the instance's `images`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// Requests and limits of the container that a test runs in. What isn't given is as the instance's `tests.resources` say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    #[schemars(schema_with = "super::requirements::requirements")]
    pub resources: Option<ResourceRequirements>,
}

impl Default for Suite {
    fn default() -> Self {
        Self {
            name: SuiteName::default(),
            tests: Vec::new(),
            parallelism: default_parallelism(),
            timeout: default_timeout(),
            test_timeout: None,
            retries: default_retries(),
            image: None,
            resources: None,
        }
    }
}

fn default_parallelism() -> i32 {
    4
}

fn default_timeout() -> String {
    "1h".into()
}

fn default_retries() -> i32 {
    1
}

/// The suites that exist.
#[derive(
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    IntoStaticStr,
    VariantArray,
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum SuiteName {
    /// Nine tests of the main paths, through copr-cli and dnf.
    #[default]
    Smoke,
}

/// What is tested.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Repository, for example `fedora-copr/copr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub repository: Option<String>,
    /// Commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub commit: Option<String>,
    /// Number of the pull request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub pull_request: Option<i64>,
}

/// What becomes of a run's own instance.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeepInstance {
    /// Deleted when the run has ended.
    #[default]
    Never,
    /// Kept if the run ended as Failed or Error. That of a cancelled run goes, and its builds with it.
    OnFailure,
    /// Kept.
    Always,
}
