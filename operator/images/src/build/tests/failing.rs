//! Builds that fail or don't get on: why, and when they are tried again.

use super::*;
use crate::build::{
    condition,
    decide::{Plan, Warning, next_try},
};
use copr_operator_api::status::images;

fn refused() -> BTreeMap<String, Warning> {
    let message =
        "pods \"copr-image-base-\" is forbidden: violates PodSecurity \"baseline:latest\"".to_owned();
    [("job-base".to_owned(), Warning { reason: condition::BUILD_REFUSED, message })].into()
}

fn ended(code: i32, message: &str) -> Pod {
    pod(Image::Base, &json!({"terminated": {"exitCode": code, "message": message}}))
}

fn failed_with(code: i32, message: &str) -> Seen {
    Seen {
        jobs: vec![job(Image::Base, "team", "demo", &failed("Job has reached the specified backoff limit"))],
        pods: vec![ended(code, message)],
        ..nothing()
    }
}

fn base(images: &[ImageStatus]) -> &ImageStatus {
    status(images, Image::Base)
}

#[test]
fn a_pod_that_is_refused_is_told_at_once_in_the_clusters_words() {
    let mut images = fresh();
    let seen =
        Seen { jobs: vec![job(Image::Base, "team", "demo", &json!({}))], warnings: refused(), ..nothing() };
    step(&mut images, &seen);
    let found = base(&images);
    assert_eq!((found.state, found.reason.as_deref()), (ImageState::Building, Some("BuildRefused")));
    assert!(found.message.as_ref().unwrap().contains("violates PodSecurity"), "{found:?}");
}

#[test]
fn after_the_time_limit_the_clusters_words_stay() {
    let deadline = json!({"conditions": [{
        "type": "Failed", "status": "True", "reason": "DeadlineExceeded",
        "message": "Job was active longer than specified deadline", "lastTransitionTime": "1970-01-01T00:03:10Z",
    }]});
    let over = Seen { jobs: vec![job(Image::Base, "team", "demo", &deadline)], ..nothing() };
    let said = "Job was active longer than specified deadline: pods \"copr-image-base-\" is forbidden: violates PodSecurity \"baseline:latest\"";
    // The event is there, or has been forgotten by then.
    let mut images = fresh();
    step(&mut images, &Seen { warnings: refused(), ..over.clone() });
    assert_eq!(
        (base(&images).message.as_deref(), base(&images).reason.as_deref()),
        (Some(said), Some("BuildRefused"))
    );
    let mut images = fresh();
    let before = vec![job(Image::Base, "team", "demo", &json!({}))];
    step(&mut images, &Seen { jobs: before, warnings: refused(), ..nothing() });
    step(&mut images, &over);
    assert_eq!(
        (base(&images).message.as_deref(), base(&images).reason.as_deref()),
        (Some(said), Some("BuildRefused"))
    );
    // And nothing is added to it at the next look.
    step(&mut images, &over);
    assert_eq!(base(&images).failures, 1);
}

#[test]
fn a_pod_that_cannot_start_says_why() {
    let mut images = fresh();
    let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}});
    let seen = Seen {
        jobs: vec![job(Image::Base, "team", "demo", &active())],
        pods: vec![pod(Image::Base, &waiting)],
        ..nothing()
    };
    step(&mut images, &seen);
    assert_eq!(
        (base(&images).state, base(&images).reason.as_deref()),
        (ImageState::Building, Some("BuildBlocked"))
    );
    assert!(base(&images).message.as_ref().unwrap().contains("not found"));
}

#[test]
fn a_build_that_waits_says_for_what_until_it_gets_on() {
    let away = || Warning {
        reason: condition::BUILD_WAITING,
        message: "the push failed: connection refused".into(),
    };
    let mut images = fresh();
    let waits = Seen {
        jobs: vec![job(Image::Base, "team", "demo", &json!({"active": 1, "ready": 0}))],
        warnings: [("job-base".to_owned(), away())].into(),
        ..nothing()
    };
    step(&mut images, &waits);
    let said = |images: &[ImageStatus]| {
        let base = base(images);
        (base.state, base.reason.clone(), base.message.clone())
    };
    let told = (Some("BuildWaiting".to_owned()), Some("the push failed: connection refused".to_owned()));
    assert_eq!(said(&images), (ImageState::Building, told.0, told.1));
    let runs = Seen { jobs: vec![job(Image::Base, "team", "demo", &active())], ..nothing() };
    step(&mut images, &runs);
    assert_eq!(said(&images), (ImageState::Building, None, None));
}

