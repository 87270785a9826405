//! Suites as root on OpenShift: what their pods need there, and what is told where it isn't.

use copr_operator_kernel::testing::assert_fits;
use serde_json::json;

use super::world::World;

/// A run of a suite with one test, whose instance is ready and pushes to a registry of its own.
pub fn of_suite(root: bool, on_openshift: bool) -> World {
    let list = json!({
        "contract": 1, "name": "own", "root": root, "tests": [{"name": "a", "deadlineSeconds": 60}],
    });
    let registry =
        json!({"url": "quay.io/you", "pushSecret": {"name": "quay"}, "caConfigMap": {"name": "ca"}});
    let mut world = World::template(&[]);
    world.on_openshift = on_openshift;
    world.kept = Some((list.to_string(), "x@sha256:1".into()));
    let template = world.run.spec.instance.template.as_mut().unwrap();
    template.registry = Some(serde_json::from_value(registry).unwrap());
    world.reconcile();
    world.instance_is_ready();
    world
}

#[test]
fn a_test_as_root_has_the_rights_that_its_scc_gives_and_no_other() {
    let mut world = of_suite(true, true);
    let grant = world.reconcile().grant.unwrap();
    insta::assert_yaml_snapshot!("pod_as_root", world.pod("a"));
    insta::assert_yaml_snapshot!("grant", (&grant.service_account, &grant.role_binding));
    assert_fits("copr-test", world.pod("a").spec.as_ref().unwrap(), &[]);
}

#[test]
fn the_right_is_there_before_the_instance_is_ready() {
    let mut world = of_suite(true, true);
    world.instance_says("False", "Starting", "waiting for frontend");
    let plan = world.reconcile();
    assert!(plan.pods.is_empty() && plan.grant.is_some());
}

#[test]
fn nobody_else_is_given_anything() {
    for (root, on_openshift) in [(true, false), (false, true)] {
        let mut world = of_suite(root, on_openshift);
        assert_eq!(world.reconcile().grant, None);
        let pod = world.pod("a");
        assert_eq!(pod.spec.as_ref().unwrap().service_account_name, None);
        assert!(!pod.metadata.annotations.as_ref().unwrap().contains_key("openshift.io/required-scc"));
    }
}
