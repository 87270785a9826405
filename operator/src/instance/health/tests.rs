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
    let verdict = verdict(Some(&workload()), Some(&pod(status)), None);
    assert!(!verdict.is_true());
    (verdict.reason, verdict.message)
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

#[test]
fn a_ready_pod_of_the_current_revision_is_available() {
    let ready = json!({"conditions": [{"type": "Ready", "status": "True"}]});
    assert!(verdict(Some(&workload()), Some(&pod(&ready)), None).is_true());
    let mut outdated = workload();
    outdated.status.as_mut().unwrap().update_revision = Some("r2".into());
    assert_eq!(verdict(Some(&outdated), Some(&pod(&ready)), None).reason, STARTING);
}

#[test]
fn a_refused_pod_is_explained_by_the_event() {
    let verdict =
        verdict(Some(&workload()), None, Some("pods is forbidden: unable to validate against any scc"));
    assert_eq!(verdict.reason, POD_REFUSED);
    assert!(verdict.message.contains("unable to validate"));
}
