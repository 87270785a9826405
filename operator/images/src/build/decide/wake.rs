//! When to look again. Pure.

use std::time::Duration;

use copr_operator_api::{
    images::Image,
    v1alpha1::{ImageState, ImageStatus},
};
use jiff::Timestamp;

use super::{ABOUT_TO_START, Seen, is_waited_for, next_try, own_job, progress::is_running};

/// How soon builds are looked at again that nobody tells of: those of other instances, and the words of the cluster about a
/// pod that can't start. The registry isn't asked for that.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How soon a name is free again, or repositories that have changed are read anew.
pub const SOON: Duration = Duration::from_secs(2);

/// When something may have happened that isn't watched: Jobs of the instance are.
pub fn wake(images: &[ImageStatus], seen: &Seen, now: Timestamp) -> Option<Duration> {
    let soon = now.saturating_add(LOOK_AGAIN).unwrap_or(now);
    // A Job without a pod may turn out to be refused before that.
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
    // A name that isn't free yet.
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
