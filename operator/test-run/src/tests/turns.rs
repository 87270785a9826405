//! A test that needs every builder runs alone, in its run and on its instance; and what a run that waits says.

use copr_operator_api::{
    labels,
    v1alpha1::{Outcome, Phase},
};
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use super::{super::dereference::Seen, world::World};

/// The pod of another run's test on the same instance.
fn foreign(test: &str, exclusive: bool, world: &World) -> Pod {
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("other-{test}-1"), "creationTimestamp": world.now().to_string(),
            "labels": {labels::RUN: "other", labels::TEST: test, labels::EXCLUSIVE: exclusive.to_string()},
        },
        "status": {"phase": "Running"},
    }))
    .unwrap()
}

#[test]
fn nothing_starts_beside_the_test_that_needs_every_builder() {
    let mut world = World::named(&["parallel-builds", "build-spec", "auth"]);
    world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7-parallel-builds-1"]);
    let labels = world.pods[0].metadata.labels.clone().unwrap();
    assert_eq!(labels[labels::EXCLUSIVE], "true");
    assert_eq!(labels[labels::TESTED_INSTANCE], "team-copr");
    world.pass(100);
    world.passes("parallel-builds");
    world.reconcile();
    assert_eq!(world.pod_names().len(), 3);
    assert!(!world.pods[1].metadata.labels.clone().unwrap().contains_key(labels::EXCLUSIVE));
}

#[test]
fn it_waits_for_its_siblings_and_for_their_cleaning_up() {
    let mut world = World::named(&["parallel-builds", "auth"]);
    world.reconcile();
    // Its first attempt is lost, and the sibling gets its turn.
    world.pods.clear();
    world.pass(1);
    world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7-parallel-builds-2"], "it is free again at once");
    world.starts("parallel-builds");
    world.builders_say("False", "BuilderRefused", "no");
    let plan = world.plan();
    world.create(&plan);
    world.report(&plan);
    assert_eq!(world.outcome("parallel-builds"), (Outcome::Error, 2));
    // The deleted pod still cleans up.
    assert!(plan.pods.is_empty(), "beside a test that ends");
    let said = world.condition("Succeeded").2;
    assert!(said.contains("no test is started beside pod pr-7-parallel-builds-2"), "{said}");
    world.pods.clear();
    world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7-auth-1"]);
}

#[test]
fn runs_on_one_instance_wait_for_each_others_exclusive_tests_and_say_so() {
    let mut world = World::named(&["auth"]);
    world.other_pods = vec![foreign("parallel-builds", true, &world)];
    let plan = world.reconcile();
    assert!(plan.pods.is_empty());
    assert_eq!(plan.requeue.unwrap().as_secs(), 5);
    let said = world.condition("Succeeded").2;
    assert_eq!(said, "no test is started beside test parallel-builds of CoprTestRun other, which runs alone");
    world.other_pods.clear();
    world.pass(5);
    assert_eq!(world.reconcile().pods.len(), 1);

    let mut world = World::named(&["parallel-builds", "auth"]);
    world.other_pods = vec![foreign("build-spec", false, &world)];
    world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7-auth-1"]);
    let said = world.condition("Succeeded").2;
    assert!(
        said.contains("parallel-builds runs alone, and waits for test build-spec of CoprTestRun other"),
        "{said}"
    );
}

#[test]
fn a_run_that_never_gets_its_turn_ends_by_its_timeout() {
    let mut world = World::named(&["parallel-builds"]);
    world.other_pods = vec![foreign("build-spec", false, &world)];
    world.reconcile();
    world.pass(3600);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert_eq!(world.test("parallel-builds").reason.as_deref(), Some("TimedOut"));
}

#[test]
fn an_overlap_that_happened_all_the_same_leaves_a_failure_without_a_verdict() {
    let mut world = World::named(&["parallel-builds"]);
    world.reconcile();
    world.pass(20);
    world.other_pods = vec![foreign("build-spec", false, &world)];
    world.pass(20);
    world.fails("parallel-builds");
    world.reconcile();
    assert_eq!(world.test("parallel-builds").reason.as_deref(), Some("InstanceShared"));
    let said = world.message("parallel-builds");
    assert!(said.contains("test build-spec of CoprTestRun other ran beside this test"), "{said}");
    assert_eq!(world.outcome("parallel-builds").0, Outcome::Pending);
}

#[test]
fn a_deleted_pod_on_a_node_that_does_not_answer_is_not_waited_for_for_ever() {
    let mut world = World::named(&["parallel-builds"]);
    world.reconcile();
    world.starts("parallel-builds");
    world.pass(10);
    // As the API server writes it: the end of the grace.
    world.pod("parallel-builds").metadata.deletion_timestamp = Some(super::world::time(70).into());
    world.reconcile();
    assert_eq!(world.outcome("parallel-builds"), (Outcome::Pending, 1), "the old one may still clean up");
    assert_eq!(world.test("parallel-builds").reason.as_deref(), Some("PodLost"));
    world.pass(89);
    assert!(world.reconcile().pods.is_empty());
    world.pass(1);
    assert_eq!(world.reconcile().pods.len(), 1);
}

