//! What users read of images.

use copr_operator_api::{
    status::images,
    v1alpha1::{Packages, PackagesStatus},
};

use super::*;
use crate::build::{condition, events};

fn spec(require: &str) -> Packages {
    serde_saphyr::from_str(&format!(
        "repositories: [{{name: main, baseURL: 'https://main.example/', priority: 10}}]\n{require}"
    ))
    .unwrap()
}

fn with(states: [ImageState; 3]) -> PackagesStatus {
    let images = fresh().into_iter().zip(states).map(|(image, state)| ImageStatus { state, ..image });
    PackagesStatus { images: images.collect(), ..PackagesStatus::default() }
}

#[test]
fn progress_names_what_is_built_and_what_waits() {
    let finding =
        condition::of_all(&spec(""), &with([ImageState::Pushed, ImageState::Building, ImageState::Queued]));
    assert_eq!((finding.status, finding.reason.as_str()), ("False", condition::BUILDING));
    assert_eq!(finding.message, "1 of 3 images are there; building: redis; queued: keygen");
}

#[test]
fn one_failure_is_told_whatever_else_is_built() {
    let mut status = with([ImageState::Pushed, ImageState::Building, ImageState::Failed]);
    status.images[2].message = Some("nothing provides x".into());
    status.images[2].reason = Some(images::PACKAGES_REFUSED.into());
    let finding = condition::of_all(&spec(""), &status);
    assert_eq!(finding.reason, images::BUILD_FAILED);
    assert_eq!(finding.message, "keygen: nothing provides x");
    assert!(images::is_final(&finding.reason));
}

#[test]
fn images_that_lack_what_is_required_are_not_ready() {
    let there = with([ImageState::Reused, ImageState::Reused, ImageState::Pushed]);
    assert!(condition::of_all(&spec(""), &there).is_true());
    let finding = condition::of_all(&spec("require: {commit: 5d37cd838}"), &there);
    assert_eq!(finding.reason, images::REQUIREMENT_UNMET);
    assert!(finding.message.contains("no package was installed from main"), "{}", finding.message);
}

#[test]
fn a_suite_that_is_not_there_is_told_and_holds_nothing_back() {
    let mut status = with([ImageState::Pushed; 3]);
    status.images.push(ImageStatus {
        component: Image::SanityUpstream.key().into(),
        state: ImageState::Failed,
        message: Some("nothing provides x".into()),
        ..ImageStatus::default()
    });
    let finding = condition::of_all(&spec(""), &status);
    assert!(finding.is_true());
    assert_eq!(finding.message, "3 images: 3 built, 0 reused; sanityUpstream: failed (nothing provides x)");
    // What is required of packages may be met by it alone.
    let finding = condition::of_all(&spec("require: {versions: {copr-cli: '2.0'}}"), &status);
    assert_eq!((finding.status, finding.reason.as_str()), ("False", condition::BUILDING));
}

#[test]
fn each_change_of_an_image_is_told_once() {
    let (before, after) = (
        with([ImageState::Pushed, ImageState::Building, ImageState::Queued]),
        with([ImageState::Pushed, ImageState::Pushed, ImageState::Queued]),
    );
    let told = events::transitions(Some(&before), Some(&after));
    let reasons: Vec<_> = told.iter().map(|e| (e.reason.as_str(), e.action.as_str())).collect();
    assert_eq!(reasons, [("ImagePushed", "BuildRedisImage")]);
    assert!(events::transitions(Some(&after), Some(&after)).is_empty());
}

#[test]
fn new_inputs_are_told_from_the_start() {
    let before = with([ImageState::Pushed; 3]);
    let mut after = with([ImageState::Pushed, ImageState::Pushed, ImageState::Reused]);
    after.images[2].input_hash = "other".into();
    let told = events::transitions(Some(&before), Some(&after));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].reason, "ImageReused");
}

#[test]
fn a_wait_for_packages_is_told_when_it_begins_and_when_it_ends_well() {
    let waiting: PackagesStatus = serde_json::from_value(json!({"wait": {"hash": "1", "missing": [
        {"name": "copr-frontend", "wanted": "of commit 9278b61"},
    ]}}))
    .unwrap();
    let over: PackagesStatus =
        serde_json::from_value(json!({"wait": {"hash": "1", "over": "2026-11-26T10:00:00Z"}})).unwrap();
    let told = |old: Option<&PackagesStatus>, new| {
        let events = events::transitions(old, Some(new)).into_iter();
        events.map(|event| format!("{}: {}", event.reason, event.note.unwrap())).collect::<Vec<_>>()
    };
    let begins = ["PackagesAwaited: not in the repositories: copr-frontend of commit 9278b61"];
    assert_eq!(told(None, &waiting), begins);
    assert_eq!(told(Some(&waiting), &waiting), [""; 0]);
    assert_eq!(
        told(Some(&waiting), &over),
        ["PackagesThere: the repositories have what packages.require says"]
    );
    assert_eq!(told(None, &over), [""; 0], "what was there at once is no news");
}
