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
    new.into_iter()
        .flat_map(|new| &new.images)
        .filter(|image| before(image) != Some(image.state))
        .map(event)
        .collect()
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
