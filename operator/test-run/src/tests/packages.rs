//! What a run makes of images that are built first.

use copr_operator_api::v1alpha1::{
    ImageState, ImageStatus, InstalledPackage, KeepInstance, Outcome, PackagesStatus, Phase, SuiteName,
};
use serde_json::{Value, json};

use super::world::{INSTANCE, LISTING, World, time};

/// The image of the suite that was built.
const BUILT: &str = "quay.io/team/copr-sanity:0f@sha256:5a";

const UPSTREAM: &str = "quay.io/team/copr-sanity-upstream:0f@sha256:75";

/// A run whose instance is built from packages, and exists.
fn world() -> World {
    let mut world = World::new(&json!({
        "instance": {"template": {
            "packages": {"repositories": [{"name": "pr", "baseURL": "https://pr.example/"}]},
            "registry": {"url": "quay.io/team", "pushSecret": {"name": "robot"}},
            "chroots": ["fedora-44-x86_64"],
        }},
        "suite": {"tests": ["auth"]},
    }));
    world.kept = Some((LISTING.into(), BUILT.into()));
    world.reconcile();
    world
}

/// The same for Copr's own suite.
fn upstream(instance: &Value) -> World {
    let mut world = World::new(&json!({"instance": instance, "suite": {"name": "upstream"}}));
    world.kept = None;
    world
}

#[test]
fn the_runs_own_instance_has_the_suite_built_that_the_run_is_of() {
    let packages = json!({"repositories": [{"name": "pr", "baseURL": "https://pr.example/"}]});
    let template = json!({"packages": packages, "chroots": ["fedora-44-x86_64"]});
    let mut world = upstream(&json!({"template": template}));
    let instance = world.reconcile().instance.unwrap();
    assert_eq!(instance.spec.tests.suites, [SuiteName::Smoke, SuiteName::Upstream]);
    let of_smoke = World::new(&json!({"instance": {"template": template}})).reconcile().instance.unwrap();
    assert_eq!(of_smoke.spec.tests.suites, [SuiteName::Smoke]);
    let image =
        json!({"instance": {"template": template}, "suite": {"name": "upstream", "image": "quay.io/me/s:1"}});
    assert_eq!(World::new(&image).reconcile().instance.unwrap().spec.tests.suites, [SuiteName::Smoke]);
}

#[test]
fn an_instance_by_name_that_lacks_the_suite_says_which_line_to_add() {
    let mut world = upstream(&json!({"name": INSTANCE}));
    world.instance_is_made(INSTANCE, &[]);
    let spec = &mut world.instance_mut().spec;
    spec.images.registry = None;
    spec.packages =
        serde_json::from_value(json!({"repositories": [{"name": "pr", "baseURL": "https://pr.example/"}]}))
            .unwrap();
    world.images_say("True", "Available", "");
    world.instance_is_ready();
    world.reconcile();
    let (status, reason, said) = world.condition("InstanceReady");
    assert_eq!((status.as_str(), reason.as_str()), ("False", "SuiteImageMissing"));
    assert!(said.contains("spec.tests.suites to [smoke, upstream]"), "{said}");

    // Somebody does so. The instance goes on as it is.
    world.instance_mut().spec.tests.suites.push(SuiteName::Upstream);
    suite_is(&mut world, ImageState::Building, None);
    world.images_say("True", "Available", "11 images: 11 built, 0 reused; sanityUpstream: building");
    world.reconcile();
    let (_, reason, said) = world.condition("InstanceReady");
    assert_eq!(reason, "SuiteImageBuilding");
    assert!(said.ends_with("sanityUpstream: building"), "{said}");
    assert_eq!(world.phase(), Phase::Building);
    suite_is(&mut world, ImageState::Pushed, None);
    let images = &mut world.instance_mut().status.get_or_insert_default().images;
    images.insert("sanityUpstream".into(), UPSTREAM.into());
    let pod = world.reconcile().pods[0].spec.clone().unwrap();
    assert_eq!(pod.containers[0].image.as_deref(), Some(UPSTREAM));
}

/// The image of Copr's own suite, beside those that the instance runs.
fn suite_is(world: &mut World, state: ImageState, failed: Option<(&str, &str)>) {
    let image = ImageStatus {
        component: "sanityUpstream".into(),
        state,
        reason: failed.map(|(reason, _)| reason.into()),
        message: failed.map(|(_, message)| message.into()),
        ..ImageStatus::default()
    };
    let status = world.instance_mut().status.get_or_insert_default();
    status.packages = Some(PackagesStatus { images: vec![image], ..PackagesStatus::default() });
}

