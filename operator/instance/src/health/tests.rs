use copr_operator_kernel::pods::{CONTAINER_FAILED, CRASHING, IMAGE_PULL_FAILED, UNSCHEDULABLE};
use serde_json::{Value, json};

use super::*;

fn workload() -> StatefulSet {
    serde_json::from_value(json!({
        "metadata": {"name": "demo-frontend", "generation": 1},
        "status": {"replicas": 1, "observedGeneration": 1, "updateRevision": "r1"},
    }))
    .unwrap()
}

fn pod(status: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "demo-frontend-0", "labels": {"controller-revision-hash": "r1"}},
        "status": status,
    }))
    .unwrap()
}

fn container(name: &str, state: &Value, last: &Value, restarts: i32) -> Value {
    json!({"name": name, "image": "i", "imageID": "", "ready": false, "restartCount": restarts,
           "state": state, "lastState": last})
}

fn ended(message: &str) -> Value {
    json!({"terminated": {"exitCode": 1, "reason": "Error", "message": message}})
}

fn reason_and_message(status: &Value) -> (String, String) {
    let finding = assess(Some(&workload()), Some(&pod(status)), None, None);
    assert!(!finding.is_true());
    (finding.reason, finding.message)
}

#[test]
fn each_trouble_has_its_reason_and_the_words_of_who_saw_it() {
    let backoff = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}});
    let pull = json!({"waiting": {"reason": "ErrImagePull", "message": "manifest unknown"}});
    let config =
        json!({"waiting": {"reason": "CreateContainerConfigError", "message": "secret x not found"}});
    let none = json!({});
    let main = |c| json!({"containerStatuses": [c]});
    let init = |c| json!({"initContainerStatuses": [c]});
    let table = [
        (main(container("httpd", &pull, &none, 0)), IMAGE_PULL_FAILED, "manifest unknown"),
        (main(container("httpd", &config, &none, 0)), CONTAINER_FAILED, "secret x not found"),
        (main(container("httpd", &backoff, &ended("no module flask"), 3)), CRASHING, "no module flask"),
        (
            init(container("schema", &backoff, &ended("connection refused"), 2)),
            SCHEMA_FAILED,
            "connection refused",
        ),
        (
            init(container("schema", &ended("connection refused"), &none, 0)),
            SCHEMA_FAILED,
            "connection refused",
        ),
        (init(container("schema", &json!({"running": {}}), &ended("refused"), 1)), SCHEMA_FAILED, "refused"),
        (init(container("seed", &ended("bad chroot"), &none, 0)), SEED_FAILED, "bad chroot"),
        (init(container("folders", &ended("read-only"), &none, 0)), INIT_FAILED, "read-only"),
        (
            json!({"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]}),
            UNSCHEDULABLE,
            "0/1 nodes",
        ),
        (main(container("httpd", &json!({"running": {}}), &none, 2)), NOT_READY, "httpd"),
        (main(container("httpd", &json!({"running": {}}), &none, 0)), STARTING, "httpd"),
    ];
    for (status, reason, word) in table {
        let (seen, message) = reason_and_message(&status);
        assert_eq!(seen, reason, "{message}");
        assert!(message.contains(word) && message.contains("demo-frontend-0"), "{message}");
    }
}

/// What a kubelet says after its node was restarted, while it starts the pods again.
#[test]
fn a_restarted_node_is_no_trouble_of_its_pods() {
    let lost = json!({"terminated": {"exitCode": 255, "reason": "Unknown"}});
    let running = json!({"running": {}});
    let none = json!({});
    let mut probed = container("httpd", &running, &lost, 1);
    probed["started"] = false.into();
    let table = [
        json!({"initContainerStatuses": [container("schema", &running, &lost, 1)],
               "containerStatuses": [container("httpd", &lost, &none, 0)]}),
        json!({"containerStatuses": [container("httpd", &lost, &none, 0)]}),
        json!({"containerStatuses": [probed]}),
    ];
    for status in table {
        let (reason, message) = reason_and_message(&status);
        assert_eq!(reason, STARTING, "{message}");
    }
}

#[test]
fn a_ready_pod_is_available() {
    let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
    assert!(assess(Some(&workload()), Some(&pod(&ready)), None, None).is_true());
}

#[test]
fn a_refused_pod_is_explained_by_the_event() {
    let finding =
        assess(Some(&workload()), None, Some("pods is forbidden: unable to validate against any scc"), None);
    assert_eq!(finding.reason, POD_REFUSED);
    assert!(finding.message.contains("unable to validate"));
}

#[test]
fn a_pod_that_no_container_was_started_of_says_what_the_kubelet_met() {
    let waiting = json!({"waiting": {"reason": "ContainerCreating"}});
    let status = json!({"containerStatuses": [container("database", &waiting, &json!({}), 0)]});
    let event: Event = serde_json::from_value(json!({
        "metadata": {}, "involvedObject": {}, "reason": "FailedMount",
        "message": "MountVolume.SetUp failed for volume \"bugs-broken\": hostPath type check failed",
    }))
    .unwrap();
    let said = assess(Some(&workload()), Some(&pod(&status)), None, Some(&event));
    assert_eq!(said.reason, VOLUME_FAILED);
    assert!(said.message.contains("FailedMount: MountVolume.SetUp failed"), "{}", said.message);
    // An event of its start says nothing of a pod that runs.
    let running =
        json!({"containerStatuses": [container("database", &json!({"running": {}}), &json!({}), 0)]});
    let said = assess(Some(&workload()), Some(&pod(&running)), None, Some(&event));
    assert_eq!(said.reason, STARTING);
}

#[test]
fn of_a_long_log_the_end_is_shown() {
    let log =
        format!("Traceback (most recent call last):\n{}UniqueViolation: api_login", "  File x\n".repeat(200));
    let status = json!({"initContainerStatuses": [container("seed", &ended(&log), &json!({}), 0)]});
    assert!(reason_and_message(&status).1.ends_with("UniqueViolation: api_login"));
}
