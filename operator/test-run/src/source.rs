//! Which packages a run needs, by its `source.packages`: when the forge is asked, what is noted of its answer, and what the instance is
//! told of it. Pure.
//!
//! The instance is made only from what is in the status already. So an operator that is killed in between asks once more, or goes on
//! from there, and an instance never requires anything else than the status says.

use std::time::Duration;

use copr_operator_api::v1alpha1::{
    CoprInstanceSpec, CoprTestRun, CoprTestRunStatus, InstalledPackage, PackagesStatus, SourcePackage,
    SourceStatus,
};
use copr_operator_kernel::{
    conditions::{self, Finding},
    report,
};
use copr_operator_source::{Error, Found};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    decide::types::PACKAGES_KNOWN,
    dereference::{Observed, Seen},
    validate::Validated,
};

/// Reasons of the condition `PackagesKnown`, beside those of [`Error`].
pub mod reasons {
    /// The forge is about to be asked.
    pub const ASKING: &str = "Asking";
    /// It has answered.
    pub const KNOWN: &str = "Known";
    /// It has answered that no package is needed.
    pub const NONE_NEEDED: &str = "NoPackageChanged";
}

/// The pause after the first question in vain; each one after it is twice as long.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(10);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// What a condition says of a forge.
const MESSAGE_MAX: usize = 1024;

/// What the forge said now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// It wasn't asked.
    #[default]
    Not,
    /// Which packages are needed.
    Found(Found),
    /// Nothing of use.
    Failed {
        /// Reason of the condition.
        reason: &'static str,
        /// In its own words.
        words: String,
        /// How long it wants to be left alone.
        pause: Option<Duration>,
    },
}

impl From<Result<Found, Error>> for Asked {
    fn from(answer: Result<Found, Error>) -> Self {
        match answer {
            Ok(found) => Self::Found(found),
            Err(error) => Self::Failed {
                reason: error.reason(),
                words: report::truncate(report::chain(&error), MESSAGE_MAX),
                pause: error.pause(),
            },
        }
    }
}

/// Whether the forge is to be asked now.
pub fn is_due(run: &CoprTestRun, instance: &Seen, now: Timestamp) -> bool {
    let Some(status) = &run.status else { return false };
    let wants = run.spec.source.as_ref().is_some_and(|source| source.packages.is_some());
    let known = status.source.clone().unwrap_or_default();
    wants
        && !run.spec.cancel
        && !status.phase.is_final()
        && status.timestamps.admitted.is_some()
        && matches!(instance, Seen::Missing)
        && known.known_at.is_none()
        && known.retry_at.is_none_or(|at| at.0 <= now)
}

/// Whether the run goes by what its status says of packages. Without `source.packages` there is nothing to know.
pub fn is_known(run: &Validated, status: &CoprTestRunStatus) -> bool {
    run.wait.is_none() || status.source.as_ref().is_some_and(|source| source.known_at.is_some())
}

/// Whether packages are needed that haven't been seen in the repositories.
pub fn is_waiting(run: &Validated, status: &CoprTestRunStatus) -> bool {
    run.wait.is_some()
        && status.timestamps.packages_there.is_none()
        && status
            .source
            .as_ref()
            .is_none_or(|source| source.known_at.is_none() || !source.packages.is_empty())
}

/// When the time of the instance begins: once the run has left the queue, and knows what it needs.
pub fn began(admitted: Timestamp, status: &CoprTestRunStatus) -> Timestamp {
    let known = status.source.as_ref().and_then(|source| source.known_at.as_ref());
    known.map_or(admitted, |known| known.0.max(admitted))
}

/// Notes what the forge said, and what the instance says of the packages since.
pub fn note(status: &mut CoprTestRunStatus, run: &Validated, observed: &Observed) {
    if run.wait.is_none() {
        return;
    }
    let now = observed.now;
    let before = conditions::get(&status.conditions, PACKAGES_KNOWN).cloned();
    let mut finding = match before {
        Some(known) if known.status == "True" => Finding::yes(&known.reason, known.message),
        Some(known) if known.status == "False" => Finding::no(&known.reason, known.message),
        _ => Finding::unknown(reasons::ASKING, "the forge is asked which packages are needed"),
    };
    let source = status.source.get_or_insert_default();
    if source.known_at.is_none() {
        match &observed.asked {
            Asked::Not => {}
            Asked::Found(found) => {
                finding = known(found, run.source.as_ref().and_then(|source| source.pull_request));
                *source = SourceStatus {
                    known_at: Some(Time(now)),
                    commit: Some(found.commit.clone()),
                    merge_commit: found.merge_commit.clone(),
                    packages: found.packages.clone(),
                    ..SourceStatus::default()
                };
            }
            Asked::Failed { reason, words, pause } => {
                let pause = pause.and_then(|pause| SignedDuration::try_from(pause).ok()).unwrap_or_default();
                let pause = pause.max(own_pause(source.failures));
                source.failures = source.failures.saturating_add(1);
                source.retry_at = now.checked_add(pause).ok().map(Time);
                finding = Finding::no(reason, words.clone());
            }
        }
    }
    conditions::set(&mut status.conditions, PACKAGES_KNOWN, finding, run.generation, now);
    note_instance(status, observed);
}

