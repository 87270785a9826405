//! The suite of a `CoprTestRun`: which one, which of its tests, and how their outcomes count.

use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

/// The suite of a run.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.git) || self.name in ['upstream', 'tmt'] || has(self.image)")
    .message("suite.git says where a suite's tests are: of name: upstream or tmt, or of an image of your own that reads SUITE_GIT_URL"))]
#[x_kube(validation = Rule::new("self.name != 'tmt' || has(self.git) || has(self.image)")
    .message("suite.git is missing: name: tmt runs the tests of a git repository, at its url and ref, in the folder path"))]
#[x_kube(validation = Rule::new("!has(self.git) || !has(self.git.path) || self.name == 'tmt' || has(self.image)")
    .message("suite.git.path says where the fmf root of name: tmt is: upstream's scripts are where Copr has them"))]
pub struct Suite {
    /// Which suite. With `image` it is the suite in that image, whatever it calls itself.
    #[serde(default)]
    pub name: SuiteName,
    /// Image of the suite: anything that keeps the contract of docs/suite-contract.md. Absent: the one that is built from the
    /// instance's `packages` if its `tests.suites` name the suite, else of `smoke` its `tests.image` or
    /// `<registry>/copr-sanity:<tag>` of its `images`, and of `upstream` and `tmt` `<registry>/copr-sanity-upstream:<tag>` and
    /// `<registry>/copr-sanity-tmt:<tag>`. An `instance.template` with `packages` needs no `tests.suites`: the suite is added to
    /// them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// The git repository in which `upstream` or `tmt`, or an image of your own, finds its tests. `tmt` needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<SuiteGit>,
    /// Run only these tests of the suite, by their whole names. One that the suite hasn't ends the run at once, as Error, and the
    /// message names those that there are. Absent: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500), inner(length(min = 1, max = 100)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub tests: Vec<String>,
    /// Run only tests whose names match one of these patterns: `*` stands for any characters, `?` for one, `[ab]` for one of
    /// these, `{a,b}` for one of these words. Absent: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 100)))]
    pub include: Vec<String>,
    /// Don't run tests whose names match one of these patterns, even if `include` or `tags` has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 100)))]
    pub exclude: Vec<String>,
    /// Run only tests that have one of these tags. A tag with `!` before it is one that they must not have. Absent: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 63)))]
    pub tags: Vec<String>,
    /// How many tests run at a time. One that the suite lists as exclusive, such as `parallel-builds` which needs every builder,
    /// always runs alone: beside it runs no test of this run, nor of another run on the same instance.
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
    /// How long one test may take, as a duration such as `4m`. Absent: each test has the deadline that its suite lists, made for
    /// a Copr that builds with Fedora's mirrors behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    #[x_kube(validation = Rule::new("self != '' && duration(self) >= duration('10s') && duration(self) <= duration('24h')")
        .message("testTimeout is a duration between 10s and 24h, for example 4m"))]
    pub test_timeout: Option<String>,
    /// How often a test is tried again that ended in Error (pod refused, not scheduled, not pulled, lost; builders that
    /// couldn't come or were lost; or the instance was disturbed under it). What may pass by itself, such as a quota, is
    /// tried again after a pause that grows from 10 s to 1m20s.
    #[serde(default = "default_retries")]
    #[schemars(range(min = 0, max = 10))]
    pub retries: i32,
    /// How often a test is tried again that Failed. If it passes then, it is Flaky: shown, and no failure of the run. By default it
    /// isn't tried again.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10))]
    pub retries_after_failure: i32,
    /// Start no more tests once one has Failed, or passed unexpectedly: those that run are waited for, the others are Skipped.
    #[serde(default)]
    pub fail_fast: bool,
    /// Failures that are known, each with the reason why it is accepted. A test that fails as expected is ExpectedFailure, which
    /// is no failure of the run; one that passes all the same is UnexpectedPass, which is: the entry has to go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub expected_failures: Vec<ExpectedFailure>,
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
            image: None,
            git: None,
            tests: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            tags: Vec::new(),
            parallelism: default_parallelism(),
            timeout: default_timeout(),
            test_timeout: None,
            retries: default_retries(),
            retries_after_failure: 0,
            fail_fast: false,
            expected_failures: Vec::new(),
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

/// The suites that the operator knows an image of.
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
    /// The Beakerlib scripts of Copr's own repository, one test per script.
    Upstream,
    /// The tmt tests of a git repository's folder with fmf metadata, one test per test that is enabled.
    Tmt,
}

/// Where a suite's tests are.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SuiteGit {
    /// URL of the repository, as `git clone` takes it.
    #[serde(default = "default_git_url")]
    #[schemars(length(min = 1, max = 1024))]
    pub url: String,
    /// Branch, tag or commit. Absent: `source.commit` of the run, else the head of `source.pullRequest` (of Copr's own repository
    /// only), else `main`. Every test of the run is taken from the commit that
    /// it was when the suite was listed; `status.suite.commit` says which.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub reference: Option<String>,
    /// Folder of the repository with the root of the fmf metadata (where `.fmf` is), such as `tests/tmt`; for `tmt`. Absent: the
    /// top of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("!self.startsWith('/') && !self.split('/').exists(part, part == '..')")
        .message("git.path is a folder of the repository, such as tests/tmt: it begins without / and has no .."))]
    pub path: Option<String>,
}

fn default_git_url() -> String {
    "https://github.com/fedora-copr/copr".into()
}

impl Default for SuiteGit {
    fn default() -> Self {
        Self { url: default_git_url(), reference: None, path: None }
    }
}

/// A failure that is known.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedFailure {
    /// Name of the test.
    #[schemars(length(min = 1, max = 100))]
    pub test: String,
    /// Name of the part of the test (phase, or phase/assertion, as in `status.tests[].results`) that fails. With it the failure of
    /// another part isn't expected. Absent: any failure of the test is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub result: Option<String>,
    /// Why it is accepted, for example the URL of an issue. It becomes part of the test's message.
    #[schemars(length(min = 1, max = 255))]
    pub reason: String,
    /// The last day (UTC) on which it is accepted, such as `2027-01-31`; from then on the failure is one. Absent: as long as the
    /// entry is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), extend("format" = "date"))]
    pub expires: Option<String>,
}
