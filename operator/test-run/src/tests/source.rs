//! A run that finds out which packages it needs, and waits for them.

use copr_operator_api::v1alpha1::{
    CoprInstanceSpec, ImageState, ImageStatus, InstalledPackage, MissingPackage, Outcome, PackagesStatus,
    PackagesWait, Phase, SourcePackage,
};
use copr_operator_source::Found;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::world::{LISTING, World, time};
use crate::source::{Asked, fill};

const HEAD: &str = "5d37cd838e4b1f6a2c0d9e8f7a6b5c4d3e2f1a0b";

fn world_with(template: &Value) -> World {
    let mut packages = json!({"repositories": [{"name": "pr", "baseURL": "https://pr.example/"}]});
    for (key, value) in template.as_object().unwrap() {
        packages[key] = value.clone();
    }
    let mut world = World::new(&json!({
        "instance": {"template": {
            "packages": packages,
            "registry": {"url": "quay.io/team"},
            "chroots": ["fedora-44-x86_64"],
        }},
        "suite": {"tests": ["auth"]},
        "source": {"repository": "fedora-copr/copr", "pullRequest": 7, "packages": {}},
    }));
    world.kept = Some((LISTING.into(), "quay.io/team/copr-sanity:0f@sha256:5a".into()));
    world.forge = found(&["copr-frontend"]);
    world
}

pub fn world() -> World {
    world_with(&json!({}))
}

pub fn found(names: &[&str]) -> Asked {
    let package = |name: &&str| SourcePackage {
        name: (*name).into(),
        folder: name.trim_start_matches("copr-").into(),
        commits: vec!["9278b61ab0c1".into(), "5d37cd838e4b".into()],
        ..SourcePackage::default()
    };
    Asked::Found(Found {
        commit: HEAD.into(),
        merge_commit: None,
        packages: names.iter().map(package).collect(),
    })
}

/// Reconciles until the instance is there.
fn with_instance() -> World {
    let mut world = world();
    for _ in 0..3 {
        world.reconcile();
    }
    world
}

/// The instance says this of packages.
fn says_of_packages(world: &mut World, packages: PackagesStatus) {
    world.instance_mut().status.get_or_insert_default().packages = Some(packages);
}

fn waits_for_frontend(world: &mut World) {
    let message = "waits until 2027-01-15T10:00:00Z (require.timeout 2h) for copr-frontend of commit 9278b61ab0c1: there is nothing";
    world.images_say("False", "PackagesNotYetThere", message);
    let missing =
        MissingPackage { name: "copr-frontend".into(), wanted: "of commit 9278b61ab0c1".into(), found: None };
    let wait =
        PackagesWait { hash: "1".into(), since: Some(Time(world.now())), over: None, missing: vec![missing] };
    says_of_packages(world, PackagesStatus { wait: Some(wait), ..PackagesStatus::default() });
}

fn has_frontend(world: &mut World) {
    world.images_say("False", "ImagesBuilding", "building: frontend");
    let wait = PackagesWait { hash: "1".into(), over: Some(Time(world.now())), ..PackagesWait::default() };
    says_of_packages(world, PackagesStatus { wait: Some(wait), ..PackagesStatus::default() });
}

#[test]
fn the_forge_is_asked_once_and_the_instance_is_made_from_what_was_written_down() {
    let mut world = world();
    assert!(world.reconcile().instance.is_none(), "the run has just left the queue");
    assert_eq!((world.phase(), world.questions.get()), (Phase::Pending, 0));
    assert_eq!(world.condition("PackagesKnown").1, "Asking");
    let plan = world.reconcile();
    assert!(plan.instance.is_none(), "what it needs isn't written down yet");
    assert_eq!(plan.requeue.unwrap().as_secs(), 1);
    let said = world.condition("PackagesKnown");
    assert_eq!(
        (said.0.as_str(), said.1.as_str(), said.2.as_str()),
        ("True", "Known", "pull request 7 at 5d37cd838e4b needs 1 packages: copr-frontend")
    );
    let instance = world.reconcile().instance.unwrap();
    let require = instance.spec.packages.unwrap().require.unwrap();
    assert_eq!(require.commits.unwrap()["copr-frontend"], ["9278b61ab0c1", "5d37cd838e4b"]);
    assert_eq!(require.timeout.as_deref(), Some("2h"));
    world.pass(600);
    world.reconcile();
    assert_eq!(world.questions.get(), 1);
    assert_eq!(world.status().source.unwrap().commit.as_deref(), Some(HEAD));
    assert_eq!(world.told(), ["PackagesKnown"]);
}

#[test]
fn what_it_waits_for_is_told_until_it_is_there_and_builds_have_their_own_time() {
    let mut world = with_instance();
    waits_for_frontend(&mut world);
    // Far beyond buildTimeout and readyTimeout.
    world.pass(7000);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Pending);
    let (_, reason, message) = world.condition("InstanceReady");
    assert_eq!(reason, "PackagesNotYetThere");
    assert!(message.contains("for copr-frontend of commit 9278b61ab0c1: there is nothing"), "{message}");
    assert_eq!(world.condition("Succeeded").2, message);
    assert!(!world.status().source.unwrap().packages[0].there);

    has_frontend(&mut world);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Building);
    assert_eq!(world.status().timestamps.packages_there.unwrap().0, time(7000));
    assert!(world.status().source.unwrap().packages[0].there);
    assert_eq!(world.told(), ["PackagesKnown", "PackagesAwaited", "PackagesThere", "Building"]);
    world.pass(3599);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Building);
    world.pass(1);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert!(world.condition("Succeeded").2.contains("not there within 1h"));
}

