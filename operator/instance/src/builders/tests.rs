use copr_operator_api::status::chroots;
use serde_json::{Value, json};

use super::*;
use crate::{fixtures, validate::Instance};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn pod(component: &str, created: i64, status: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("demo-{component}-1"), "uid": format!("uid-of-{component}"),
            "labels": {COMPONENT: component}, "creationTimestamp": at(created).to_string(),
        },
        "status": status,
    }))
    .unwrap()
}

fn container(state: &Value) -> Value {
    json!([{"name": "builder", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": state}])
}

fn resalloc() -> Pod {
    pod("resalloc", 1, &json!({}))
}

fn ready(created: i64) -> Pod {
    pod(BUILDER, created, &json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}))
}

fn failure(second: i64, uid: &str, action: &str) -> Event {
    serde_json::from_value(json!({
        "metadata": {}, "involvedObject": {"uid": uid}, "reason": BUILDER_FAILED, "action": action,
        "lastTimestamp": at(second).to_string(),
        "message": "POST pods: the API server answered 403: violates PodSecurity",
    }))
    .unwrap()
}

fn told(
    pods: &[Pod],
    events: &[Event],
    dry_run: Option<&Outcome>,
    now: i64,
) -> (String, String, Option<i64>) {
    let Assessment { finding, look_again } = assess(Seen { pods, events, dry_run }, at(now));
    (finding.reason, finding.message, look_again.map(|after| after.as_secs()))
}

#[test]
fn a_builder_whose_image_cannot_be_pulled_is_named() {
    let state = json!({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}});
    let waiting = pod(BUILDER, 10, &json!({"phase": "Pending", "containerStatuses": container(&state)}));
    let (reason, message, _) = told(&[waiting], &[], None, 20);
    assert_eq!(reason, pods::IMAGE_PULL_FAILED);
    assert!(message.contains("demo-builder-1") && message.contains("not found"));
}

#[test]
fn an_image_that_the_look_cannot_pull_is_known_before_the_first_build() {
    let state = json!({"waiting": {"reason": "ErrImagePull", "message": "unauthorized"}});
    let looking =
        pod(look::COMPONENT, 10, &json!({"phase": "Pending", "containerStatuses": container(&state)}));
    let (reason, message, _) = told(std::slice::from_ref(&looking), &[], None, 20);
    assert_eq!(reason, pods::IMAGE_PULL_FAILED);
    assert!(message.contains("unauthorized"), "{message}");
    assert_eq!(told(&[looking, ready(15)], &[], None, 20).0, AVAILABLE, "a builder has it");
}

#[test]
fn a_failed_builder_counts_until_a_ready_one_comes_or_it_is_old_and_the_wait_is_known() {
    let refused = [failure(60, "uid-of-resalloc", "Refused")];
    let (reason, message, look_again) = told(&[resalloc()], &refused, None, 70);
    assert_eq!((reason.as_str(), look_again), (BUILDER_REFUSED, Some(30)));
    assert!(message.contains("violates PodSecurity"));
    assert_eq!(told(&[resalloc()], &refused, None, 165).2, Some(15), "woken when it is forgotten");
    assert_eq!(
        told(&[resalloc()], &refused, None, 180),
        (AVAILABLE.into(), "no builder pod is in trouble".into(), None)
    );
    assert_eq!(told(&[resalloc(), ready(65)], &refused, None, 70).0, AVAILABLE);
    assert_eq!(told(&[resalloc(), ready(55)], &refused, None, 70).0, BUILDER_REFUSED, "it came before");
    let next = pod(BUILDER, 65, &json!({"phase": "Pending"}));
    assert_eq!(told(&[resalloc(), next], &refused, None, 70).0, BUILDER_REFUSED, "it isn't there yet");
    let failed = [failure(60, "uid-of-resalloc", "Start")];
    assert_eq!(told(&[resalloc()], &failed, None, 104).0, BUILDER_FAILED);
    assert_eq!(told(&[resalloc()], &failed, None, 105).0, AVAILABLE);
}

#[test]
fn what_another_resalloc_told_is_of_another_instance() {
    let old = [failure(60, "uid-of-one-before", "Refused")];
    assert_eq!(told(&[resalloc()], &old, None, 70).0, AVAILABLE);
    assert_eq!(told(&[], &old, None, 70).0, AVAILABLE);
}

#[test]
fn a_builder_that_ended_does_not_mean_that_builders_cannot_come() {
    for state in [
        json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}),
        json!({"terminated": {"exitCode": 255, "reason": "Error"}}),
    ] {
        let ended = pod(BUILDER, 10, &json!({"phase": "Failed", "containerStatuses": container(&state)}));
        assert_eq!(told(&[ended], &[], None, 20).0, AVAILABLE);
    }
}

