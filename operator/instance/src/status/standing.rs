//! Ready, Reconciling and Stalled of an instance: the first thing that keeps the present spec from being in effect, and whether that
//! goes on by itself. Pure.
//!
//! | Reason | Goes on |
//! |---|---|
//! | `Starting`, `ImagesBuilding`, `PackagesNotYetThere`, `RestartPending`, `Pending`, `Resizing`, `Looking` | by itself |
//! | `DependencyUnreadable`, `ApplyFailed`, `ExpiryFailed`, `RepositoryUnreadable`, `RegistryUnreachable` | by itself, unless it has failed for [`PATIENCE`]: it's tried again |
//! | `ImageBuildTrouble` | by itself, unless an image's build has failed a second time |
//! | `NotAdmitted` | by itself, unless that has lasted for [`PATIENCE`]: a Gateway says so before it has seen the Service, too |
//! | those of a component in trouble | by itself, unless that has lasted for [`PATIENCE`]: kubelets, schedulers and quotas try again, too |
//! | `Paused`, `InvalidSpec`, `Malformed`, `NameTaken`, `SecretNotFound`, `SecretInvalid`, `ConfigMapNotFound`, `ConfigMapInvalid`, `ImageBuildFailed`, `PackagesRequirementUnmet`, `ImageBuilderMissing`, `RegistryRefused`, `ExposeUnsupported`, `ResizeRefused`, `MockConfigMissing` | when somebody changes the spec, what it refers to, or the cluster |

use std::time::Duration;

use copr_operator_api::{
    status::{AVAILABLE, chroots, exposed, images::NOT_YET_THERE, volumes},
    v1alpha1::CoprInstanceStatus,
};
use copr_operator_images::condition as images;
use copr_operator_kernel::conditions::{self, Finding, Outlook, Standing};
use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::Condition,
    jiff::{SignedDuration, Timestamp},
};

use super::{RESTART_PENDING, components};
use crate::health;

/// The present spec is in effect.
pub const UP_TO_DATE: &str = "UpToDate";
/// After so many failed builds of an image, the next one is expected to fail, too.
const BUILDS_FAILED: i32 = 2;
/// Trouble that passes by itself mostly does so within this time.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// For how long Ready waits for the look into the builder image. The look may stay without a result, as its pod may be gone before
/// the operator saw it.
const LOOK: SignedDuration = SignedDuration::from_secs(120);

/// What there is beside the status.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// Whether the present spec is applied.
    pub applied: &'a Finding,
    /// For how long every reconcile before this one has failed.
    pub failing_for: Duration,
    /// The time.
    pub now: Timestamp,
}

/// How far the instance is, and when that changes though nothing happens. The status is complete but for this.
pub fn of(status: &CoprInstanceStatus, about: Circumstances<'_>) -> (Standing, Option<SignedDuration>) {
    let Circumstances { applied, now, .. } = about;
    let condition = |type_| conditions::get(&status.conditions, type_);
    let obstacle = |condition: &Condition| (condition.reason.clone(), condition.message.clone());
    let is_false = |condition: &&Condition| condition.status == "False";

    let withheld = (!applied.is_true()).then(|| (applied.reason.clone(), applied.message.clone()));
    let is_restart = |(reason, _): &(String, String)| reason == RESTART_PENDING;
    let found = withheld
        .clone()
        .filter(|withheld| !is_restart(withheld))
        .or_else(|| condition(AVAILABLE).filter(is_false).map(obstacle))
        .or(withheld)
        .or_else(|| condition(volumes::CONDITION).filter(is_false).map(obstacle))
        .or_else(|| condition(chroots::CONDITION).filter(is_false).map(obstacle))
        .or_else(|| condition(exposed::CONDITION).filter(is_false).map(obstacle));
    if let Some((reason, message)) = found {
        let (outlook, look_again) = outlook(&reason, status, about);
        return (Standing::new(outlook, &reason, message), look_again);
    }
    let looking =
        condition(chroots::CONDITION).filter(|c| c.status == "Unknown" && c.reason == chroots::LOOKING);
    if let Some(looking) = looking
        && let Some(left) = left(looking.last_transition_time.0, LOOK, now)
    {
        return (Standing::new(Outlook::GoesOn, chroots::LOOKING, &*looking.message), Some(left));
    }
    let message = "the present spec is in effect, and every component answers";
    (Standing::new(Outlook::Reached, UP_TO_DATE, message), None)
}

fn outlook(
    reason: &str,
    status: &CoprInstanceStatus,
    about: Circumstances<'_>,
) -> (Outlook, Option<SignedDuration>) {
    let unless = |lasting: bool| (if lasting { Outlook::Stalled } else { Outlook::GoesOn }, None);
    match reason {
        health::STARTING
        | images::BUILDING
        | NOT_YET_THERE
        | RESTART_PENDING
        | volumes::PENDING
        | volumes::RESIZING
        | chroots::LOOKING => (Outlook::GoesOn, None),
        "DependencyUnreadable"
        | "ApplyFailed"
        | "ExpiryFailed"
        | images::REPOSITORY_UNREADABLE
        | images::REGISTRY_UNREACHABLE => unless(about.failing_for >= PATIENCE.unsigned_abs()),
        images::BUILD_TROUBLE => {
            let images = status.packages.iter().flat_map(|packages| &packages.images);
            unless(images.map(|image| image.failures).max().unwrap_or_default() >= BUILDS_FAILED)
        }
        reason if health::TROUBLES.contains(&reason) => {
            let since = components::in_trouble(&status.components).map(|c| c.last_transition_time.0).min();
            patient(since, about.now)
        }
        exposed::NOT_ADMITTED => {
            let since = conditions::get(&status.conditions, exposed::CONDITION);
            patient(since.map(|condition| condition.last_transition_time.0), about.now)
        }
        _ => (Outlook::Stalled, None),
    }
}

/// Trouble that began then goes on by itself for as long as [`PATIENCE`] says.
fn patient(since: Option<Timestamp>, now: Timestamp) -> (Outlook, Option<SignedDuration>) {
    match since.and_then(|since| left(since, PATIENCE, now)) {
        Some(left) => (Outlook::GoesOn, Some(left)),
        None => (Outlook::Stalled, None),
    }
}

/// What is left of a time that began then; nothing if it's over.
fn left(since: Timestamp, time: SignedDuration, now: Timestamp) -> Option<SignedDuration> {
    let left = (since + time).duration_since(now);
    left.is_positive().then_some(left)
}
