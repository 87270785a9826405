//! What became of the images, and which builds are to be started. Pure: the same observation gives the same answer, so
//! an operator that was killed goes on where it was.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::{
    api::{batch::v1::Job, core::v1::Pod},
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::ResourceExt as _;

use super::{
    component::Image,
    job::{self, HASH, IMAGE, PACKAGES_LABEL},
    registry::Found,
};
use crate::{
    api::v1alpha1::{ImageState, ImageStatus, InstalledPackage},
    instance::health,
    report::{self, truncate},
};

/// What dnf says last is what matters; an event and a condition have room for this much of it.
const MESSAGE_MAX: usize = 2000;

/// What was seen of the builds.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Namespace of the instance.
    pub namespace: String,
    /// Name of the instance.
    pub instance: String,
    /// Jobs that build images that this instance needs, of every namespace.
    pub jobs: Vec<Job>,
    /// Pods of the Jobs of the instance's namespace.
    pub pods: Vec<Pod>,
    /// What the registry has, by image; read after the Jobs, so that one that has succeeded has pushed.
    pub found: BTreeMap<Image, Found>,
    /// What each image is pushed as.
    pub references: BTreeMap<Image, String>,
}

/// Brings the images up to what was seen; returns those whose build is to be started.
pub fn decide(images: &mut [ImageStatus], seen: &Seen, now: Timestamp) -> Vec<Image> {
    let mut to_build = Vec::new();
    let base = base_state(images, seen);
    for status in images.iter_mut().filter(|status| !status.state.is_there()) {
        let Some(image) = Image::of_field(&status.component) else { continue };
        let own = seen.jobs.iter().find(|job| is_of(job, status, image, seen) && is_own(job, seen));
        if let Some(found) = seen.found.get(&image) {
            there(status, own, found, seen.references.get(&image), now);
            continue;
        }
        let foreign = || {
            seen.jobs
                .iter()
                .find(|job| is_of(job, status, image, seen) && !is_own(job, seen) && is_active(job))
        };
        if let Some(job) = own {
            building(status, job, &seen.pods);
        } else if let Some(job) = foreign() {
            let (instance, namespace) = (job::instance_of(job), job.namespace().unwrap_or_default());
            queued(status, format!("CoprInstance {instance} in {namespace} builds the same image"));
        } else if image != Image::Base && !base.is_there() {
            let why = if base == ImageState::Failed {
                "the base image could not be built"
            } else {
                "waits for the base image"
            };
            queued(status, why.into());
        } else {
            queued(status, "its build is about to start".into());
            to_build.push(image);
        }
    }
    to_build
}

/// Base is judged first: what waits for it can start in the same step.
fn base_state(images: &[ImageStatus], seen: &Seen) -> ImageState {
    let base = images.iter().find(|status| status.component == Image::Base.field());
    match base {
        Some(_) if seen.found.contains_key(&Image::Base) => ImageState::Reused,
        Some(base) => {
            let job = seen.jobs.iter().find(|job| is_of(job, base, Image::Base, seen) && is_own(job, seen));
            if job.is_some_and(has_failed) { ImageState::Failed } else { base.state }
        }
        None => ImageState::Reused,
    }
}

fn is_of(job: &Job, status: &ImageStatus, image: Image, seen: &Seen) -> bool {
    job.labels().get(HASH) == Some(&status.input_hash)
        && job.annotations().get(IMAGE) == seen.references.get(&image)
}

/// Whether a Job was made for this instance.
pub fn is_own(job: &Job, seen: &Seen) -> bool {
    job.namespace().as_ref() == Some(&seen.namespace) && job::instance_of(job) == seen.instance
}

/// Whether a Job may still end well.
pub fn is_active(job: &Job) -> bool {
    job.metadata.deletion_timestamp.is_none() && !has_failed(job) && condition(job, "Complete").is_none()
}

