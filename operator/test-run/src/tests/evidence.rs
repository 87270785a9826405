//! What a run does for its evidence, and that it costs no verdict.

use copr_operator_api::v1alpha1::{EvidenceStatus, KeepEvidence, KeepInstance, Outcome, Phase};
use k8s_openapi::api::core::v1::Container;
use kube::ResourceExt as _;
use serde_json::json;

use super::{
    openshift::of_suite,
    world::{RUN, World},
};

/// A run of its own instance, whose images are in a registry of the spec.
fn with_registry(tests: &[&str]) -> World {
    ready(World::template(tests))
}

fn ready(mut world: World) -> World {
    let registry = json!({
        "url": "quay.io/you", "pushSecret": {"name": "quay"}, "caConfigMap": {"name": "ca"}, "insecure": true,
    });
    let template = world.run.spec.instance.template.as_mut().unwrap();
    template.registry = Some(serde_json::from_value(registry).unwrap());
    world.reconcile();
    world.instance_is_ready();
    world
}

fn keeper(world: &mut World, test: &str) -> Option<Container> {
    world.pod(test).spec.clone().unwrap().init_containers.and_then(|containers| containers.into_iter().next())
}

/// The kubelet can't get the image of the container that keeps the folder.
fn keeper_is_stuck(world: &mut World, test: &str) {
    world.pod_status(
        test,
        json!({
            "phase": "Pending",
            "initContainerStatuses": [{
                "name": "evidence", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}},
            }],
            "containerStatuses": [{
                "name": "test", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": "PodInitializing"}},
            }],
        }),
    );
}

#[test]
fn a_pod_with_a_registry_has_a_container_that_keeps_the_folder_and_alone_the_credentials() {
    let mut world = with_registry(&["auth"]);
    world.reconcile();
    insta::assert_yaml_snapshot!("pod_that_keeps", world.pod("auth").spec);
    let spec = world.pod("auth").spec.clone().unwrap();
    let of_test = spec.containers[0].volume_mounts.clone().unwrap();
    assert!(of_test.iter().all(|mount| mount.name != "push"), "a test must not read the credentials");
    assert_eq!(spec.active_deadline_seconds, Some(120 + 60 + 60), "what it pushes is not the test's time");
}

#[test]
fn without_a_registry_or_a_wish_there_is_the_folder_alone() {
    let mut world = World::named(&["auth"]);
    world.reconcile();
    assert_eq!(keeper(&mut world, "auth"), None);
    let volumes = world.pod("auth").spec.clone().unwrap().volumes.unwrap();
    assert!(volumes.iter().any(|volume| volume.name == "evidence"));

    let mut world = with_registry(&["auth"]);
    world.run.spec.evidence.keep = KeepEvidence::Never;
    world.reconcile();
    assert_eq!(keeper(&mut world, "auth"), None);
}

