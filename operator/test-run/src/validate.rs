//! Second step: the run as the decision wants it. Pure.

use copr_operator_api::{
    images::Image,
    v1alpha1::{
        Concurrency, CoprInstanceSpec, CoprTestRun, Evidence, ExpectedFailure, KeepInstance, Report, Source,
        Suite, SuiteGit, SuiteName,
    },
};
use copr_operator_kernel::{report, resources};
use jiff::SignedDuration;
use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{Resource, ResourceExt};

use super::{
    dereference::{Observed, Red, instance_name},
    evidence, grant, image, select,
    suite::{self, Listing, Test},
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
    /// The suite and its tests, as far as they are known.
    pub listed: Listed,
    /// Where the suite's tests are from, if it gets them from a git repository.
    pub git: Option<Git>,
    /// Which of the instance's images the suite's would be.
    pub suite_image: Image,
    /// Resources of a test's container, if the spec has some.
    pub resources: Option<ResourceRequirements>,
    /// How many run at a time.
    pub parallelism: usize,
    /// How often a test is tried again that ended in Error.
    pub retries: i32,
    /// How often one that Failed.
    pub retries_after_failure: i32,
    /// Whether no test is started once one is red.
    pub fail_fast: bool,
    /// Failures that are known.
    pub expected: Vec<ExpectedFailure>,
    /// What becomes of other runs about the same.
    pub concurrency: Option<Concurrency>,
    /// How long the forge is asked, and then the packages are waited for; only with `source.packages`.
    pub wait: Option<Limit>,
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
    pub ttl: Ttl,
    /// Whether it is to end now.
    pub cancel: bool,
    /// What is tested.
    pub source: Option<Source>,
    /// What is kept of it.
    pub evidence: Evidence,
    /// The image of the container that keeps what a test leaves: the operator's own. None: nothing of that is kept.
    pub keeper: Option<String>,
    /// The SCC of pods as root, where there are SCCs.
    pub scc: Option<&'static str>,
    /// Whether that container was given up, which may have cost a test an attempt.
    pub keeper_failed: bool,
}

/// How far the suite of a run is known.
#[derive(Clone, Debug)]
pub enum Listed {
    /// It hasn't listed its tests yet.
    Not,
    /// It has.
    As {
        /// As it listed itself.
        listing: Listing,
        /// The tests of the run, in the order in which they are started.
        tests: Vec<Test>,
    },
    /// It has, and there is no choosing from that.
    Unusable(String),
}

/// Where a suite's tests are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Git {
    /// The repository.
    pub url: String,
    /// Branch, tag or commit.
    pub reference: String,
    /// Folder of it, if not the top.
    pub path: Option<String>,
}

/// How long an ended run is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Ttl {
    /// One that passed.
    pub passed: SignedDuration,
    /// One that ended otherwise.
    pub failed: SignedDuration,
    /// Who is to be told of its end before it goes.
    pub told: Option<Report>,
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
    let template = spec.instance.template.clone().map(|template| with_suite(template, &spec.suite));
    if let Some(template) = &template
        && template.packages.is_none()
        && image::suite_image(&spec.suite, template).is_none()
    {
        return Err(Error::NoImage(image::no_image(&spec.suite, "instance.template")));
    }
    resources::check(spec.suite.resources.as_ref()).map_err(Error::Resources)?;
    let recorded = run.status.as_ref().and_then(|status| status.suite.as_ref());
    let test_timeout = spec.suite.test_timeout.as_deref();
    let test_timeout = test_timeout.map(|text| limit("suite.testTimeout", text)).transpose()?;
    let wait = spec.source.as_ref().and_then(|source| Some(source.packages.as_ref()?.wait_timeout.as_str()));
    let owner_of_instance = template.is_some().then_some(uid.as_str());
    Ok(Validated {
        namespace: run.namespace().unwrap_or_default(),
        generation: run.metadata.generation,
        owner: run.controller_owner_ref(&()).ok_or(Error::NoUid)?,
        listed: listed(run, observed, test_timeout.as_ref()),
        git: git(run),
        suite_image: Image::of_suite(spec.suite.name),
        resources: spec.suite.resources.clone(),
        parallelism: usize::try_from(spec.suite.parallelism).unwrap_or(1).max(1),
        retries: spec.suite.retries,
        retries_after_failure: spec.suite.retries_after_failure,
        fail_fast: spec.suite.fail_fast,
        expected: spec.suite.expected_failures.clone(),
        concurrency: spec.concurrency.clone(),
        wait: wait.map(|text| limit("source.packages.waitTimeout", text)).transpose()?,
        build_timeout: limit("instance.buildTimeout", &spec.instance.build_timeout)?,
        ready_timeout: limit("instance.readyTimeout", &spec.instance.ready_timeout)?,
        timeout: limit("suite.timeout", &spec.suite.timeout)?,
        target: target::assess(
            instance_name(&name, spec),
            owner_of_instance,
            &spec.suite,
            recorded.map(|suite| &suite.image),
            observed,
        ),
        template,
        keep: spec.keep_instance,
        ttl: ttl(run),
        cancel: spec.cancel,
        source: spec.source.clone(),
        keeper: evidence::keeper(&spec.evidence, run.status.as_ref(), observed.operator_image.as_deref()),
        scc: observed.on_openshift.then_some(grant::SCC),
        keeper_failed: run.status.as_ref().is_some_and(evidence::has_given_up),
        evidence: spec.evidence.clone(),
        name,
        uid,
    })
}

