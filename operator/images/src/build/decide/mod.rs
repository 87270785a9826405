//! What became of the images, and which builds are to be started. Pure: the same observation gives the same answer, so
//! an operator that was killed goes on where it was.

pub mod progress;
pub mod wake;

use std::collections::BTreeMap;

use copr_operator_api::{
    images::Image,
    status::images::PACKAGES_REFUSED,
    v1alpha1::{ImageState, ImageStatus, InstalledPackage},
};
use copr_operator_kernel::{
    pods,
    report::{self, truncate},
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::{batch::v1::Job, core::v1::Pod},
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::ResourceExt as _;

use self::progress::{
    failure, has_completed, is_active, is_running, is_worth_waiting_for, last_words, pods_of,
};
use super::{
    condition,
    job::{HASH, IMAGE},
};
use crate::{
    names::{PACKAGES_LABEL, SOURCES_LABEL},
    registry::Found,
};

/// What dnf says last is what matters; an event and a condition have room for this much of it.
const MESSAGE_MAX: usize = 2000;
/// The pause after the first build that failed; each one after it is twice as long.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(60);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(6);

/// Exit codes of a build, as docs/image-contract.md has them.
const CANNOT_INSTALL: i32 = 1;
/// The repositories have something else than what the inputs were made from.
const CHANGED: i32 = 3;

/// What an image waits for whose build isn't there yet.
pub const ABOUT_TO_START: &str = "its build is about to start";

/// What was seen of the builds.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Namespace of the instance.
    pub namespace: String,
    /// Uid of the instance.
    pub uid: String,
    /// Jobs that build images that this instance needs, of every namespace.
    pub jobs: Vec<Job>,
    /// Pods of the Jobs of the instance's namespace.
    pub pods: Vec<Pod>,
    /// The newest warning about a Job, or a pod of it, that doesn't run; by the Job's uid.
    pub warnings: BTreeMap<String, Warning>,
    /// What the registry has, by image; read after the Jobs, so that one that has succeeded has pushed.
    pub found: BTreeMap<Image, Found>,
    /// What each image is pushed as.
    pub references: BTreeMap<Image, String>,
    /// Name of the Job that builds the image as it is wanted now, by image.
    pub wanted: BTreeMap<Image, String>,
    /// How long a build may take.
    pub timeout: SignedDuration,
}

/// What the cluster says of a build that doesn't get on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// `BuildRefused`, `BuildBlocked` or `BuildWaiting`.
    pub reason: &'static str,
    /// The cluster's words.
    pub message: String,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Images whose build is to be started.
    pub build: Vec<Image>,
    /// Jobs of the instance that nobody waits for any more, or whose time has come to be tried again.
    pub delete: Vec<String>,
    /// The repositories aren't any more what the inputs say.
    pub changed: bool,
}

/// Brings the images up to what was seen; returns what is to be done.
pub fn decide(images: &mut [ImageStatus], seen: &Seen, now: Timestamp) -> Plan {
    let mut plan = Plan { delete: superseded(seen), ..Plan::default() };
    // In the order of the status, in which an image comes after what it starts from: what waits for that can start in the same step.
    for index in 0..images.len() {
        let Some(image) = Image::of_key(&images[index].component) else { continue };
        let waits = image.starts_from().and_then(|from| waits_for(images, from));
        let status = &mut images[index];
        if status.state.is_there() {
            continue;
        }
        if let Some(found) = seen.found.get(&image) {
            there(status, built_by(seen, image), found, seen.references.get(&image), now);
        } else if let Some(job) = own_job(seen, image) {
            building(status, job, seen, now);
            if status.state == ImageState::Failed {
                let changed = status.reason.as_deref() == Some(condition::REPOSITORIES_CHANGED);
                plan.changed |= changed;
                if changed || is_due(status, now) {
                    plan.delete.push(job.name_any());
                }
            }
        } else if status.state == ImageState::Failed
            && status.job.as_ref() == seen.wanted.get(&image)
            && !is_due(status, now)
        {
            // Its Job was deleted. The recorded failure stays as it is until the next build is due.
        } else if is_waited_for(seen, status, image, now) {
            queued(status, "another instance builds the same image".into());
        } else if let Some(why) = waits {
            queued(status, why);
        } else {
            queued(status, ABOUT_TO_START.into());
            plan.build.push(image);
        }
    }
    plan
}

