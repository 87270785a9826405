//! The condition of the images. Pure.

use copr_operator_api::{
    images::Image,
    status::images::{BUILD_FAILED, NOT_YET_THERE, PACKAGES_REFUSED, REQUIREMENT_UNMET},
    v1alpha1::{ImageState, ImageStatus, MissingPackage, Packages, PackagesStatus},
};
use copr_operator_kernel::{conditions::Finding, openshift, report::truncate};
use jiff::Timestamp;

use super::builds::{images_of, is_awaited};
use crate::resolve::require;

/// Every image is there.
pub const AVAILABLE: &str = "Available";
/// Images are being built.
pub const BUILDING: &str = "ImagesBuilding";
/// A repository can't be read.
pub const REPOSITORY_UNREADABLE: &str = "RepositoryUnreadable";
/// The registry doesn't take the credentials, or shows whoever they are for nothing.
pub const REGISTRY_REFUSED: &str = "RegistryRefused";
/// The registry doesn't answer, or answers with something else than what it was asked for.
pub const REGISTRY_UNREACHABLE: &str = "RegistryUnreachable";

/// A build failed for a reason that isn't the packages', and is tried again.
pub const BUILD_TROUBLE: &str = "ImageBuildTrouble";

/// Of an image: the cluster refuses the pod of its build.
pub(crate) const BUILD_REFUSED: &str = "BuildRefused";
/// Of an image: the pod of its build can't start.
pub(crate) const BUILD_BLOCKED: &str = "BuildBlocked";
/// Of an image: its build waits for a registry or a mirror that is away.
pub(crate) const BUILD_WAITING: &str = "BuildWaiting";
/// Of an image: something around its build failed.
pub(crate) const BUILD_INTERRUPTED: &str = "BuildInterrupted";
/// Of an image: the repositories aren't any more what they were when they were looked at.
pub(crate) const REPOSITORIES_CHANGED: &str = "RepositoriesChanged";

const MESSAGE_MAX: usize = 4096;

/// The reason of an image that was recorded, as a constant.
pub(crate) fn of_trouble(reason: &str) -> &'static str {
    match reason {
        BUILD_REFUSED => BUILD_REFUSED,
        BUILD_BLOCKED => BUILD_BLOCKED,
        BUILD_WAITING => BUILD_WAITING,
        _ => BUILD_INTERRUPTED,
    }
}

/// All images in one condition. What an instance doesn't wait for is told, and holds nothing back.
pub(crate) fn of_all(spec: &Packages, status: &PackagesStatus) -> Finding {
    let built: Vec<_> = images_of(status).collect();
    let waits = |image: &&ImageStatus| Image::of_key(&image.component).is_none_or(|i| is_awaited(i, &built));
    let (images, others): (Vec<_>, Vec<_>) = status.images.iter().partition(waits);
    let of = |state| images.iter().copied().filter(|image| image.state == state).collect::<Vec<_>>();
    let failed = of(ImageState::Failed);
    if !failed.is_empty() {
        let said: Vec<_> = failed
            .iter()
            .map(|image| format!("{}: {}", image.component, image.message.as_deref().unwrap_or_default()))
            .collect();
        // Version 0.1 recorded no reason: to it every failure was one of the packages.
        let refused = |image: &&ImageStatus| image.reason.as_deref().is_none_or(|r| r == PACKAGES_REFUSED);
        let reason = if failed.iter().any(refused) { BUILD_FAILED } else { BUILD_TROUBLE };
        return Finding::no(reason, truncate(said.join("\n"), MESSAGE_MAX));
    }
    let (pushed, reused) = (of(ImageState::Pushed), of(ImageState::Reused));
    if pushed.len() + reused.len() < images.len() {
        let names = |images: Vec<&ImageStatus>| {
            let names: Vec<_> = images.into_iter().map(|image| image.component.as_str()).collect();
            names.join(", ")
        };
        let (building, queued) = (names(of(ImageState::Building)), names(of(ImageState::Queued)));
        let mut message = format!("{} of {} images are there", pushed.len() + reused.len(), images.len());
        for (what, names) in [("building", building), ("queued", queued)] {
            if !names.is_empty() {
                message = format!("{message}; {what}: {names}");
            }
        }
        // A build that doesn't get on is named in this condition, too, since it's the one that people look at while they wait.
        for image in of(ImageState::Building).iter().filter(|image| image.reason.is_some()) {
            let said = image.message.as_deref().unwrap_or_default();
            message = format!("{message}; {}: {said}", image.component);
        }
        return Finding::no(BUILDING, truncate(message, MESSAGE_MAX));
    }
    let missing: Vec<_> = others.into_iter().filter(|image| !image.state.is_there()).map(progress).collect();
    match require::unmet(spec, &status.images) {
        Some(unmet) if missing.is_empty() => Finding::no(REQUIREMENT_UNMET, truncate(unmet, MESSAGE_MAX)),
        // What is required may be in one of these.
        Some(unmet) => {
            Finding::no(BUILDING, truncate(format!("{}; {unmet}", missing.join("; ")), MESSAGE_MAX))
        }
        None => {
            let there = format!("{} images: {} built, {} reused", images.len(), pushed.len(), reused.len());
            let said = std::iter::once(there).chain(missing).collect::<Vec<_>>().join("; ");
            Finding::yes(AVAILABLE, truncate(said, MESSAGE_MAX))
        }
    }
}

/// How far an image is.
fn progress(image: &ImageStatus) -> String {
    let state = match image.state {
        ImageState::Queued => "queued",
        ImageState::Building => "building",
        ImageState::Failed => "failed",
        ImageState::Pushed | ImageState::Reused => "there",
    };
    let said = image.message.as_ref().map(|message| format!(" ({message})")).unwrap_or_default();
    format!("{}: {state}{said}", image.component)
}

/// What is waited for in the repositories, until then. Of a time that passes nothing is said, so that the words stay the same.
pub(crate) fn of_wait(missing: &[MissingPackage], until: Timestamp, timeout: &str) -> Finding {
    let message = format!("waits until {until} (require.timeout {timeout}) for {}", told(missing));
    Finding::no(NOT_YET_THERE, truncate(message, MESSAGE_MAX))
}

/// What didn't come in time; in no time, if there was none to wait.
pub(crate) fn of_missing(missing: &[MissingPackage], timeout: Option<&str>) -> Finding {
    let within = timeout.map(|timeout| format!(" within {timeout} (require.timeout)")).unwrap_or_default();
    let message = format!("the repositories didn't have{within}: {}", told(missing));
    Finding::no(REQUIREMENT_UNMET, truncate(message, MESSAGE_MAX))
}

fn told(missing: &[MissingPackage]) -> String {
    let one = |MissingPackage { name, wanted, found }: &MissingPackage| {
        let name = if name == "*" { "a package" } else { name };
        let found = found.as_deref().unwrap_or("nothing of that name");
        format!("{name} {wanted}: there is {found}")
    };
    missing.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What was to be done about images and failed, with what is known of how to mend it.
pub(crate) fn of_failure(reason: &str, message: String) -> Finding {
    match openshift::hint(&message) {
        Some(hint) => Finding::no(reason, format!("{message}; {hint}")),
        None => Finding::no(reason, message),
    }
}