/// The run's own instance has the image of its suite built, if it has any built.
fn with_suite(mut template: CoprInstanceSpec, suite: &Suite) -> CoprInstanceSpec {
    if suite.image.is_none() && template.packages.is_some() && !template.tests.suites.contains(&suite.name) {
        template.tests.suites.push(suite.name);
    }
    template
}

/// How long a run is kept once it has ended.
pub fn ttl(run: &CoprTestRun) -> Ttl {
    let spec = &run.spec;
    let seconds = |own: i32| SignedDuration::from_secs(spec.ttl_seconds_after_finished.unwrap_or(own).into());
    Ttl {
        passed: seconds(spec.ttl_seconds_after_passed),
        failed: seconds(spec.ttl_seconds_after_failed),
        told: spec.report.clone(),
    }
}

/// Where the suite's tests are from. Once it has listed them it is the commit that it said.
pub fn git(run: &CoprTestRun) -> Option<Git> {
    let suite = &run.spec.suite;
    let git = match (&suite.git, suite.name) {
        (Some(git), _) => git.clone(),
        (None, SuiteName::Upstream) => SuiteGit::default(),
        // An image of one's own may have its tests in it.
        (None, SuiteName::Smoke | SuiteName::Tmt) => return None,
    };
    let listed = run.status.as_ref().and_then(|status| status.suite.as_ref()?.commit.clone());
    let tested = || {
        let source = run.spec.source.as_ref()?;
        // Other forges call it otherwise.
        let number = source.pull_request.filter(|_| git.url == SuiteGit::default().url);
        let asked = || run.status.as_ref()?.source.as_ref()?.commit.clone();
        source.commit.clone().or_else(asked).or_else(|| Some(format!("refs/pull/{}/head", number?)))
    };
    let reference = listed.or(git.reference).or_else(tested).unwrap_or_else(|| "main".into());
    Some(Git { url: git.url, reference, path: git.path })
}

/// The tests of the run: chosen from the list once, and kept by the status from then on.
fn listed(run: &CoprTestRun, observed: &Observed, test_timeout: Option<&Limit>) -> Listed {
    let Some(document) = observed.suite.document() else { return Listed::Not };
    let listing = match document.and_then(suite::parse) {
        Ok(listing) => listing,
        Err(error) => return Listed::Unusable(report::chain(&error)),
    };
    let status = run.status.as_ref();
    let chosen = match status.filter(|status| status.suite.is_some()) {
        Some(status) => {
            let is_chosen = |test: &&Test| status.tests.iter().any(|chosen| chosen.name == test.name);
            Ok(listing.tests.iter().filter(is_chosen).cloned().collect())
        }
        None => red(run, observed).and_then(|red| {
            select::select(&run.spec.suite, &listing, red).map_err(|error| report::chain(&error))
        }),
    };
    match chosen {
        Ok(mut tests) => {
            for test in &mut tests {
                let own = test_timeout.map(|own| own.duration.as_secs());
                test.deadline_seconds = own.unwrap_or(test.deadline_seconds);
            }
            Listed::As { listing, tests }
        }
        Err(why) => Listed::Unusable(why),
    }
}

/// What the run to be run again left red, if there is one.
fn red<'a>(run: &CoprTestRun, observed: &'a Observed) -> Result<Option<&'a [String]>, String> {
    let Some(name) = &run.spec.rerun_of else { return Ok(None) };
    match &observed.red {
        Red::Tests(tests) => Ok(Some(tests)),
        Red::Missing => Err(format!("failed to find CoprTestRun {name}, which rerunOf names")),
        Red::Unfinished => Err(format!("CoprTestRun {name}, which rerunOf names, hasn't ended yet")),
    }
}

fn limit(field: &'static str, text: &str) -> Result<Limit, Error> {
    let duration =
        text.parse().map_err(|source| Error::Duration { field, value: text.to_owned(), source })?;
    Ok(Limit { duration, text: text.to_owned() })
}

impl Validated {
    /// The tests of the run, as far as they are known.
    pub fn tests(&self) -> &[Test] {
        match &self.listed {
            Listed::As { tests, .. } => tests,
            Listed::Not | Listed::Unusable(_) => &[],
        }
    }

    /// Whether the suite's tests run as root of a user namespace.
    pub fn as_root(&self) -> bool {
        matches!(&self.listed, Listed::As { listing, .. } if listing.root)
    }

    /// The SCC that its tests' pods need.
    pub fn required_scc(&self) -> Option<&'static str> {
        self.scc.filter(|_| self.as_root())
    }

    /// What the suite calls itself, once it is known.
    pub fn suite(&self) -> &str {
        match &self.listed {
            Listed::As { listing, .. } => &listing.name,
            Listed::Not | Listed::Unusable(_) => "unknown",
        }
    }
}