#[test]
fn a_suite_that_cannot_be_built_ends_its_runs_and_no_other() {
    for (suite, reason, phase) in [
        ("upstream", "PackagesRefused", Phase::Error),
        ("upstream", "BuildInterrupted", Phase::Building),
        ("smoke", "PackagesRefused", Phase::Provisioning),
    ] {
        let template = json!({
            "packages": {"repositories": [{"name": "pr", "baseURL": "https://pr.example/"}]},
            "tests": {"suites": ["smoke", "upstream"]}, "chroots": ["fedora-44-x86_64"],
        });
        let mut world = World::new(&json!({"instance": {"template": template}, "suite": {"name": suite}}));
        world.kept = None;
        world.reconcile();
        suite_is(&mut world, ImageState::Failed, Some((reason, "nothing provides beakerlib")));
        world.images_say("True", "Available", "");
        world.instance_is_ready();
        world.reconcile();
        assert_eq!(world.phase(), phase, "{suite} {reason}");
        let said = world.condition("InstanceReady").2;
        assert_eq!(said.contains("nothing provides beakerlib"), suite == "upstream", "{said}");
    }
}

#[test]
fn a_run_is_building_until_its_images_are_there() {
    let mut world = world();
    assert_eq!(world.phase(), Phase::Building);
    world.images_say("False", "ImagesBuilding", "1 of 11 images are there; building: keygen");
    world.pass(60);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Building);
    assert_eq!(world.condition("InstanceReady").2, "1 of 11 images are there; building: keygen");
    world.pass(60);
    world.images_say("True", "Available", "11 images: 1 built, 10 reused");
    world.instance_says("False", "Starting", "waiting for frontend");
    world.reconcile();
    assert_eq!(world.phase(), Phase::Provisioning);
    assert_eq!(world.status().timestamps.images_ready.unwrap().0, time(120));
    assert_eq!(world.told(), ["Building", "ImagesReady", "Provisioning"]);
}

#[test]
fn images_that_cannot_be_built_end_the_run_at_once_and_without_a_verdict_about_copr() {
    let mut world = world();
    world.images_say("False", "ImageBuildFailed", "keygen: Error: nothing provides x");
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert_eq!(world.outcome("auth"), (Outcome::Error, 0));
    let said = world.condition("Succeeded").2;
    assert_eq!(said, "the images of CoprInstance pr-7 can't be had: keygen: Error: nothing provides x");
    world.evidence_is_settled();
    assert!(world.reconcile().deletions.instance.is_some());
}

#[test]
fn a_cancelled_run_takes_its_builds_with_it() {
    let mut world = world();
    world.run.spec.keep_instance = KeepInstance::OnFailure;
    world.images_say("False", "ImagesBuilding", "building: keygen");
    world.run.spec.cancel = true;
    // The Jobs are the instance's.
    assert!(world.reconcile().deletions.instance.is_some());
    assert_eq!(world.phase(), Phase::Cancelled);
}

#[test]
fn a_repository_that_is_away_is_waited_for_as_long_as_the_build_timeout() {
    let mut world = world();
    world.images_say("False", "RepositoryUnreadable", "repository pr: answered 404");
    world.pass(3599);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Building);
    world.pass(1);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    let said = world.condition("Succeeded").2;
    assert!(said.contains("not there within 1h") && said.contains("answered 404"), "{said}");
}

#[test]
fn the_time_to_get_ready_begins_when_the_images_are_there() {
    let mut world = world();
    world.pass(1800);
    world.images_say("True", "Available", "");
    world.instance_says("False", "Starting", "waiting for frontend");
    world.reconcile();
    world.pass(899);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Provisioning);
    world.pass(1);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
}

#[test]
fn the_run_says_what_was_tested_and_its_tests_use_the_suite_that_was_built() {
    let mut world = world();
    let package =
        InstalledPackage { nevra: "copr-keygen-2.2-1.noarch".into(), repository: "pr".into(), source: None };
    let image = |component: &str| ImageStatus {
        component: component.into(),
        packages: vec![package.clone()],
        ..ImageStatus::default()
    };
    world.images_say("True", "Available", "");
    let status = world.instance_mut().status.get_or_insert_default();
    status.packages =
        Some(PackagesStatus { images: vec![image("keygen"), image("backend")], ..PackagesStatus::default() });
    world.instance_is_ready();
    let images = &mut world.instance_mut().status.get_or_insert_default().images;
    images.insert("sanity".into(), BUILT.into());
    let plan = world.reconcile();
    assert_eq!(world.status().packages, [package]);
    let pod = plan.pods[0].spec.clone().unwrap();
    assert_eq!(pod.containers[0].image.as_deref(), Some(BUILT));
    // It's in a registry that may let nobody else in.
    assert_eq!(pod.image_pull_secrets.unwrap()[0].name, "robot");
}