#[test]
fn a_container_that_cannot_start_costs_no_test_its_verdict() {
    for retries in [0, 1] {
        let mut world = with_registry(&["auth", "chroots"]);
        world.run.spec.suite.retries = retries;
        world.run.spec.suite.parallelism = 1;
        world.reconcile();
        assert!(keeper(&mut world, "auth").is_some());
        keeper_is_stuck(&mut world, "auth");
        world.pass(59);
        world.reconcile();
        assert_eq!(world.outcome("auth"), (Outcome::Running, 1), "a registry may recover");
        world.pass(1);
        world.reconcile();
        assert_eq!(world.outcome("auth"), (Outcome::Running, 2));
        assert_eq!(keeper(&mut world, "auth"), None);
        assert!(world.pod_names().iter().all(|name| name != "pr-7-auth-1"), "the first is deleted");
        let why = world.status().evidence.unwrap().folders_not_kept.unwrap();
        assert!(why.contains("ImagePullBackOff") && why.contains("no such image"), "{why}");
        for spent in 0..retries {
            world.ends_with("auth", 2, r#"{"outcome": "Error", "message": "x", "component": ""}"#);
            world.reconcile();
            assert_eq!(world.outcome("auth"), (Outcome::Running, 3 + spent), "it has its retries still");
        }
        world.passes("auth");
        world.reconcile();
        assert_eq!(keeper(&mut world, "chroots"), None);
        world.passes("chroots");
        world.reconcile();
        assert_eq!(world.phase(), Phase::Passed);
    }
}

#[test]
fn the_container_is_none_of_the_pod_that_lists_the_suite() {
    let mut world = World::template(&[]);
    world.kept = None;
    let mut world = ready(world);
    world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7--suite-1"]);
    let spec = world.pods[0].spec.clone().unwrap();
    assert_eq!(spec.init_containers, None);
    let volumes: Vec<_> = spec.volumes.unwrap().into_iter().map(|volume| volume.name).collect();
    assert_eq!(volumes, ["tmp"], "neither a folder nor credentials");
}

#[test]
fn what_a_test_leaves_as_root_can_be_read_and_nothing_else_is_allowed() {
    for root in [false, true] {
        let mut world = of_suite(root, false);
        world.reconcile();
        let pod = world.pod("a").spec.clone().unwrap();
        assert_eq!(pod.host_users, root.then_some(false), "root of a user namespace only");
        let keeper = pod.init_containers.unwrap().remove(0);
        let security = keeper.security_context.unwrap();
        assert_eq!((security.allow_privilege_escalation, security.run_as_user), (Some(false), None));
        let rights = security.capabilities.unwrap();
        assert_eq!(rights.drop.unwrap(), ["ALL"]);
        assert_eq!(rights.add, root.then(|| vec!["DAC_OVERRIDE".to_owned()]));
        let folder =
            keeper.volume_mounts.unwrap().into_iter().find(|mount| mount.name == "evidence").unwrap();
        assert_eq!(folder.read_only, Some(true));
    }
}

#[test]
fn a_verdict_does_not_wait_for_the_container() {
    let mut world = with_registry(&["auth"]);
    world.reconcile();
    world.passes("auth");
    let status = world.pod("auth").status.as_mut().unwrap();
    // The sidecar still pushes.
    status.phase = Some("Running".into());
    world.reconcile();
    assert_eq!(world.phase(), Phase::Passed);
    assert_eq!(world.pod_names(), ["pr-7-auth-1"]);
}

/// A run that failed, of which nothing is kept: neither its instance nor itself.
fn failed() -> World {
    let mut world = with_registry(&["auth"]);
    world.run.spec.keep_instance = KeepInstance::Never;
    world.run.spec.ttl_seconds_after_finished = Some(5);
    world.reconcile();
    world.fails("auth");
    world.pass(10);
    let plan = world.reconcile();
    assert_eq!(world.phase(), Phase::Failed);
    assert_eq!(plan.deletions.instance, None);
    world
}

#[test]
fn the_instance_and_the_run_stay_until_the_evidence_is_settled() {
    let mut world = failed();
    world.pass(20);
    let plan = world.reconcile();
    assert_eq!((plan.deletions.instance, plan.deletions.run), (None, None));
    assert_eq!(plan.requeue.unwrap().as_secs(), 160);
    world.evidence_is_settled();
    let kept = EvidenceStatus { message: Some("kept by another controller".into()), ..Default::default() };
    world.run.status.as_mut().unwrap().evidence = Some(kept.clone());
    let plan = world.reconcile();
    assert_eq!(plan.deletions.instance.unwrap().name, RUN);
    assert_eq!(plan.deletions.run.unwrap().name, RUN);
    assert_eq!(world.status().evidence, Some(kept));
    assert_eq!(world.phase(), Phase::Failed);
}

#[test]
fn they_stay_for_no_longer_than_it_may_take() {
    let mut world = failed();
    world.pass(179);
    assert_eq!(world.reconcile().deletions.instance, None);
    world.pass(1);
    let plan = world.reconcile();
    assert!(plan.deletions.instance.is_some() && plan.deletions.run.is_some());
}

#[test]
fn nobody_waits_where_nothing_is_to_be_kept() {
    let mut world = with_registry(&["auth"]);
    world.reconcile();
    world.passes("auth");
    let plan = world.reconcile();
    assert_eq!(world.phase(), Phase::Passed);
    assert!(plan.deletions.instance.is_some());
    assert_eq!(world.pods[0].name_any(), "pr-7-auth-1");
}
