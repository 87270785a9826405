//! From what the kubelet says of a pod to a verdict: the contract, and all that isn't it.

use copr_operator_api::v1alpha1::Outcome;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::world::time;
use crate::verdict::{Progress, judge};

fn pod(status: &Value) -> Pod {
    let created = time(0).to_string();
    serde_json::from_value(json!({
        "metadata": {"name": "p", "creationTimestamp": created},
        "spec": {"containers": [], "activeDeadlineSeconds": 180, "nodeName": "n1"},
        "status": status,
    }))
    .unwrap()
}

fn terminated(state: &Value) -> Value {
    json!({
        "phase": "Failed",
        "containerStatuses": [
            {"name": "sidecar", "image": "s", "imageID": "s", "ready": true, "restartCount": 0, "state": {"running": {}}},
            {"name": "test", "image": "i", "imageID": "i", "ready": false, "restartCount": 0, "state": {"terminated": state}},
        ],
    })
}

fn ended(pod: &Pod) -> (Outcome, String) {
    match judge(pod, &[], time(30)) {
        Progress::Ended(ended) => (ended.outcome, ended.message),
        unfinished @ Progress::Unfinished { .. } => panic!("{unfinished:?}"),
    }
}

#[test]
fn a_verdict_is_an_exit_code_and_the_json_that_goes_with_it() {
    let says = |outcome: &str| format!(r#"{{"outcome": "{outcome}", "message": "m", "component": "c"}}"#);
    for (exit_code, message, outcome, expected) in [
        (0, says("Passed"), Outcome::Passed, "m"),
        (0, says("Skipped"), Outcome::Skipped, "m"),
        (1, says("Failed"), Outcome::Failed, "m"),
        (2, says("Error"), Outcome::Error, "m"),
        (0, says("Failed"), Outcome::Error, "pod p says Failed but exited with 0, not 1"),
        (1, says("Passed"), Outcome::Error, "pod p says Passed but exited with 1, not 0"),
        (0, says("Perfect"), Outcome::Error, "pod p exited with 0 without a verdict; it left: {"),
        (0, String::new(), Outcome::Error, "pod p exited with 0 without a verdict"),
        (1, "Traceback".into(), Outcome::Error, "pod p exited with 1 without a verdict; it left: Traceback"),
        (143, String::new(), Outcome::Error, "pod p was killed by signal 15 without a verdict"),
        (137, says("Failed"), Outcome::Error, "pod p says Failed but exited with 137, not 1"),
    ] {
        let pod = pod(&terminated(&json!({"exitCode": exit_code, "message": message})));
        let (is, said) = ended(&pod);
        assert_eq!(is, outcome, "{exit_code} {message}");
        assert!(said.starts_with(expected), "{said:?} is not {expected:?}");
    }
}

#[test]
fn whatever_else_ends_a_pod_is_an_error_that_tells_what() {
    let killed = json!({"exitCode": 137, "reason": "OOMKilled"});
    for (status, expected) in [
        (terminated(&killed), "pod p ran out of memory: container test was OOMKilled"),
        (
            terminated(
                &json!({"exitCode": 128, "reason": "StartError", "message": "exec: run-test: not found"}),
            ),
            "pod p could not start its container: exec: run-test: not found",
        ),
        (
            terminated(
                &json!({"exitCode": 137, "reason": "ContainerStatusUnknown", "message": "could not be located"}),
            ),
            "pod p ended unseen: could not be located",
        ),
        (
            json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}),
            "pod p was evicted: The node was low on resource: memory.",
        ),
        (
            json!({"phase": "Failed", "reason": "DeadlineExceeded", "message": "Pod was active on the node longer"}),
            "pod p was ended (DeadlineExceeded): Pod was active on the node longer",
        ),
        (
            json!({"phase": "Running", "conditions": [{
                "type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager", "message": "node is gone",
            }]}),
            "pod p was disrupted (DeletionByTaintManager): node is gone",
        ),
        (json!({"phase": "Failed"}), "pod p ended without a status of its container"),
    ] {
        assert_eq!(ended(&pod(&status)), (Outcome::Error, expected.to_owned()));
    }
}

#[test]
fn a_failure_under_an_eviction_is_no_verdict_but_a_pass_is() {
    for (exit_code, says, outcome) in [(1, "Failed", Outcome::Error), (0, "Passed", Outcome::Passed)] {
        let message = json!({"outcome": says}).to_string();
        let mut status = terminated(&json!({"exitCode": exit_code, "message": message}));
        status["reason"] = "Evicted".into();
        assert_eq!(ended(&pod(&status)).0, outcome);
    }
}

#[test]
fn a_pod_that_is_being_deleted_is_given_up() {
    let mut pod = pod(&json!({"phase": "Running"}));
    pod.metadata.deletion_timestamp = Some(time(20).into());
    assert_eq!(ended(&pod), (Outcome::Error, "pod p was deleted while it ran".into()));
}

#[test]
fn trouble_has_a_grace_and_progress_has_none() {
    let waiting = |reason: &str| {
        json!({"phase": "Pending", "containerStatuses": [{
            "name": "test", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason}},
        }]})
    };
    for (reason, trouble) in [
        ("ErrImagePull", true),
        ("ImagePullBackOff", true),
        ("InvalidImageName", true),
        ("ErrImageNeverPull", true),
        ("CreateContainerConfigError", true),
        ("ContainerCreating", false),
    ] {
        let pod = pod(&waiting(reason));
        assert!(matches!(judge(&pod, &[], time(59)), Progress::Unfinished { .. }), "{reason}");
        assert_eq!(matches!(judge(&pod, &[], time(60)), Progress::Ended(_)), trouble, "{reason}");
    }
}
