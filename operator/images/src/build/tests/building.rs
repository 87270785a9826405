//! From nothing to every image in the registry.

use super::*;
use crate::build::decide;

#[test]
fn base_is_built_first_and_the_others_wait_for_it() {
    let mut images = fresh();
    assert_eq!(step(&mut images, &nothing()), [Image::Base]);
    assert_eq!(status(&images, Image::Keygen).message.as_deref(), Some("waits for the base image"));
}

#[test]
fn with_base_in_the_registry_the_others_start_in_the_same_step() {
    let mut images = fresh();
    let seen = Seen { found: [found(Image::Base)].into(), ..nothing() };
    assert_eq!(step(&mut images, &seen), [Image::Redis, Image::Keygen]);
    assert_eq!(status(&images, Image::Base).state, ImageState::Reused);
}

#[test]
fn a_suite_waits_for_the_one_that_it_starts_from() {
    let of_suites = [Image::Base, Image::Sanity, Image::SanityUpstream];
    let mut images = fresh_of(of_suites);
    let seen = Seen { found: [found(Image::Base)].into(), ..nothing_of(of_suites) };
    assert_eq!(step(&mut images, &seen), [Image::Sanity]);
    let upstream = status(&images, Image::SanityUpstream);
    assert_eq!(upstream.message.as_deref(), Some("waits for the sanity image"));
    let seen = Seen { found: [found(Image::Base), found(Image::Sanity)].into(), ..seen };
    assert_eq!(step(&mut images, &seen), [Image::SanityUpstream]);
}

#[test]
fn what_is_in_the_registry_is_reused_by_digest_and_its_packages_are_known() {
    let mut images = fresh();
    let all = [found(Image::Base), found(Image::Redis), found(Image::Keygen)];
    assert!(step(&mut images, &Seen { found: all.into(), ..nothing() }).is_empty());
    let keygen = status(&images, Image::Keygen);
    assert_eq!(keygen.state, ImageState::Reused);
    assert_eq!(
        keygen.image.as_deref(),
        Some(&*format!("registry.example/copr/copr-keygen:{}@sha256:keygen", hash(Image::Keygen)))
    );
    let packages: Vec<_> =
        keygen.packages.iter().map(|p| (p.nevra.as_str(), p.repository.as_str())).collect();
    assert_eq!(packages, [("a-1-1.noarch", "pr"), ("copr-keygen-2.2-1.fc44.noarch", "main")]);
}

#[test]
fn an_image_of_its_own_job_is_pushed_and_says_how_long_it_took() {
    let mut images = fresh();
    decide::started(&mut images, Image::Base, "copr-image-base", at(100));
    assert_eq!(status(&images, Image::Base).state, ImageState::Building);
    let job = job(
        Image::Base,
        "team",
        "demo",
        &json!({
            "completionTime": "1970-01-01T00:02:21Z",
            "conditions": [{"type": "Complete", "status": "True"}],
        }),
    );
    let seen = Seen { jobs: vec![job], found: [found(Image::Base)].into(), ..nothing() };
    step(&mut images, &seen);
    let base = status(&images, Image::Base);
    assert_eq!((base.state, base.elapsed.as_deref()), (ImageState::Pushed, Some("41s")));
}

#[test]
fn a_job_that_runs_is_waited_for_also_by_an_operator_that_has_just_started() {
    let mut images = fresh();
    let seen = Seen { jobs: vec![job(Image::Base, "team", "demo", &active())], ..nothing() };
    assert!(step(&mut images, &seen).is_empty());
    assert_eq!(states(&images)[0], ("base", ImageState::Building));
    assert_eq!(status(&images, Image::Base).started_at.as_ref().unwrap().0, at(100));
}

#[test]
fn a_failed_build_repeats_the_last_words_of_its_pod() {
    let mut images = fresh();
    let said = "keygen: dnf could not install\nError: nothing provides x";
    let terminated = json!({"terminated": {"exitCode": 1, "message": said}});
    let seen = Seen {
        jobs: vec![job(Image::Base, "team", "demo", &failed("Job has reached"))],
        pods: vec![pod(Image::Base, &terminated)],
        ..nothing()
    };
    assert!(step(&mut images, &seen).is_empty());
    assert_eq!(status(&images, Image::Base).state, ImageState::Failed);
    assert_eq!(status(&images, Image::Base).message.as_deref(), Some(said));
    assert_eq!(status(&images, Image::Keygen).message.as_deref(), Some("the base image could not be built"));
}

#[test]
fn a_failed_build_without_a_pod_says_what_its_job_says() {
    let mut images = fresh();
    let status_ = failed("Job was active longer than specified deadline");
    let seen = Seen { jobs: vec![job(Image::Base, "team", "demo", &status_)], ..nothing() };
    step(&mut images, &seen);
    let said = status(&images, Image::Base).message.clone();
    assert_eq!(said.as_deref(), Some("Job was active longer than specified deadline"));
}

#[test]
fn what_is_there_is_not_looked_at_again() {
    let mut images = fresh();
    let all = [found(Image::Base), found(Image::Redis), found(Image::Keygen)];
    step(&mut images, &Seen { found: all.into(), ..nothing() });
    let before = images.clone();
    assert!(step(&mut images, &nothing()).is_empty());
    assert_eq!(images, before);
}

#[test]
fn a_job_that_the_api_server_would_not_have_is_told_of_until_it_has() {
    let mut images = fresh();
    assert_eq!(step(&mut images, &nothing()), [Image::Base]);
    decide::refused(&mut images, Image::Base, "failed to create Job j: exceeded quota: q");
    let base = status(&images, Image::Base);
    let said = (base.state, base.reason.as_deref(), base.message.as_deref());
    let quota = "failed to create Job j: exceeded quota: q";
    assert_eq!(said, (ImageState::Queued, Some("BuildRefused"), Some(quota)));
    assert_eq!(step(&mut images, &nothing()), [Image::Base], "and tried again");
    assert_eq!(status(&images, Image::Base).reason, None);
}
