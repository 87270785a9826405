//! The turning points of images, told as events. Pure.

use copr_operator_api::{
    images::Image,
    v1alpha1::{ImageState, ImageStatus, PackagesStatus},
};
use copr_operator_kernel::report::truncate;
use kube::runtime::events::{Event, EventType};

const NOTE_MAX: usize = 1000;

/// What to tell of the step from one status to the next.
pub fn transitions(old: Option<&PackagesStatus>, new: Option<&PackagesStatus>) -> Vec<Event> {
    let before = |image: &ImageStatus| {
        let known = old?.images.iter().find(|known| known.component == image.component)?;
        (known.input_hash == image.input_hash).then_some(known.state)
    };
    let images = new
        .into_iter()
        .flat_map(|new| &new.images)
        .filter(|image| before(image) != Some(image.state))
        .map(event);
    of_wait(old, new).into_iter().chain(images).collect()
}

/// That the repositories are waited for, once, and that they have what was waited for.
fn of_wait(old: Option<&PackagesStatus>, new: Option<&PackagesStatus>) -> Option<Event> {
    let waits = |status: Option<&PackagesStatus>| {
        status.and_then(|status| status.wait.as_ref()).is_some_and(|wait| !wait.missing.is_empty())
    };
    let wait = new?.wait.as_ref()?;
    let (reason, note) = match (waits(old), waits(new)) {
        (false, true) => {
            let names: Vec<_> =
                wait.missing.iter().map(|package| format!("{} {}", package.name, package.wanted)).collect();
            ("PackagesAwaited", format!("not in the repositories: {}", names.join("; ")))
        }
        (true, false) if wait.over.is_some() => {
            ("PackagesThere", "the repositories have what packages.require says".to_owned())
        }
        _ => return None,
    };
    Some(Event {
        type_: EventType::Normal,
        reason: reason.into(),
        note: Some(truncate(note, NOTE_MAX)),
        action: "AwaitPackages".into(),
        secondary: None,
    })
}

fn event(image: &ImageStatus) -> Event {
    let component = &image.component;
    let elapsed = image.elapsed.as_ref().map(|elapsed| format!(" after {elapsed}")).unwrap_or_default();
    let where_ = image.image.as_deref().unwrap_or_default();
    let why = image.message.as_deref().unwrap_or_default();
    let (type_, reason, note) = match image.state {
        ImageState::Queued => (EventType::Normal, "ImageQueued", format!("{component}: {why}")),
        ImageState::Building => (EventType::Normal, "ImageBuilding", format!("{component} is being built")),
        ImageState::Pushed => (EventType::Normal, "ImagePushed", format!("{component}{elapsed}: {where_}")),
        ImageState::Reused => (EventType::Normal, "ImageReused", format!("{component}: {where_}")),
        ImageState::Failed => (EventType::Warning, "ImageBuildFailed", format!("{component}: {why}")),
    };
    Event {
        type_,
        reason: reason.into(),
        note: Some(truncate(note, NOTE_MAX)),
        // An action of its own for each image: kube's recorder merges events that differ in nothing but their note.
        action: Image::of_key(component).map_or("BuildImage", Image::action).into(),
        secondary: None,
    }
}