#[test]
fn a_builder_that_the_kubelet_cannot_set_up_is_told_by_its_events() {
    let event: Event = serde_json::from_value(json!({
        "metadata": {}, "involvedObject": {"uid": "uid-of-builder"}, "reason": "FailedMount",
        "lastTimestamp": at(15).to_string(), "message": "secret \"demo-builder\" not found",
    }))
    .unwrap();
    let pending = pod(BUILDER, 10, &json!({"phase": "Pending"}));
    let (reason, message, _) = told(&[pending], std::slice::from_ref(&event), None, 20);
    assert_eq!(reason, pods::CONTAINER_FAILED);
    assert!(message.contains("FailedMount: secret"), "{message}");
    assert_eq!(told(&[ready(10)], &[event], None, 20).0, AVAILABLE, "it has got over it");
}

fn instance() -> Instance {
    let mut instance = fixtures::minimal();
    instance.chroots = vec!["fedora-99-x86_64".into(), "fedora-44-x86_64".into()];
    instance
}

fn looked(instance: &Instance, exit_code: i32, message: &str) -> Pod {
    let job = look::jobs(instance)[0].name_any();
    serde_json::from_value(json!({
        "metadata": {"name": "p", "labels": {COMPONENT: look::COMPONENT, "batch.kubernetes.io/job-name": job}},
        "status": {"phase": "Succeeded", "containerStatuses": [{
            "name": "look", "image": "x", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": exit_code, "message": message}},
        }]},
    }))
    .unwrap()
}

#[test]
fn a_chroot_without_a_mock_configuration_is_named_with_file_and_image() {
    let instance = instance();
    let (finding, missing) =
        look::assess(&instance, &[looked(&instance, 0, "fedora-99-x86_64\n")], &[], None, &[]);
    assert_eq!((finding.status, finding.reason.as_str()), ("False", chroots::MOCK_CONFIG_MISSING));
    assert_eq!(missing, ["fedora-99-x86_64"]);
    for named in ["/etc/mock/fedora-99-x86_64.cfg", "quay.io/copr/copr-builder:2.7"] {
        assert!(finding.message.contains(named), "{}", finding.message);
    }
    let (finding, missing) = look::assess(&instance, &[looked(&instance, 0, "")], &[], None, &[]);
    assert!(finding.is_true() && missing.is_empty());
}

#[test]
fn nothing_is_said_before_the_look_or_after_one_that_failed() {
    let instance = instance();
    let (finding, _) = look::assess(&instance, &[], &[], None, &[]);
    assert_eq!((finding.status, finding.reason.as_str()), ("Unknown", chroots::LOOKING));
    let (finding, missing) =
        look::assess(&instance, &[looked(&instance, 1, "/etc/mock cannot be read")], &[], None, &[]);
    assert_eq!((finding.status, finding.reason.as_str()), ("Unknown", look::LOOK_FAILED));
    assert!(finding.message.contains("cannot be read") && missing.is_empty(), "{}", finding.message);
    let refused: Event = serde_json::from_value(json!({
        "metadata": {}, "involvedObject": {"name": look::jobs(&instance)[0].name_any()}, "reason": "FailedCreate",
        "message": "exceeded quota: pods",
    }))
    .unwrap();
    let (finding, _) = look::assess(&instance, &[], &[refused], None, &[]);
    assert_eq!((finding.status, finding.reason.as_str()), ("Unknown", look::LOOK_FAILED));
    assert!(finding.message.contains("exceeded quota: pods"), "{}", finding.message);
}

#[test]
fn what_a_look_has_shown_outlives_its_pod_but_not_a_change_of_what_is_looked_at() {
    let mut instance = instance();
    let (finding, missing) =
        look::assess(&instance, &[looked(&instance, 0, "fedora-99-x86_64\n")], &[], None, &[]);
    let mut conditions = Vec::new();
    copr_operator_kernel::conditions::set(&mut conditions, chroots::CONDITION, finding.clone(), None, at(0));
    let again = look::assess(&instance, &[], &[], conditions.first(), &missing);
    assert_eq!(again, (finding, missing.clone()));
    instance.builders.image = "quay.io/copr/mended:1".into();
    let (finding, missing) = look::assess(&instance, &[], &[], conditions.first(), &missing);
    assert_eq!((finding.status, missing.len()), ("Unknown", 0));
}

#[test]
fn the_look_is_an_ordinary_pod_with_little_of_its_own_where_builders_run() {
    let mut instance = instance();
    instance.builders.resources = serde_json::from_value(json!({"limits": {"memory": "2Gi"}})).unwrap();
    instance.builders.pod = serde_json::from_value(json!({"nodeSelector": {"builders": "yes"}})).unwrap();
    let jobs = look::jobs(&instance);
    let pod = jobs[0].spec.clone().unwrap().template;
    assert_eq!(pod.metadata.unwrap().labels.unwrap()[COMPONENT], look::COMPONENT);
    let pod = pod.spec.unwrap();
    assert_eq!(pod.security_context.unwrap().run_as_user, Some(65_534));
    assert_eq!(pod.automount_service_account_token, Some(false));
    let limits = pod.containers[0].resources.clone().unwrap().limits.unwrap();
    assert_eq!(limits["memory"].0, "128Mi");
    assert_eq!(pod.node_selector.unwrap()["builders"], "yes");
    let args = pod.containers[0].args.clone().unwrap();
    assert_eq!(args[4..], ["fedora-44-x86_64", "fedora-99-x86_64"]);
}