fn own_pause(failures: i32) -> SignedDuration {
    let doubled = 2_i32.saturating_pow(u32::try_from(failures).unwrap_or_default());
    FIRST_PAUSE.checked_mul(doubled).map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE))
}

fn known(found: &Found, pull_request: Option<i64>) -> Finding {
    let short = |commit: &str| commit.get(..12).unwrap_or(commit).to_owned();
    let of = match pull_request {
        Some(number) => format!("pull request {number} at {}", short(&found.commit)),
        None => format!("commit {}", short(&found.commit)),
    };
    if found.packages.is_empty() {
        let message = format!(
            "{of} changes no package: what the repositories have is tested, and nothing is waited for"
        );
        return Finding::yes(reasons::NONE_NEEDED, message);
    }
    let names: Vec<_> = found.packages.iter().map(|package| package.name.as_str()).collect();
    let message = format!("{of} needs {} packages: {}", names.len(), names.join(", "));
    Finding::yes(reasons::KNOWN, report::truncate(message, MESSAGE_MAX))
}

/// How far the packages are, as the instance says.
fn note_instance(status: &mut CoprTestRunStatus, observed: &Observed) {
    let Seen::Found(instance) = &observed.instance else { return };
    let Some(packages) = instance.status.as_ref().and_then(|status| status.packages.as_ref()) else { return };
    let Some(source) = &mut status.source else { return };
    if let Some(over) = packages.wait.as_ref().and_then(|wait| wait.over.clone()) {
        status.timestamps.packages_there.get_or_insert(over);
    }
    for package in &mut source.packages {
        note_package(package, packages);
    }
}

fn note_package(package: &mut SourcePackage, packages: &PackagesStatus) {
    if let Some(wait) = &packages.wait {
        let is_missing = wait.missing.iter().any(|missing| missing.name == package.name);
        package.there = !is_missing && (wait.over.is_some() || !wait.missing.is_empty());
    }
    let mut installed = packages.images.iter().flat_map(|image| &image.packages);
    let Some((installed, release)) = installed.find_map(|i| Some((i, release_of(i, &package.name)?))) else {
        return;
    };
    package.nevra = Some(installed.nevra.clone());
    package.repository = Some(installed.repository.clone());
    package.commit = package.commits.iter().find(|commit| carries(release, commit)).cloned();
}

/// The release of a package, if it has that name.
fn release_of<'a>(installed: &'a InstalledPackage, name: &str) -> Option<&'a str> {
    let mut parts = installed.nevra.rsplitn(3, '-');
    let release = parts.next()?;
    parts.next()?;
    (parts.next()? == name).then_some(release)
}

/// Whether a release such as `1.git.5.5d37cd8.fc44` or `0.pr4305.38.g5d37cd838` has the hash of a commit.
fn carries(release: &str, commit: &str) -> bool {
    release.split(['.', '_', '~', '^', '+']).any(|part| {
        let hash = part.strip_prefix('g').unwrap_or(part);
        hash.len() >= 7 && (commit.starts_with(hash) || hash.starts_with(commit))
    })
}

/// Has the instance wait for the packages. What the template requires by itself stays, and goes before.
pub fn fill(template: &mut CoprInstanceSpec, source: &SourceStatus, wait: &str) {
    let Some(packages) = template.packages.as_mut().filter(|_| !source.packages.is_empty()) else { return };
    let require = packages.require.get_or_insert_default();
    let is_free = |name: &String| {
        !require.packages.as_ref().is_some_and(|own| own.contains_key(name))
            && !require.versions.as_ref().is_some_and(|own| own.contains_key(name))
            && !require.commits.as_ref().is_some_and(|own| own.contains_key(name))
    };
    let needed = source.packages.iter().filter(|package| is_free(&package.name));
    let mut commits: std::collections::BTreeMap<_, _> =
        needed.map(|package| (package.name.clone(), package.commits.clone())).collect();
    commits.extend(require.commits.take().unwrap_or_default());
    require.commits = Some(commits).filter(|commits| !commits.is_empty());
    require.timeout.get_or_insert_with(|| wait.to_owned());
}
