//! A suite lists its tests, and a run has those of them that it asks for.

use copr_operator_api::v1alpha1::{Outcome, Phase};
use kube::ResourceExt as _;
use serde_json::{Value, json};

use super::world::{INSTANCE, LISTING, World};
use crate::{
    dereference::{Red, key},
    validate::Git,
};

fn spec(suite: &Value) -> Value {
    json!({"instance": {"name": INSTANCE}, "suite": suite})
}

/// A run against an instance that is ready, whose suite nobody has listed yet.
fn unlisted(suite: &Value) -> World {
    let mut world = World::new(&spec(suite));
    world.kept = None;
    world.instance_is_made(INSTANCE, &[]);
    world.instance_is_ready();
    world
}

fn names(world: &World) -> Vec<String> {
    world.status().tests.into_iter().map(|test| test.name).collect()
}

/// The pod that lists the suite has ended.
fn list_ends(world: &mut World, exit_code: i32, log: Option<&str>) {
    let now = world.now().to_string();
    let pod = world.pods.last_mut().unwrap();
    pod.status = serde_json::from_value(json!({
        "phase": if exit_code == 0 { "Succeeded" } else { "Failed" },
        "containerStatuses": [{
            "name": "test", "image": "i", "imageID": "quay.io/copr/copr-sanity@sha256:77", "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": exit_code, "message": "", "startedAt": now, "finishedAt": now}},
        }],
    }))
    .unwrap();
    world.said = log.map(str::to_owned);
}

#[test]
fn the_suite_lists_its_tests_in_a_pod_and_every_test_is_of_the_image_that_it_was_listed_from() {
    let mut world = unlisted(&json!({"tests": ["auth", "chroots"]}));
    let plan = world.reconcile();
    assert_eq!(world.pod_names(), ["pr-7--suite-1"]);
    let pod = plan.pods[0].spec.clone().unwrap();
    assert_eq!(pod.containers[0].args.clone().unwrap(), ["run-test", "--list"]);
    assert_eq!(pod.volumes.unwrap().len(), 1, "it has no credentials");
    assert!(world.condition("Succeeded").2.contains("lists its tests in pod pr-7--suite-1"));
    assert_eq!((world.phase(), names(&world).len()), (Phase::Provisioning, 0));

    list_ends(&mut world, 0, Some(&format!("cloning\n{LISTING}")));
    let plan = world.reconcile();
    assert_eq!(plan.list.unwrap().name_any(), "pr-7-suite");
    assert_eq!(names(&world), ["auth", "chroots"]);
    let suite = world.status().suite.unwrap();
    assert_eq!((suite.name.as_str(), suite.tests, suite.list.as_str()), ("smoke", 9, "pr-7-suite"));
    assert_eq!(suite.image, "quay.io/copr/copr-sanity@sha256:77");
    world.pass(1);
    world.reconcile();
    let test = world.pod("auth").spec.clone().unwrap();
    assert!(test.containers[0].image.as_deref().is_some_and(|image| image.contains("sanity")));
    // The pod of the list may go: the run has it.
    world.pods.retain(|pod| !pod.name_any().contains("--suite"));
    world.said = None;
    world.reconcile();
    assert_eq!(names(&world), ["auth", "chroots"]);
}

#[test]
fn a_name_that_the_suite_has_not_ends_the_run_at_once_with_those_that_there_are() {
    let mut world = World::new(&spec(&json!({"tests": ["nope"]})));
    // The instance comes up, and isn't waited for.
    world.instance_is_made(INSTANCE, &[]);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    let (_, reason, message) = world.condition("Succeeded");
    assert_eq!(reason, "Error");
    assert!(message.contains("\"nope\" in the suite smoke, which has parallel-builds, cancel,"), "{message}");
    assert!(world.pods.is_empty());
}

