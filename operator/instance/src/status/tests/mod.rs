//! What a status says of what was done and seen, by subject.

mod available;
mod lifecycle;
mod of_images;
mod ready;
mod recorded;
mod upgrade;
mod written;

use std::{collections::BTreeMap, time::Duration};

use copr_operator_api::{component::Component, labels::COMPONENT, v1alpha1::ComponentStatus};
use copr_operator_images::condition;
use copr_operator_kernel::{platform::Platform, pods};
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Time};
use serde_json::json;

use super::*;
use crate::{
    fixtures::{MINIMAL, PUBLIC, minimal, observed, parse},
    health,
    observe::Seen,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn component(name: &str, reason: &str, message: &str) -> ComponentStatus {
    ComponentStatus {
        name: name.into(),
        ready: reason == health::AVAILABLE,
        reason: reason.into(),
        message: message.into(),
        last_transition_time: Time(at(0)),
    }
}

fn applied() -> Finding {
    Finding::yes(APPLIED, "")
}

/// An instance whose components all run, and whose builder image was looked at.
fn serving() -> (CoprInstance, Seen) {
    let mut instance = parse(MINIMAL);
    let mut pods = Component::ALL
        .map(|component| {
            json!({
                "metadata": {"name": format!("demo-{}-0", component.name()), "labels": {(COMPONENT): component.name()}},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            })
        })
        .to_vec();
    pods.push(json!({
        "metadata": {"labels": {"batch.kubernetes.io/job-name": look::jobs(&minimal())[0].name_any()}},
        "status": {"containerStatuses": [{
            "name": "look", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": 0, "message": ""}},
        }]},
    }));
    let workloads = Component::ALL
        .map(|component| json!({"metadata": {"name": format!("demo-{}", component.name())}, "spec": {"selector": {}, "template": {}}}));
    let seen = Seen {
        pods: serde_json::from_value(json!(pods)).unwrap(),
        workloads: serde_json::from_value(json!(workloads)).unwrap(),
        ..Seen::default()
    };
    instance.status = Some(report(&instance, &progress(&instance, &seen), None, at(0)).0);
    (instance, seen)
}

fn progress(instance: &CoprInstance, seen: &Seen) -> Progress {
    Progress {
        observed: Some(observed(Platform::Kubernetes)),
        seen: Some(seen.clone()),
        provision: Some(crate::fixtures::provision(instance)),
        instance: Some(minimal()),
        ..Progress::default()
    }
}

/// The same while images are built.
fn building(instance: &CoprInstance, seen: &Seen) -> Progress {
    let provision = copr_operator_images::Provision {
        finding: Finding::no(condition::BUILDING, "1 of 11 images are there"),
        ..crate::fixtures::provision(instance)
    };
    Progress { provision: Some(provision), instance: None, ..progress(instance, seen) }
}

fn secret_not_found() -> crate::Error {
    let missing = crate::validate::Error::SecretNotFound { field: "redis.externalSecret", name: "r".into() };
    crate::Error::Validate(missing)
}

/// A request to the API server that failed.
fn request_failed() -> crate::Error {
    crate::Error::Dereference(crate::dereference::Error::NoNamespace)
}

/// The container of a component's pod ends again and again.
fn crash(seen: &mut Seen, component: Component) {
    let is_it = |pod: &&mut Pod| pod.labels().get(COMPONENT).is_some_and(|name| name == component.name());
    seen.pods.iter_mut().find(is_it).unwrap().status = serde_json::from_value(json!({
        "containerStatuses": [{
            "name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "message": "disk full"}},
        }],
    }))
    .unwrap();
}

fn condition<'a>(status: &'a CoprInstanceStatus, type_: &str) -> (&'a str, &'a str) {
    let found = conditions::get(&status.conditions, type_).unwrap();
    (&found.status, &found.reason)
}

/// Which of the three is True, and why.
fn standing(status: &CoprInstanceStatus) -> (&str, &str) {
    let three = status.conditions.iter().filter(|c| [READY, RECONCILING, STALLED].contains(&&*c.type_));
    let mut holding = three.filter(|c| c.status == "True");
    let found = holding.next().unwrap();
    assert!(holding.next().is_none(), "{:?}", status.conditions);
    (&found.type_, &found.reason)
}
