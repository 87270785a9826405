//! How the images of an instance are, as its status says. Pure.

use copr_operator_api::{
    status::images,
    v1alpha1::{CoprInstance, ImageState, Suite},
};
use copr_operator_kernel::conditions;
use jiff::{SignedDuration, Timestamp};

use crate::image;

/// How the images of an instance are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImagesState {
    /// They exist already; whether they can be pulled is the components' business.
    #[default]
    Prebuilt,
    /// They were built, and are there.
    Built,
    /// The instance waits for packages that they are built from, as long as its own spec says.
    Awaited,
    /// They are being built, or looked for.
    Pending,
    /// They can't be had, and waiting won't change it.
    Failed,
}

/// How those are that a run of the suite needs. The instance doesn't wait for the image of a suite. A run does.
pub fn images_state(instance: &CoprInstance, suite: &Suite, now: Timestamp) -> ImagesState {
    match images_of_pods(instance, now) {
        ImagesState::Built => {
            image::built(suite, instance).map_or(ImagesState::Built, |image| match image.state {
                state if state.is_there() => ImagesState::Built,
                ImageState::Failed if image.reason.as_deref() == Some(images::PACKAGES_REFUSED) => {
                    ImagesState::Failed
                }
                _ => ImagesState::Pending,
            })
        }
        state => state,
    }
}

fn images_of_pods(instance: &CoprInstance, now: Timestamp) -> ImagesState {
    let status = instance.status.as_ref();
    let condition = status.and_then(|status| conditions::get(&status.conditions, images::CONDITION));
    match condition {
        Some(c) if c.observed_generation == instance.metadata.generation && c.status == "False" => {
            if images::is_final(&c.reason) {
                ImagesState::Failed
            } else if c.reason == images::NOT_YET_THERE || is_awaiting(instance, now) {
                ImagesState::Awaited
            } else {
                ImagesState::Pending
            }
        }
        _ if instance.spec.packages.is_none() => ImagesState::Prebuilt,
        Some(c) if c.status == "True" => ImagesState::Built,
        _ => ImagesState::Pending,
    }
}

/// Whether an instance still waits for packages whose repositories can't be read just now.
fn is_awaiting(instance: &CoprInstance, now: Timestamp) -> bool {
    let wait = instance.status.as_ref().and_then(|status| status.packages.as_ref()?.wait.as_ref());
    let since = wait.filter(|wait| wait.over.is_none()).and_then(|wait| wait.since.as_ref());
    let require = instance.spec.packages.as_ref().and_then(|packages| packages.require.as_ref());
    let timeout = require.and_then(|require| require.timeout.as_deref()?.parse::<SignedDuration>().ok());
    since.zip(timeout).is_some_and(|(since, timeout)| now < since.0 + timeout)
}