#[test]
fn a_suite_that_cannot_list_its_tests_is_asked_three_times_and_then_the_run_ends() {
    let mut world = unlisted(&json!({}));
    for attempt in 1..=3 {
        world.reconcile();
        assert_eq!(world.pods.len(), attempt);
        list_ends(&mut world, 127, None);
        world.reconcile();
        world.pass(200);
    }
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    let message = world.condition("Finished").2;
    assert!(message.contains("the suite can't list its tests (NoVerdict)"), "{message}");
    assert!(message.contains("exited with 127"), "{message}");
}

#[test]
fn a_list_that_is_none_ends_the_run() {
    let mut world = unlisted(&json!({}));
    world.reconcile();
    list_ends(&mut world, 0, Some("auth\nchroots\n"));
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert!(world.condition("Succeeded").2.contains("no line with a JSON object"));
}

#[test]
fn a_run_that_is_cancelled_or_out_of_time_before_it_knows_its_tests_ends() {
    let mut world = unlisted(&json!({"timeout": "1m"}));
    world.reconcile();
    world.pass(61);
    world.reconcile();
    assert_eq!(world.phase(), Phase::Error);
    assert!(world.condition("Succeeded").2.contains("timeout of 1m"), "{:?}", world.condition("Succeeded"));

    let mut world = unlisted(&json!({}));
    world.reconcile();
    world.run.spec.cancel = true;
    let plan = world.reconcile();
    assert_eq!(world.phase(), Phase::Cancelled);
    assert_eq!(plan.deletions.pods[0].name, "pr-7--suite-1", "nothing goes on");
}

