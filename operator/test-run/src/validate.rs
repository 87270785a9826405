//! Second step: the run as the decision wants it. Pure.

use copr_operator_api::v1alpha1::{CoprInstanceSpec, CoprTestRun, Evidence, KeepInstance, Source};
use copr_operator_kernel::resources;
use jiff::SignedDuration;
use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{Resource, ResourceExt};

use super::{
    dereference::{Observed, instance_name},
    evidence,
    suite::{self, Test},
    target::{self, Target},
};

/// Why a run can never be started. The API server admits none of these.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a duration.
    #[error("failed to read {field}: {value:?} is not a duration such as 15m")]
    Duration {
        /// Which field.
        field: &'static str,
        /// What it says.
        value: String,
        /// What jiff says.
        #[source]
        source: jiff::Error,
    },
    /// Not a test of the suite.
    #[error("failed to find {test:?} in the suite {suite}")]
    UnknownTest {
        /// Name of the test.
        test: String,
        /// Name of the suite.
        suite: &'static str,
    },
    /// No image of the suite.
    #[error("failed to find an image of the suite: {0}")]
    NoImage(String),
    /// Requests and limits that contradict each other.
    #[error("failed to read suite.resources: {0}")]
    Resources(String),
    /// The object isn't one of the API server's.
    #[error("failed to find the uid of the run")]
    NoUid,
}

/// A run that can be decided on.
#[derive(Clone, Debug)]
pub struct Validated {
    /// Name of the run.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its uid.
    pub uid: String,
    /// Its generation.
    pub generation: Option<i64>,
    /// What makes an object its own.
    pub owner: OwnerReference,
    /// Name of the suite.
    pub suite: &'static str,
    /// The tests, in the order in which they are started.
    pub tests: Vec<Test>,
    /// Resources of a test's container, if the spec has some.
    pub resources: Option<ResourceRequirements>,
    /// How many run at a time.
    pub parallelism: usize,
    /// How often a test is tried again that ended in Error.
    pub retries: i32,
    /// How long images may take.
    pub build_timeout: Limit,
    /// How long the instance may take.
    pub ready_timeout: Limit,
    /// How long the tests may take.
    pub timeout: Limit,
    /// The instance.
    pub target: Target,
    /// Spec of the instance, if it is the run's own.
    pub template: Option<CoprInstanceSpec>,
    /// What becomes of the run's own instance.
    pub keep: KeepInstance,
    /// How long an ended run is kept.
    pub ttl: Option<SignedDuration>,
    /// Whether it is to end now.
    pub cancel: bool,
    /// What is tested.
    pub source: Option<Source>,
    /// What is kept of it.
    pub evidence: Evidence,
    /// The image of the container that keeps what a test leaves: the operator's own. None: nothing of that is kept.
    pub keeper: Option<String>,
    /// Whether that container was given up, which may have cost a test an attempt.
    pub keeper_failed: bool,
}

/// A duration and how the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How long.
    pub duration: SignedDuration,
    /// As in the spec, for messages.
    pub text: String,
}

/// Checks a run.
pub fn validate(run: &CoprTestRun, observed: &Observed) -> Result<Validated, Error> {
    let spec = &run.spec;
    let name = run.name_any();
    let uid = run.uid().ok_or(Error::NoUid)?;
    let template = spec.instance.template.clone();
    if let Some(template) = &template
        && template.packages.is_none()
        && target::suite_image(&spec.suite, template).is_none()
    {
        return Err(Error::NoImage(target::no_image("instance.template")));
    }
    resources::check(spec.suite.resources.as_ref()).map_err(Error::Resources)?;
    let owner_of_instance = template.is_some().then_some(uid.as_str());
    Ok(Validated {
        namespace: run.namespace().unwrap_or_default(),
        generation: run.metadata.generation,
        owner: run.controller_owner_ref(&()).ok_or(Error::NoUid)?,
        suite: spec.suite.name.into(),
        tests: tests(run)?,
        resources: spec.suite.resources.clone(),
        parallelism: usize::try_from(spec.suite.parallelism).unwrap_or(1).max(1),
        retries: spec.suite.retries,
        build_timeout: limit("instance.buildTimeout", &spec.instance.build_timeout)?,
        ready_timeout: limit("instance.readyTimeout", &spec.instance.ready_timeout)?,
        timeout: limit("suite.timeout", &spec.suite.timeout)?,
        target: target::assess(instance_name(&name, spec), owner_of_instance, &spec.suite, observed),
        template,
        keep: spec.keep_instance,
        ttl: spec.ttl_seconds_after_finished.map(|seconds| SignedDuration::from_secs(seconds.into())),
        cancel: spec.cancel,
        source: spec.source.clone(),
        keeper: evidence::keeper(&spec.evidence, run.status.as_ref(), observed.operator_image.as_deref()),
        keeper_failed: run.status.as_ref().is_some_and(evidence::has_given_up),
        evidence: spec.evidence.clone(),
        name,
        uid,
    })
}

fn tests(run: &CoprTestRun) -> Result<Vec<Test>, Error> {
    let wanted = &run.spec.suite.tests;
    let all = suite::tests(run.spec.suite.name);
    if let Some(unknown) = wanted.iter().find(|name| all.iter().all(|test| test.name != **name)) {
        return Err(Error::UnknownTest { test: unknown.clone(), suite: run.spec.suite.name.into() });
    }
    let picked = |test: &&Test| wanted.is_empty() || wanted.iter().any(|name| name == test.name);
    let own = run.spec.suite.test_timeout.as_deref();
    let own = own.map(|text| limit("suite.testTimeout", text)).transpose()?;
    let with_deadline = |test: &Test| Test {
        deadline_seconds: own.as_ref().map_or(test.deadline_seconds, |own| own.duration.as_secs()),
        ..*test
    };
    Ok(all.iter().filter(picked).map(with_deadline).collect())
}

fn limit(field: &'static str, text: &str) -> Result<Limit, Error> {
    let duration =
        text.parse().map_err(|source| Error::Duration { field, value: text.to_owned(), source })?;
    Ok(Limit { duration, text: text.to_owned() })
}