#[test]
fn only_what_dnf_says_no_to_is_final() {
    let reason_of = |code| {
        let mut images = fresh();
        step(&mut images, &failed_with(code, "words"));
        let status = copr_operator_api::v1alpha1::PackagesStatus { images, ..Default::default() };
        let spec =
            serde_saphyr::from_str("repositories: [{name: main, baseURL: 'https://main.example/'}]").unwrap();
        condition::of_all(&spec, &status).reason
    };
    assert!(images::is_final(&reason_of(1)));
    for code in [2, 3, 137] {
        assert!(!images::is_final(&reason_of(code)), "{code}");
    }
}

#[test]
fn a_build_without_enough_memory_says_so() {
    let mut images = fresh();
    let killed =
        json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "[ 12.0s] building"}});
    let seen = Seen { pods: vec![pod(Image::Base, &killed)], ..failed_with(0, "") };
    step(&mut images, &seen);
    assert!(base(&images).message.as_ref().unwrap().contains("packages.build.resources"), "{images:?}");
}

#[test]
fn the_pauses_between_builds_that_fail_grow() {
    let mut images = fresh();
    let mut pauses = Vec::new();
    for _ in 0..4 {
        step(&mut images, &failed_with(2, "the mirror is away"));
        pauses.push(next_try(&images).unwrap().duration_since(at(190)).as_secs());
        // Looking again changes nothing.
        step(&mut images, &failed_with(2, "the mirror is away"));
        images[0].state = ImageState::Building;
    }
    assert_eq!(pauses, [60, 120, 240, 480]);
}

#[test]
fn when_its_time_has_come_the_failed_job_makes_room_for_the_next() {
    let mut images = fresh();
    let seen = failed_with(2, "the mirror is away");
    assert_eq!(decide(&mut images, &seen, at(200)), Plan::default());
    // The Job may be gone before that; what it said stays.
    assert_eq!(decide(&mut images, &nothing(), at(249)), Plan::default());
    assert_eq!(base(&images).message.as_deref(), Some("the mirror is away"));
    assert_eq!(decide(&mut images, &seen, at(250)).delete, ["copr-image-base"]);
    assert_eq!(decide(&mut images, &nothing(), at(251)).build, [Image::Base]);
}

#[test]
fn a_mended_spec_takes_effect_at_once() {
    let mended = || Seen { wanted: [(Image::Base, "copr-image-base-other".to_owned())].into(), ..nothing() };
    // The Job of the spec before can't start, and is deleted; the next one is made in the same step.
    let mut images = fresh();
    let stuck = vec![job(Image::Base, "team", "demo", &json!({}))];
    step(&mut images, &Seen { jobs: stuck.clone(), warnings: refused(), ..nothing() });
    let plan = decide(&mut images, &Seen { jobs: stuck, ..mended() }, at(200));
    assert_eq!((plan.delete, plan.build), (vec!["copr-image-base".to_owned()], vec![Image::Base]));
    // One that has failed holds up nothing, either.
    let mut images = fresh();
    step(&mut images, &failed_with(2, "x"));
    let plan = decide(&mut images, &Seen { jobs: failed_with(2, "x").jobs, ..mended() }, at(200));
    assert_eq!(plan.build, [Image::Base]);
}

#[test]
fn a_job_on_its_way_out_does_nothing_any_more() {
    let mut images = fresh();
    let mut going = job(Image::Base, "team", "demo", &active());
    going.metadata.deletion_timestamp = serde_json::from_value(json!("1970-01-01T00:03:00Z")).unwrap();
    let plan = decide(&mut images, &Seen { jobs: vec![going], ..nothing() }, at(200));
    assert_eq!((plan.build, plan.delete), (vec![Image::Base], Vec::new()));
}

#[test]
fn repositories_that_have_changed_are_looked_at_again() {
    let mut images = fresh();
    let plan = decide(&mut images, &failed_with(3, "main served copr-keygen-9"), at(200));
    assert!(plan.changed);
    // The same Job can't be made again as long as this one is there.
    assert_eq!(plan.delete, ["copr-image-base"]);
}

#[test]
fn what_is_watched_or_known_is_not_polled() {
    use crate::build::decide::wake::wake;
    use std::time::Duration;

    let now = at(200);
    let after = |images: &[ImageStatus], seen: &Seen| wake(images, seen, now);
    let mut images = fresh();
    let running = Seen { jobs: vec![job(Image::Base, "team", "demo", &active())], ..nothing() };
    step(&mut images, &running);
    assert_eq!(after(&images, &running), None);
    let stuck = Seen { jobs: vec![job(Image::Base, "team", "demo", &json!({}))], ..nothing() };
    step(&mut images, &stuck);
    assert_eq!(after(&images, &stuck), Some(Duration::from_secs(5)));
    let mut images = fresh();
    step(&mut images, &failed_with(2, "x"));
    assert_eq!(after(&images, &nothing()), Some(Duration::from_secs(50)));
}