/// Why nothing can start from an image yet.
fn waits_for(images: &[ImageStatus], from: Image) -> Option<String> {
    let state = images.iter().find(|status| status.component == from.key())?.state;
    let name = from.key();
    match state {
        state if state.is_there() => None,
        ImageState::Failed => Some(format!("the {name} image could not be built")),
        _ => Some(format!("waits for the {name} image")),
    }
}

/// Whether a Job was made for this instance, and not for one that had its name before.
pub fn is_own(job: &Job, seen: &Seen) -> bool {
    job.namespace().as_ref() == Some(&seen.namespace)
        && job.owner_references().iter().any(|owner| owner.controller == Some(true) && owner.uid == seen.uid)
}

/// The Job that does what is wanted now. One that is being deleted does nothing any more.
pub fn own_job(seen: &Seen, image: Image) -> Option<&Job> {
    let name = seen.wanted.get(&image)?;
    let is_wanted = |job: &&Job| job.name_any() == *name && is_own(job, seen);
    seen.jobs.iter().filter(is_wanted).find(|job| job.metadata.deletion_timestamp.is_none())
}

/// The Job that has pushed an image; another than the one that would do it now, if the spec was changed meanwhile.
fn built_by(seen: &Seen, image: Image) -> Option<&Job> {
    let reference = seen.references.get(&image);
    let of = |job: &&Job| is_own(job, seen) && job.annotations().get(IMAGE) == reference;
    own_job(seen, image).or_else(|| seen.jobs.iter().filter(of).find(|job| has_completed(job)))
}

/// Jobs of the instance that do something that isn't wanted any more.
fn superseded(seen: &Seen) -> Vec<String> {
    let wanted: Vec<_> = seen.wanted.values().collect();
    let is_superseded =
        |job: &&Job| is_own(job, seen) && is_active(job) && !wanted.contains(&&job.name_any());
    seen.jobs.iter().filter(is_superseded).map(kube::ResourceExt::name_any).collect()
}

/// Whether somebody else is at it. Whose Jobs these are was looked at before; that they push the image is told by the registry
/// alone.
pub fn is_waited_for(seen: &Seen, status: &ImageStatus, image: Image, now: Timestamp) -> bool {
    let is_of = |job: &&Job| {
        job.labels().get(HASH) == Some(&status.input_hash)
            && job.annotations().get(IMAGE) == seen.references.get(&image)
    };
    let mut foreign = seen.jobs.iter().filter(is_of).filter(|job| !is_own(job, seen));
    foreign.any(|job| is_worth_waiting_for(job, seen.timeout, now))
}

/// Whether it is time to try again what failed.
pub fn is_due(status: &ImageStatus, now: Timestamp) -> bool {
    status.retry_at.as_ref().is_none_or(|time| time.0 <= now)
}

fn there(
    status: &mut ImageStatus,
    own: Option<&Job>,
    found: &Found,
    reference: Option<&String>,
    now: Timestamp,
) {
    let built = own.is_some() || status.state == ImageState::Building;
    forget_trouble(status);
    status.state = if built { ImageState::Pushed } else { ImageState::Reused };
    status.image = reference.map(|reference| format!("{reference}@{}", found.digest));
    status.failures = 0;
    if let Some(started) = &status.started_at {
        let ended = own.and_then(|job| job.status.as_ref()?.completion_time.clone()).map_or(now, |t| t.0);
        status.elapsed = Some(report::duration(ended.duration_since(started.0)));
    }
    status.packages = packages(found);
}

