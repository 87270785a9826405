//! `CoprTestRun`: the sanity suite against an instance, and its verdict.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CoprInstanceSpec, CoprTestRunStatus, Evidence, Report, Source, Suite};

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
#[x_kube(validation = Rule::new("self.instance == oldSelf.instance && self.suite == oldSelf.suite && has(self.rerunOf) == has(oldSelf.rerunOf) && (!has(self.rerunOf) || self.rerunOf == oldSelf.rerunOf)")
    .message("instance, suite and rerunOf cannot change once the run exists: create another run"))]
#[x_kube(validation = Rule::new("!has(self.report) || !has(self.report.forge) || (has(self.source) && has(self.source.commit) && self.source.commit.matches('^[0-9a-f]{40}([0-9a-f]{24})?$'))")
    .message("report.forge needs the whole hash of the commit in source.commit: 40 or 64 hexadecimal digits"))]
#[x_kube(validation = Rule::new("!has(self.report) || !has(self.report.forge) || has(self.report.forge.repository) || (has(self.source) && has(self.source.repository) && self.source.repository.matches('^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$'))")
    .message("report.forge needs the repository, such as fedora-copr/copr, in source.repository or report.forge.repository"))]
#[x_kube(validation = Rule::new("!has(self.report) || !has(self.report.forge) || !has(self.report.forge.comment) || !self.report.forge.comment || (has(self.source) && has(self.source.pullRequest))")
    .message("report.forge.comment needs the number of the pull request in source.pullRequest"))]
#[x_kube(validation = Rule::new("!has(self.source) || !has(self.source.packages) || (has(self.instance.template) && has(self.instance.template.packages))")
    .message("source.packages needs instance.template with packages: of another instance the run doesn't choose the packages"))]
#[x_kube(validation = Rule::new("(has(self.source) && has(self.source.packages)) == (has(oldSelf.source) && has(oldSelf.source.packages)) && (!has(self.source) || !has(self.source.packages) || self.source == oldSelf.source)")
    .message("source.packages cannot change once the run exists, nor the rest of source beside it: create another run"))]
pub struct CoprTestRunSpec {
    /// The instance to test: an existing one, or a template.
    pub instance: InstanceSource,
    /// The suite.
    #[serde(default)]
    pub suite: Suite,
    /// What the tested packages are made from. For people and tools that read the run, for `report`, and for the run itself where it has
    /// `packages`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Who is told of the run. Absent: nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// What becomes of the instance that this run created, once the run has ended. An instance given by name is
    /// never touched. A kept instance is deleted with the run.
    #[serde(default)]
    pub keep_instance: KeepInstance,
    /// What is kept of the run when its pods and its instance are gone. It changes no verdict.
    #[serde(default)]
    pub evidence: Evidence,
    /// Name of an ended CoprTestRun in the same namespace: of the suite only the tests run that it left red (Failed, UnexpectedPass
    /// or Error). They are looked up once, at the start. If it left none, this run passes without a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub rerun_of: Option<String>,
    /// What becomes of runs that are about the same, such as those of one pull request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// Delete the run this many seconds after it has ended, however it ended. It goes before the two fields below.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub ttl_seconds_after_finished: Option<i32>,
    /// Delete the run this many seconds after it has passed. By default a week.
    #[serde(default = "default_ttl_passed")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub ttl_seconds_after_passed: i32,
    /// Delete the run this many seconds after it ended as Failed, Error or Cancelled. By default 30 days.
    #[serde(default = "default_ttl_failed")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub ttl_seconds_after_failed: i32,
    /// Set to true to end the run early, as Cancelled.
    #[serde(default)]
    pub cancel: bool,
}

fn default_ttl_passed() -> i32 {
    7 * 24 * 3600
}

fn default_ttl_failed() -> i32 {
    30 * 24 * 3600
}

/// A group of runs of one namespace of which one goes on at a time.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Concurrency {
    /// Name of the group, for example `pull-request-4090`.
    #[schemars(length(min = 1, max = 63))]
    pub group: String,
    /// What a newer run of the group does to an older one that hasn't ended.
    #[serde(default)]
    pub policy: ConcurrencyPolicy,
}

/// What a newer run does to an older one of its group.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConcurrencyPolicy {
    /// The older one ends as Cancelled.
    #[default]
    CancelOlder,
    /// The newer one waits until the older one has ended.
    Queue,
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