#[test]
fn packages_that_do_not_come_end_the_run_with_a_reason_of_their_own() {
    let mut world = with_instance();
    waits_for_frontend(&mut world);
    world.reconcile();
    let why =
        "the repositories didn't have within 2h (require.timeout): copr-frontend of commit 9278b61ab0c1";
    world.images_say("False", "PackagesRequirementUnmet", why);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert_eq!(world.test("auth").reason.as_deref(), Some("PackagesMissing"));
    assert_eq!(
        world.condition("Succeeded").2,
        format!("the packages that are to be tested didn't come: {why}")
    );
    assert_eq!(world.condition("InstanceReady").1, "PackagesRequirementUnmet");
}

#[test]
fn images_that_got_something_else_are_another_matter() {
    let mut world = with_instance();
    has_frontend(&mut world);
    world.reconcile();
    world.images_say("False", "PackagesRequirementUnmet", "dnf took another one");
    world.reconcile();
    assert_eq!(world.test("auth").reason.as_deref(), Some("ImagesUnavailable"));
}

#[test]
fn a_repository_that_is_away_while_it_is_waited_for_does_not_end_the_wait() {
    let mut world = with_instance();
    waits_for_frontend(&mut world);
    world.pass(7000);
    world.images_say("False", "RepositoryUnreadable", "repository pr: answered 503");
    world.reconcile();
    assert_eq!(world.phase(), Phase::Pending);
    // The instance would look once more, and can't.
    world.pass(200);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert!(world.condition("Succeeded").2.contains("answered 503"));
}

#[test]
fn what_the_template_requires_stays_and_wins() {
    let require = json!({
        "commit": "abcdef0", "packages": {"copr-frontend": "2.7"}, "commits": {"copr-cli": ["1234567"]}, "timeout": "10m",
    });
    let mut world = world_with(&json!({"require": require}));
    world.forge = found(&["copr-frontend", "copr-cli", "copr-keygen"]);
    world.reconcile();
    world.reconcile();
    let require = world.reconcile().instance.unwrap().spec.packages.unwrap().require.unwrap();
    assert_eq!(
        serde_json::to_value(require).unwrap(),
        json!({
            "commit": "abcdef0", "packages": {"copr-frontend": "2.7"}, "timeout": "10m",
            "commits": {"copr-cli": ["1234567"], "copr-keygen": ["9278b61ab0c1", "5d37cd838e4b"]},
        })
    );
}

#[test]
fn a_template_without_packages_is_left_alone() {
    let mut spec: CoprInstanceSpec =
        serde_json::from_value(json!({"images": {"registry": "q"}, "chroots": ["fedora-44-x86_64"]}))
            .unwrap();
    let before = spec.clone();
    let Asked::Found(found) = found(&["copr-cli"]) else { unreachable!() };
    let source = copr_operator_api::v1alpha1::SourceStatus { packages: found.packages, ..Default::default() };
    fill(&mut spec, &source, "2h");
    assert_eq!(spec, before);
}

#[test]
fn what_a_green_run_means_is_in_its_status() {
    let mut world = with_instance();
    has_frontend(&mut world);
    world.reconcile();
    world.instance_is_ready();
    let installed =
        |nevra: &str| InstalledPackage { nevra: nevra.into(), repository: "pr".into(), source: None };
    let image = ImageStatus {
        component: "frontend".into(),
        state: ImageState::Pushed,
        packages: vec![
            installed("copr-frontend-fedora-2.7-1.git.9.9278b61.fc44.noarch"),
            installed("copr-frontend-1:2.7-1.git.9.9278b61.fc44.noarch"),
        ],
        ..ImageStatus::default()
    };
    let wait = PackagesWait { hash: "1".into(), over: Some(Time(world.now())), ..PackagesWait::default() };
    let packages = PackagesStatus { wait: Some(wait), images: vec![image], ..PackagesStatus::default() };
    says_of_packages(&mut world, packages);
    world.reconcile();
    world.passes("auth");
    world.reconcile();
    assert_eq!(world.phase(), Phase::Passed);
    let status = world.status();
    let source = serde_json::to_value(status.source.unwrap()).unwrap();
    assert_eq!(
        source["packages"],
        json!([{
            "name": "copr-frontend", "folder": "frontend", "commits": ["9278b61ab0c1", "5d37cd838e4b"], "there": true,
            "nevra": "copr-frontend-1:2.7-1.git.9.9278b61.fc44.noarch", "repository": "pr", "commit": "9278b61ab0c1",
        }])
    );
    assert_eq!(source["commit"], HEAD);
    assert_eq!(status.images["frontend"], "quay.io/copr/copr-frontend@sha256:0f");
    assert_eq!(status.suite.unwrap().image, "quay.io/team/copr-sanity:0f@sha256:5a");
    assert_eq!(status.packages.len(), 2);
}

#[test]
fn a_wait_that_nobody_derived_lasts_as_long_as_the_instance_says() {
    let mut world =
        world_with(&json!({"require": {"packages": {"copr-frontend": "9278b61ab0c1"}, "timeout": "3h"}}));
    world.run.spec.source = None;
    world.reconcile();
    waits_for_frontend(&mut world);
    world.pass(7200);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Pending);
    assert_eq!(world.condition("InstanceReady").1, "PackagesNotYetThere");
    assert!(world.status().source.is_none());
    assert_eq!(world.outcome("auth"), (Outcome::Pending, 0));
}
