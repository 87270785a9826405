//! When to look again. Pure.

use std::time::Duration;

use copr_operator_api::{
    images::Image,
    v1alpha1::{ImageState, ImageStatus},
};
use jiff::Timestamp;

use super::{ABOUT_TO_START, Seen, is_waited_for, next_try, own_job, progress::is_running};

/// How soon to look again at what isn't watched: other instances' builds, and events about a pod that can't start. The registry
/// isn't asked each time.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How soon to look again when a Job of the same name is still being deleted, or when repositories have changed.
pub const SOON: Duration = Duration::from_secs(2);

/// When something may have happened that isn't watched: Jobs of the instance are.
pub fn wake(images: &[ImageStatus], seen: &Seen, now: Timestamp) -> Option<Duration> {
    let soon = now.saturating_add(LOOK_AGAIN).unwrap_or(now);
    // Another instance's Job without a pod stops being worth waiting for, as its pod was refused, sooner than LOOK_AGAIN.
    let is_soon_over = |status: &ImageStatus| {
        let Some(image) = Image::of_key(&status.component) else { return false };
        status.state == ImageState::Queued
            && is_waited_for(seen, status, image, now)
            && !is_waited_for(seen, status, image, soon)
    };
    let waits = images.iter().any(|status| {
        let Some(image) = Image::of_key(&status.component) else { return false };
        match status.state {
            ImageState::Queued => is_waited_for(seen, status, image, now),
            ImageState::Building => !own_job(seen, image).is_some_and(is_running),
            _ => false,
        }
    });
    // The build can't start yet, as a Job of the same name is still being deleted.
    let about_to_start = |status: &ImageStatus| {
        status.state == ImageState::Queued && status.message.as_deref() == Some(ABOUT_TO_START)
    };
    if images.iter().any(|status| about_to_start(status) || is_soon_over(status)) {
        return Some(SOON);
    }
    let retry = next_try(images)
        .map(|time| Duration::try_from(time.duration_since(now)).unwrap_or_default().max(SOON));
    [waits.then_some(LOOK_AGAIN), retry].into_iter().flatten().min()
}