#[test]
fn no_test_starts_before_the_present_spec_is_applied() {
    for (type_, status, reason) in
        [("Ready", "False", "ApplyFailed"), ("ImagesReady", "False", "RegistryUnreachable")]
    {
        let mut world = World::named(&["auth"]);
        world.says(type_, status, reason, "quota");
        assert!(world.reconcile().pods.is_empty(), "{type_}");
        assert_eq!(world.condition("InstanceReady").1, reason);
        assert!(world.condition("Succeeded").2.contains("quota"));
    }
    // What an applied spec lacks otherwise concerns no test.
    for reason in ["MockConfigMissing", "ResizeRefused"] {
        let mut world = World::named(&["auth"]);
        world.says("Ready", "False", reason, "of a chroot that no test uses, or of a volume");
        assert_eq!(world.reconcile().pods.len(), 1, "{reason}");
    }
    let mut world = World::named(&["auth"]);
    let conditions = &mut world.instance_mut().status.as_mut().unwrap().conditions;
    conditions.retain(|condition| condition.type_ != "Ready");
    assert!(world.reconcile().pods.is_empty());
    assert!(world.condition("Succeeded").2.contains("(Ready)"), "{:?}", world.condition("Succeeded"));
}

#[test]
fn images_that_are_built_anew_disturb_no_test_that_runs() {
    let mut world = World::named(&["auth"]);
    world.pass(50);
    world.reconcile();
    world.pass(5);
    world.says("ImagesReady", "False", "ImagesBuilding", "building: keygen");
    world.says("Ready", "False", "ImagesBuilding", "building: keygen");
    world.fails("auth");
    world.pass(10);
    world.reconcile();
    assert_eq!(world.outcome("auth"), (Outcome::Failed, 1));
}

#[test]
fn an_attempt_knows_those_before_it() {
    let mut world = World::named(&["auth"]);
    world.reconcile();
    let id = |world: &World, name: &str| {
        let env = world.pods.last().unwrap().spec.clone().unwrap().containers[0].env.clone().unwrap();
        env.into_iter().find(|var| var.name == name).unwrap().value.unwrap()
    };
    let first = id(&world, "RUN_ID");
    assert_eq!(id(&world, "PREVIOUS_RUN_IDS"), "");
    world.pods.clear();
    world.pass(1);
    world.reconcile();
    assert_eq!(id(&world, "PREVIOUS_RUN_IDS"), first);
}

#[test]
fn tests_have_the_resources_of_the_run_then_of_the_instance_then_of_its_defaults() {
    let mut world = World::named(&["auth"]);
    world.run.spec.suite.resources = serde_json::from_value(json!({"limits": {"memory": "64Mi"}})).unwrap();
    let Seen::Found(instance) = &mut world.instance else { panic!("no instance") };
    let amounts = |value| serde_json::from_value(value).unwrap();
    instance.spec.tests.resources = amounts(json!({"limits": {"memory": "1Gi", "cpu": "3"}}));
    instance.spec.defaults.resources = amounts(json!({"limits": {"cpu": "4"}, "requests": {"cpu": "1"}}));
    let plan = world.reconcile();
    let resources = plan.pods[0].spec.clone().unwrap().containers[0].resources.clone().unwrap();
    assert_eq!(
        serde_json::to_value(resources).unwrap(),
        json!({"requests": {"cpu": "1", "memory": "64Mi"}, "limits": {"cpu": "3", "memory": "64Mi"}})
    );
}

#[test]
fn tests_run_where_the_instance_says_and_get_out_by_its_proxy() {
    let mut world = World::named(&["auth"]);
    let Seen::Found(instance) = &mut world.instance else { panic!("no instance") };
    instance.spec.tests.pod = serde_json::from_value(json!({
        "nodeSelector": {"tests": "yes"}, "tolerations": [{"key": "ci", "operator": "Exists"}],
    }))
    .unwrap();
    instance.spec.proxy = serde_json::from_value(json!({"https": "http://proxy.example:3128"})).unwrap();
    let pod = world.reconcile().pods.remove(0).spec.unwrap();
    assert_eq!(pod.node_selector.unwrap()["tests"], "yes");
    // Those by which a lost node isn't waited for, too.
    assert_eq!(pod.tolerations.unwrap().len(), 3);
    let env = pod.containers[0].env.clone().unwrap();
    assert!(env.iter().any(|var| var.name == "https_proxy"));
    assert!(
        pod.volumes.unwrap().iter().filter_map(|v| v.empty_dir.as_ref()).all(|dir| dir.size_limit.is_some())
    );
}