#[test]
fn names_that_no_label_can_hold_have_pods_of_their_own() {
    let list = json!({"contract": 1, "name": "odd", "tests": [
        {"name": "Sanity/runtest fork.sh", "deadlineSeconds": 60},
        {"name": "sanity-runtest-fork-sh", "deadlineSeconds": 60},
        {"name": "ü", "deadlineSeconds": 60, "needs": ["moon"]},
    ]});
    let mut world = unlisted(&json!({}));
    world.kept = Some((list.to_string(), "x@sha256:1".into()));
    world.reconcile();
    let is_valid = |name: &str| {
        name.len() <= 63 && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    assert!(world.pod_names().iter().all(|name| is_valid(name)), "{:?}", world.pod_names());
    assert_eq!(world.pods.len(), 2);
    for name in ["Sanity/runtest fork.sh", "sanity-runtest-fork-sh"] {
        world.starts(name);
        world.passes(name);
    }
    world.reconcile();
    assert_eq!(world.outcome("sanity-runtest-fork-sh"), (Outcome::Passed, 1));
    let odd = world.test("ü");
    assert_eq!((odd.outcome, odd.reason.as_deref(), odd.attempts), (Outcome::Error, Some("NeedUnknown"), 0));
    assert_eq!(world.phase(), Phase::Error);
}

#[test]
fn only_what_another_run_left_red_is_run_again() {
    let mut again = spec(&json!({}));
    again["rerunOf"] = "pr-6".into();
    let world = |red| {
        let mut world = World::new(&again);
        world.instance_is_made(INSTANCE, &[]);
        world.instance_is_ready();
        world.red = red;
        world.reconcile();
        world
    };
    let mut some = world(Red::Tests(vec!["auth".into()]));
    assert_eq!(names(&some), ["auth"]);
    // The other run may go now.
    some.red = Red::Missing;
    some.reconcile();
    assert_eq!((names(&some).len(), some.phase()), (1, Phase::Running));

    let none = world(Red::Tests(Vec::new()));
    assert_eq!(none.phase(), Phase::Passed);
    assert!(none.condition("Succeeded").2.contains("left none red"));
    for (red, why) in [(Red::Missing, "failed to find CoprTestRun pr-6"), (Red::Unfinished, "hasn't ended")] {
        let world = world(red);
        assert_eq!(world.phase(), Phase::Error);
        assert!(world.condition("Succeeded").2.contains(why));
    }
}

#[test]
fn a_suite_that_asks_for_root_has_it_in_a_user_namespace_only() {
    let list =
        json!({"contract": 1, "name": "r", "root": true, "tests": [{"name": "a", "deadlineSeconds": 60}]});
    let mut world = unlisted(&json!({}));
    world.kept = Some((list.to_string(), "x@sha256:1".into()));
    let pod = world.reconcile().pods[0].spec.clone().unwrap();
    let (namespaced, user) = (pod.host_users, pod.security_context.unwrap());
    assert_eq!((namespaced, user.run_as_user, user.run_as_non_root), (Some(false), Some(0), None));
    let container = pod.containers[0].security_context.clone().unwrap();
    assert_eq!(container.allow_privilege_escalation, Some(false));
    assert!(!container.capabilities.unwrap().add.unwrap().contains(&"SYS_ADMIN".to_owned()));
}

/// A run of tmt tests on an instance of images from a registry, and what the pod that lists them is told of git.
fn tmt(git: &Value) -> (Vec<String>, Option<String>) {
    let mut world = World::new(&spec(&json!({"name": "tmt", "git": git})));
    world.kept = None;
    world.instance_is_made(INSTANCE, &[]);
    world.instance_is_ready();
    let pod = world.reconcile().pods[0].spec.clone().unwrap();
    let env = pod.containers[0].env.clone().unwrap();
    let told = env.into_iter().filter(|variable| variable.name.starts_with("SUITE_GIT_"));
    let told =
        told.map(|variable| format!("{}={}", variable.name, variable.value.unwrap_or_default())).collect();
    (told, pod.containers[0].image.clone())
}

#[test]
fn tmt_tests_are_of_a_folder_of_a_repository() {
    let (told, image) = tmt(&json!({"url": "https://git.example.org/x", "ref": "v1", "path": "tests/tmt"}));
    let expected =
        ["SUITE_GIT_URL=https://git.example.org/x", "SUITE_GIT_REF=v1", "SUITE_GIT_PATH=tests/tmt"];
    assert_eq!(told, expected);
    assert_eq!(image.unwrap(), "quay.io/copr/copr-sanity-tmt:v1");
    let (told, _) = tmt(&json!({"url": "https://git.example.org/x"}));
    assert_eq!(told, ["SUITE_GIT_URL=https://git.example.org/x", "SUITE_GIT_REF=main"]);
}

#[test]
fn the_scripts_are_those_of_what_is_tested() {
    let reference = |source: &Value, git: &Value| {
        let mut spec = spec(&json!({"name": "upstream"}));
        spec["source"] = source.clone();
        if !git.is_null() {
            spec["suite"]["git"] = git.clone();
        }
        crate::validate::git(&World::new(&spec).run).unwrap().reference
    };
    let elsewhere = json!({"url": "https://git.example.org/x"});
    assert_eq!(reference(&json!({"pullRequest": 7, "commit": "5d37cd8"}), &Value::Null), "5d37cd8");
    assert_eq!(reference(&json!({"pullRequest": 7}), &Value::Null), "refs/pull/7/head");
    assert_eq!(reference(&json!({"pullRequest": 7}), &elsewhere), "main");
    assert_eq!(reference(&json!({}), &Value::Null), "main");
}

#[test]
fn lists_of_two_folders_of_one_commit_are_two() {
    let of = |path: Option<&str>| {
        let git = Git {
            url: "https://git.example.org/x".into(),
            reference: "5d37cd838ab1db0097d1da08b1682094b95b9ac6".into(),
            path: path.map(str::to_owned),
        };
        key("quay.io/copr/copr-sanity-tmt@sha256:77", Some(&git)).unwrap()
    };
    assert_eq!(of(Some("tests/a")), of(Some("tests/a")));
    assert_ne!(of(Some("tests/a")), of(Some("tests/b")));
    assert_ne!(of(Some("tests/a")), of(None));
}