fn building(status: &mut ImageStatus, job: &Job, seen: &Seen, now: Timestamp) {
    status.started_at = job.creation_timestamp();
    let warning = job.uid().and_then(|uid| seen.warnings.get(&uid));
    let pods = pods_of(job, &seen.pods);
    let newest = pods.last().copied();
    if let Some((why, said, when)) = failure(job) {
        let words = newest.and_then(last_words);
        let known = (status.state == ImageState::Building).then(|| status.message.take()).flatten();
        let (reason, message) = match (words, warning) {
            (Some((CANNOT_INSTALL, words)), _) => (PACKAGES_REFUSED, words),
            (Some((CHANGED, words)), _) => (condition::REPOSITORIES_CHANGED, words),
            (Some((_, words)), _) => (condition::BUILD_INTERRUPTED, words),
            (None, Some(warning)) => (warning.reason, format!("{said}: {}", warning.message)),
            // The timeout ended the Job, and no event says any more what it was waiting for: they expire after an hour. So the
            // reason and the message that were recorded meanwhile are kept.
            (None, None) if why == "DeadlineExceeded" => {
                let reason =
                    status.reason.as_deref().map_or(condition::BUILD_INTERRUPTED, condition::of_trouble);
                (reason, known.map_or_else(|| said.to_owned(), |known| format!("{said}: {known}")))
            }
            (None, None) => (condition::BUILD_INTERRUPTED, said.to_owned()),
        };
        failed(status, job, reason, message, when.unwrap_or(now));
    } else if has_completed(job) {
        let said = "the build ended well, but the registry doesn't have its image".to_owned();
        failed(status, job, condition::BUILD_INTERRUPTED, said, now);
    } else {
        status.state = ImageState::Building;
        status.job = Some(job.name_any());
        status.retry_at = None;
        let trouble =
            newest.and_then(pods::trouble).map(|trouble| (condition::BUILD_BLOCKED, trouble.message));
        let warned = warning.filter(|_| !is_running(job)).map(|w| (w.reason, w.message.clone()));
        // The Job has another pod after one that failed. What the failed one said is told as the reason for the second try, and
        // isn't trouble by itself.
        let before = pods.iter().rev().find_map(|pod| last_words(pod));
        let before = before.map(|(_, said)| format!("tried again after: {said}"));
        let (reason, message) = match (warned, trouble.filter(|_| before.is_none())) {
            (Some((reason, message)), _) | (None, Some((reason, message))) => (Some(reason), Some(message)),
            (None, None) => (None, before),
        };
        status.reason = reason.map(str::to_owned);
        status.message = message.map(|said| truncate(said, MESSAGE_MAX));
    }
}

fn failed(status: &mut ImageStatus, job: &Job, reason: &str, message: String, when: Timestamp) {
    let name = Some(job.name_any());
    if status.state != ImageState::Failed || status.job != name || status.retry_at.is_none() {
        status.failures = status.failures.saturating_add(1);
        let doubled = 2_i32.saturating_pow(u32::try_from(status.failures - 1).unwrap_or_default());
        let pause = FIRST_PAUSE.checked_mul(doubled).map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE));
        status.retry_at = when.checked_add(pause).ok().map(Time);
    }
    status.state = ImageState::Failed;
    status.job = name;
    status.reason = Some(reason.to_owned());
    status.message = Some(truncate(message, MESSAGE_MAX));
}

fn forget_trouble(status: &mut ImageStatus) {
    status.reason = None;
    status.message = None;
    status.retry_at = None;
    status.job = None;
}

fn queued(status: &mut ImageStatus, why: String) {
    forget_trouble(status);
    status.state = ImageState::Queued;
    status.started_at = None;
    status.message = Some(why);
}

/// Which packages came from which repository, as the image's labels say.
fn packages(found: &Found) -> Vec<InstalledPackage> {
    fn label<T: serde::de::DeserializeOwned + Default>(found: &Found, name: &str) -> T {
        let label = found.labels.get(name).map(String::as_str).unwrap_or_default();
        serde_json::from_str(label).unwrap_or_default()
    }
    let by_repository: BTreeMap<String, Vec<String>> = label(found, PACKAGES_LABEL);
    let sources: BTreeMap<String, String> = label(found, SOURCES_LABEL);
    let mut packages: Vec<_> = by_repository
        .into_iter()
        .flat_map(|(repository, nevras)| nevras.into_iter().map(move |nevra| (nevra, repository.clone())))
        .map(|(nevra, repository)| InstalledPackage {
            source: sources.get(&nevra).cloned(),
            nevra,
            repository,
        })
        .collect();
    packages.sort();
    packages
}

/// A build has started.
pub fn started(images: &mut [ImageStatus], image: Image, job: &str, now: Timestamp) {
    for status in images.iter_mut().filter(|status| status.component == image.key()) {
        forget_trouble(status);
        status.state = ImageState::Building;
        status.job = Some(job.to_owned());
        status.started_at = Some(Time(now));
    }
}

/// The API server wouldn't have a build.
pub fn refused(images: &mut [ImageStatus], image: Image, why: &str) {
    for status in images.iter_mut().filter(|status| status.component == image.key()) {
        forget_trouble(status);
        status.state = ImageState::Queued;
        status.reason = Some(condition::BUILD_REFUSED.into());
        status.message = Some(truncate(why.to_owned(), MESSAGE_MAX));
    }
}

/// When a build that failed is tried again.
pub fn next_try(images: &[ImageStatus]) -> Option<Timestamp> {
    let failed = images.iter().filter(|image| image.state == ImageState::Failed);
    failed.filter_map(|image| image.retry_at.as_ref()).map(|time| time.0).min()
}