/// The Jobs that have pushed an image, whoever needed it.
pub fn ended(jobs: &[Job], image: &str) -> Vec<String> {
    let pushed = |job: &&Job| {
        job.annotations().get(IMAGE).is_some_and(|pushed| pushed == image)
            && condition(job, "Complete").is_some()
    };
    let mut ended: Vec<_> = jobs.iter().filter(pushed).filter_map(kube::ResourceExt::uid).collect();
    ended.sort();
    ended
}

fn has_failed(job: &Job) -> bool {
    condition(job, "Failed").is_some()
}

fn condition<'a>(job: &'a Job, type_: &str) -> Option<&'a str> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|c| c.type_ == type_ && c.status == "True")?;
    Some(found.message.as_deref().unwrap_or_default())
}

fn there(
    status: &mut ImageStatus,
    own: Option<&Job>,
    found: &Found,
    reference: Option<&String>,
    now: Timestamp,
) {
    let built = own.is_some() || status.state == ImageState::Building;
    status.state = if built { ImageState::Pushed } else { ImageState::Reused };
    status.image = reference.map(|reference| format!("{reference}@{}", found.digest));
    status.message = None;
    if let Some(started) = &status.started_at {
        let ended = own.and_then(|job| job.status.as_ref()?.completion_time.clone()).map_or(now, |t| t.0);
        status.elapsed = Some(report::duration(ended.duration_since(started.0)));
    }
    status.packages = packages(found);
}

fn building(status: &mut ImageStatus, job: &Job, pods: &[Pod]) {
    status.started_at = job.creation_timestamp();
    let of_job = |pod: &&Pod| pod.labels().get("batch.kubernetes.io/job-name") == Some(&job.name_any());
    let newest = pods.iter().filter(of_job).max_by_key(|pod| pod.creation_timestamp());
    if let Some(why) = condition(job, "Failed") {
        status.state = ImageState::Failed;
        let said = newest.and_then(last_words).unwrap_or_else(|| why.to_owned());
        status.message = Some(truncate(said, MESSAGE_MAX));
    } else if condition(job, "Complete").is_some() {
        status.state = ImageState::Failed;
        status.message = Some("the build ended well, but the registry doesn't have its image".into());
    } else {
        status.state = ImageState::Building;
        let failed_before = pods.iter().filter(of_job).filter_map(last_words).next_back();
        let trouble = newest.and_then(health::pod_trouble).map(|(_, message)| message);
        status.message = trouble
            .or_else(|| failed_before.map(|said| format!("tried again after: {said}")))
            .map(|said| truncate(said, MESSAGE_MAX));
    }
}

/// What a container that failed left as its message.
fn last_words(pod: &Pod) -> Option<String> {
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    let ended = statuses.iter().find_map(|status| status.state.as_ref()?.terminated.as_ref())?;
    (ended.exit_code != 0).then(|| {
        let said = ended.message.as_deref().unwrap_or_default().trim();
        if said.is_empty() {
            format!("{} (exit code {})", ended.reason.as_deref().unwrap_or("Error"), ended.exit_code)
        } else {
            said.to_owned()
        }
    })
}

fn queued(status: &mut ImageStatus, why: String) {
    status.state = ImageState::Queued;
    status.started_at = None;
    status.message = Some(why);
}

/// Which packages came from which repository, as the image's label says.
fn packages(found: &Found) -> Vec<InstalledPackage> {
    let label = found.labels.get(PACKAGES_LABEL).map(String::as_str).unwrap_or_default();
    let by_repository: BTreeMap<String, Vec<String>> = serde_json::from_str(label).unwrap_or_default();
    let mut packages: Vec<_> = by_repository
        .into_iter()
        .flat_map(|(repository, nevras)| {
            nevras.into_iter().map(move |nevra| InstalledPackage { nevra, repository: repository.clone() })
        })
        .collect();
    packages.sort();
    packages
}

/// A build has started.
pub fn started(images: &mut [ImageStatus], image: Image, now: Timestamp) {
    for status in images.iter_mut().filter(|status| status.component == image.field()) {
        status.state = ImageState::Building;
        status.started_at = Some(Time(now));
        status.message = None;
    }
}
