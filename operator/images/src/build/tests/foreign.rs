//! Jobs of other instances that build the same image.

use super::*;
use crate::build::decide::wake::wake;

const OTHERS: &str = "another instance builds the same image";

/// What is made of a Job of another instance.
fn beside(status: &Value, created: &str) -> (Vec<Image>, ImageStatus) {
    let mut images = fresh();
    let mut foreign = job(Image::Base, "elsewhere", "other", status);
    foreign.metadata.creation_timestamp = serde_json::from_value(json!(created)).unwrap();
    let to_build = step(&mut images, &Seen { jobs: vec![foreign], ..nothing() });
    (to_build, status_of_base(&images))
}

fn status_of_base(images: &[ImageStatus]) -> ImageStatus {
    status(images, Image::Base).clone()
}

const LONG_AGO: &str = "1970-01-01T00:01:40Z";
const JUST_NOW: &str = "1970-01-01T00:03:18Z";
const A_MOMENT_AGO: &str = "1970-01-01T00:03:17Z";

#[test]
fn one_that_runs_is_waited_for_and_nobody_learns_whose_it_is() {
    let (to_build, base) = beside(&active(), LONG_AGO);
    assert!(to_build.is_empty());
    assert_eq!((base.state, base.message.as_deref()), (ImageState::Queued, Some(OTHERS)));
}

#[test]
fn when_it_is_gone_the_build_is_ones_own() {
    let mut images = fresh();
    let seen = Seen { jobs: vec![job(Image::Base, "elsewhere", "other", &active())], ..nothing() };
    assert!(step(&mut images, &seen).is_empty());
    assert_eq!(step(&mut images, &nothing()), [Image::Base]);
}

#[test]
fn one_that_cannot_start_holds_up_nobody() {
    // Refused by the API server: no pod at all. Unschedulable or without its image: a pod that isn't ready.
    for status in [json!({}), json!({"active": 0}), json!({"active": 1, "ready": 0})] {
        assert_eq!(beside(&status, LONG_AGO).0, [Image::Base], "{status}");
        // It may just not have come to it.
        assert!(beside(&status, JUST_NOW).0.is_empty(), "{status}");
    }
}

#[test]
fn a_pod_is_refused_at_once_and_starts_within_a_minute() {
    for status in [json!({}), json!({"active": 0})] {
        assert_eq!(beside(&status, A_MOMENT_AGO).0, [Image::Base], "{status}");
    }
    assert!(beside(&json!({"active": 1, "ready": 0}), A_MOMENT_AGO).0.is_empty());
}

#[test]
fn one_that_may_have_been_refused_is_looked_at_again_as_soon_as_that_is_known() {
    let after = |status: &Value| {
        let mut images = fresh();
        let mut foreign = job(Image::Base, "elsewhere", "other", status);
        foreign.metadata.creation_timestamp = serde_json::from_value(json!(JUST_NOW)).unwrap();
        let seen = Seen { jobs: vec![foreign], ..nothing() };
        assert!(step(&mut images, &seen).is_empty());
        wake(&images, &seen, at(200)).unwrap().as_secs()
    };
    assert_eq!(after(&json!({})), 2);
    assert_eq!(after(&active()), 5);
}

#[test]
fn one_that_takes_longer_than_a_build_may_holds_up_nobody() {
    let mut images = fresh();
    let seen = Seen {
        jobs: vec![job(Image::Base, "elsewhere", "other", &active())],
        timeout: jiff::SignedDuration::from_secs(99),
        ..nothing()
    };
    assert_eq!(step(&mut images, &seen), [Image::Base]);
}

#[test]
fn its_failure_is_not_ones_own() {
    assert_eq!(beside(&failed("x"), LONG_AGO).0, [Image::Base]);
}

#[test]
fn one_that_pushes_elsewhere_is_another_build() {
    let mut images = fresh();
    let mut foreign = job(Image::Base, "elsewhere", "other", &active());
    foreign.metadata.annotations.get_or_insert_default().insert(IMAGE.into(), "quay.io/x:1".into());
    assert_eq!(step(&mut images, &Seen { jobs: vec![foreign], ..nothing() }), [Image::Base]);
}

#[test]
fn one_of_an_instance_that_had_the_same_name_before_is_not_ones_own() {
    let mut images = fresh();
    let mut before = job(Image::Base, "team", "demo", &failed("x"));
    before.metadata.owner_references.as_mut().unwrap()[0].uid = "older".into();
    assert_eq!(step(&mut images, &Seen { jobs: vec![before], ..nothing() }), [Image::Base]);
}
