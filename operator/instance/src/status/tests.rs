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

mod recorded;
mod written;

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

#[test]
fn available_names_every_trouble_and_takes_the_first_as_reason() {
    let trouble = [
        component("database", pods::CRASHING, "pod demo-database-0: disk full"),
        component("frontend", health::SCHEMA_FAILED, "pod demo-frontend-0: refused"),
        component("redis", health::AVAILABLE, ""),
        component("backend", health::STARTING, ""),
    ];
    let available = components::available(&trouble, &applied());
    assert_eq!(available.reason, pods::CRASHING);
    assert_eq!(
        available.message,
        "database: pod demo-database-0: disk full; frontend: pod demo-frontend-0: refused"
    );
}

#[test]
fn available_names_who_is_waited_for() {
    let keygen = [component("keygen", health::STARTING, "")];
    let said = |applied: &Finding| {
        let available = components::available(&keygen, applied);
        (available.reason, available.message)
    };
    assert_eq!(said(&applied()), (health::STARTING.into(), "waiting for keygen".into()));
    let missing = Finding::no("SecretNotFound", "no Secret pg");
    assert_eq!(said(&missing), ("SecretNotFound".into(), "no Secret pg".into()));
}

#[test]
fn images_are_digests_once_pulled_and_the_builder_is_remembered() {
    let instance = minimal();
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "demo-redis-0", "labels": {COMPONENT: "redis"}},
        "status": {"containerStatuses": [{"name": "redis", "image": "", "ready": true, "restartCount": 0,
            "imageID": "quay.io/copr/copr-redis@sha256:aa"}]},
    }))
    .unwrap();
    let seen = Seen { pods: vec![pod], ..Seen::default() };
    let old = BTreeMap::from([("builder".to_owned(), "quay.io/copr/copr-builder@sha256:bb".to_owned())]);
    let images = images::running(&seen, &old, &instance);
    assert_eq!(images["redis"], "quay.io/copr/copr-redis@sha256:aa");
    assert_eq!(images["builder"], "quay.io/copr/copr-builder@sha256:bb");
    assert_eq!(images["keygen"], "quay.io/copr/copr-keygen:2.7");
}

#[test]
fn an_event_is_written_when_available_changes_and_only_then() {
    let now = Timestamp::UNIX_EPOCH;
    let with = |finding: Finding| {
        let mut status = CoprInstanceStatus::default();
        conditions::set(&mut status.conditions, AVAILABLE, finding, Some(1), now);
        status
    };
    let old = with(Finding::no(health::STARTING, "waiting for redis"));
    assert!(event(&old, &with(Finding::no(health::STARTING, "waiting for keygen"))).is_none());
    let new = with(Finding::yes(health::AVAILABLE, ""));
    assert_eq!(event(&old, &new).map(|e| e.reason), Some("Available".to_owned()));
}

#[test]
fn a_copr_that_serves_stays_available_whatever_keeps_the_spec_from_being_applied() {
    let (instance, seen) = serving();
    let before = instance.status.clone().unwrap();
    assert_eq!(condition(&before, AVAILABLE), ("True", health::AVAILABLE));
    assert_eq!(standing(&before), (READY, standing::UP_TO_DATE));
    assert_eq!(before.applied_generation, Some(3));

    // One request failed: nothing could be seen, and nothing is forgotten.
    let error = secret_not_found();
    let after = report(&instance, &Progress::default(), Some(&error), at(0)).0;
    assert_eq!(condition(&after, AVAILABLE), ("True", health::AVAILABLE));
    assert_eq!(after.components, before.components);
    assert_eq!(standing(&after), (STALLED, "SecretNotFound"));

    // New images are built while the old ones serve.
    let after = report(&instance, &building(&instance, &seen), None, at(0)).0;
    assert_eq!(condition(&after, AVAILABLE), ("True", health::AVAILABLE));
    assert_eq!(standing(&after), (RECONCILING, condition::BUILDING));

    // What waits for running builds is no trouble either.
    let waiting = Progress { waiting: vec!["backend waits".into()], ..progress(&instance, &seen) };
    let after = report(&instance, &waiting, None, at(0)).0;
    assert_eq!(condition(&after, AVAILABLE), ("True", health::AVAILABLE));
    assert_eq!(standing(&after), (RECONCILING, RESTART_PENDING));
    // It was applied before.
    assert_eq!(after.applied_generation, Some(3));
}

#[test]
fn what_is_tried_again_goes_on_by_itself_until_it_has_failed_for_a_minute() {
    let (instance, _) = serving();
    let error = request_failed();
    let after = |seconds| {
        let progress = Progress { failing_for: Duration::from_secs(seconds), ..Progress::default() };
        report(&instance, &progress, Some(&error), at(0)).0
    };
    assert_eq!(standing(&after(59)), (RECONCILING, "DependencyUnreadable"));
    assert_eq!(standing(&after(60)), (STALLED, "DependencyUnreadable"));
}

#[test]
fn a_second_build_that_fails_around_its_packages_is_no_accident() {
    let (instance, seen) = serving();
    let after = |failures: i32| {
        let mut progress = building(&instance, &seen);
        let provision = progress.provision.as_mut().unwrap();
        provision.finding = Finding::no(condition::BUILD_TROUBLE, "keygen: evicted");
        let failed = json!({"images": [{"component": "keygen", "inputHash": "1", "state": "Failed", "failures": failures}]});
        provision.packages = serde_json::from_value(failed).unwrap();
        report(&instance, &progress, None, at(0)).0
    };
    assert_eq!(standing(&after(1)), (RECONCILING, condition::BUILD_TROUBLE));
    assert_eq!(standing(&after(2)), (STALLED, condition::BUILD_TROUBLE));
}

#[test]
fn trouble_of_a_component_is_given_a_minute_and_looked_at_again_after_it() {
    let (mut instance, mut seen) = serving();
    crash(&mut seen, Component::Database);
    let (status, look_again) = report(&instance, &progress(&instance, &seen), None, at(100));
    assert_eq!(condition(&status, AVAILABLE), ("False", pods::CRASHING));
    assert_eq!(standing(&status), (RECONCILING, pods::CRASHING));
    assert_eq!(look_again.unwrap().as_secs(), 60);
    instance.status = Some(status);

    // Between two ends of its container it is started again: that's the same trouble.
    let of_database = |status: &CoprInstanceStatus| {
        let found = status.components.iter().find(|component| component.name == "database").unwrap();
        (found.reason.clone(), found.last_transition_time.0)
    };
    seen.pods[0].status = serde_json::from_value(json!({
        "containerStatuses": [{"name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 4, "state": {"running": {}}}],
    }))
    .unwrap();
    let (status, look_again) = report(&instance, &progress(&instance, &seen), None, at(130));
    assert_eq!(of_database(&status), (health::NOT_READY.into(), at(100)));
    assert_eq!((standing(&status).0, look_again.unwrap().as_secs()), (RECONCILING, 30));
    instance.status = Some(status);
    let (status, look_again) = report(&instance, &progress(&instance, &seen), None, at(160));
    assert_eq!((standing(&status).0, look_again), (STALLED, None));
}

#[test]
fn a_look_into_the_builder_image_is_waited_for_but_not_for_ever() {
    let (mut instance, mut seen) = serving();
    seen.pods.pop();
    instance.status = None;
    let (status, look_again) = report(&instance, &progress(&instance, &seen), None, at(0));
    assert_eq!(standing(&status), (RECONCILING, status::chroots::LOOKING));
    assert_eq!(look_again.unwrap().as_secs(), 120);
    instance.status = Some(status);
    let (status, _) = report(&instance, &progress(&instance, &seen), None, at(120));
    assert_eq!(standing(&status), (READY, standing::UP_TO_DATE));
}

#[test]
fn a_host_that_is_not_admitted_is_given_a_minute_and_makes_nothing_unavailable() {
    let (mut instance, mut seen) = serving();
    instance.spec = parse(&PUBLIC.replace("expose: Ingress", "expose: Route")).spec;
    let says = |seen: &mut Seen, admitted: &str| {
        let route = |name: &str, host: &str| {
            json!({
                "metadata": {"name": format!("demo-{name}")},
                "spec": {"host": host},
                "status": {"ingress": [{"host": host, "routerName": "default", "conditions": [
                    {"type": "Admitted", "status": admitted, "reason": "HostAlreadyClaimed", "message": "taken"},
                ]}]},
            })
        };
        seen.exposed = serde_json::from_value(json!([
            route("frontend", "copr.example.org"),
            route("backend-httpd", "results.copr.example.org"),
            route("dist-git", "git.copr.example.org"),
        ]))
        .unwrap();
    };
    let status = |instance: &CoprInstance, seen: &Seen, second| {
        let (status, look_again) = report(instance, &progress(instance, seen), None, at(second));
        (status, look_again.map(|after| after.as_secs()))
    };
    let (pending, _) = status(&instance, &seen, 100);
    assert_eq!(condition(&pending, status::exposed::CONDITION), ("Unknown", status::exposed::PENDING));
    assert_eq!(standing(&pending), (READY, standing::UP_TO_DATE), "some controllers never write an address");

    says(&mut seen, "False");
    let (refused, look_again) = status(&instance, &seen, 100);
    assert_eq!(condition(&refused, status::exposed::CONDITION), ("False", status::exposed::NOT_ADMITTED));
    assert_eq!((standing(&refused), look_again), ((RECONCILING, status::exposed::NOT_ADMITTED), Some(60)));
    instance.status = Some(refused);
    let (refused, look_again) = status(&instance, &seen, 160);
    assert_eq!((standing(&refused), look_again), ((STALLED, status::exposed::NOT_ADMITTED), None));
    assert_eq!(condition(&refused, AVAILABLE), ("True", health::AVAILABLE));
    assert_eq!(refused.applied_generation, instance.metadata.generation);

    says(&mut seen, "True");
    let (admitted, _) = status(&instance, &seen, 170);
    assert_eq!(condition(&admitted, status::exposed::CONDITION), ("True", status::exposed::ADMITTED));
    assert_eq!(standing(&admitted), (READY, standing::UP_TO_DATE));
}

#[test]
fn every_reason_by_which_an_applied_instance_is_not_ready_is_known_as_one() {
    let (instance, seen) = serving();
    let refused = Progress { refused_volumes: vec!["can't grow".into()], ..progress(&instance, &seen) };
    let claim = json!({"metadata": {"name": "c"}, "status": {"phase": "Bound"}});
    let seen = Seen { claims: vec![serde_json::from_value(claim).unwrap()], ..seen };
    let refused = Progress { seen: Some(seen), ..refused };
    let status = report(&instance, &refused, None, at(0)).0;
    assert_eq!(standing(&status), (STALLED, status::volumes::RESIZE_REFUSED));
    assert_eq!(status.applied_generation, Some(3));
    for reason in [
        status::volumes::RESIZE_REFUSED,
        status::volumes::RESIZING,
        status::volumes::PENDING,
        status::chroots::LOOKING,
        status::chroots::MOCK_CONFIG_MISSING,
        status::exposed::NOT_ADMITTED,
    ] {
        assert!(status::is_applied(reason), "{reason}");
    }
    for reason in [RESTART_PENDING, condition::BUILDING, "ApplyFailed", "NameTaken", "DependencyUnreadable"] {
        assert!(!status::is_applied(reason), "{reason}");
    }
}

#[test]
fn images_are_dated_when_their_state_changes() {
    let (mut instance, seen) = serving();
    let mut at_state = |state: &str, second| {
        let mut progress = building(&instance, &seen);
        let images = json!({"images": [{"component": "keygen", "inputHash": "1", "state": state}]});
        progress.provision.as_mut().unwrap().packages = serde_json::from_value(images).unwrap();
        let status = report(&instance, &progress, None, at(second)).0;
        instance.status = Some(status.clone());
        status.packages.unwrap().images[0].last_transition_time.clone().unwrap().0
    };
    assert_eq!(at_state("Queued", 10), at(10));
    assert_eq!(at_state("Queued", 20), at(10));
    assert_eq!(at_state("Building", 30), at(30));
}

/// The status of an instance as version 0.1 left it.
fn of_version_0_1() -> CoprInstanceStatus {
    let objects = include_str!("../../../../e2e/upgrade/objects-0.1.yaml");
    let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple(objects).unwrap();
    serde_json::from_value(documents[0]["status"].clone()).unwrap()
}

#[test]
fn what_version_0_1_called_ready_is_available_and_its_conditions_of_components_go() {
    let (mut instance, seen) = serving();
    let old = of_version_0_1();
    let since = conditions::get(&old.conditions, READY).unwrap().last_transition_time.clone();
    assert!(conditions::is_true(&old.conditions, "FrontendReady"));
    instance.status = Some(old);
    for progress in [progress(&instance, &seen), Progress::default()] {
        let error = progress.seen.is_none().then(request_failed);
        let status = report(&instance, &progress, error.as_ref(), since.0 + SignedDuration::from_secs(99)).0;
        let available = conditions::get(&status.conditions, AVAILABLE).unwrap();
        assert_eq!((available.status.as_str(), &available.last_transition_time), ("True", &since));
        let unknown: Vec<_> = status.conditions.iter().filter(|c| !TYPES.contains(&&*c.type_)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn what_version_0_1_had_applied_is_remembered_though_the_first_look_at_it_fails() {
    let mut instance = parse(MINIMAL);
    instance.metadata.generation = Some(1);
    instance.status = Some(of_version_0_1());
    let after = report(&instance, &Progress::default(), Some(&request_failed()), at(0)).0;
    assert_eq!(after.applied_generation, Some(1));
    // What was edited since is not.
    instance.metadata.generation = Some(2);
    let after = report(&instance, &Progress::default(), Some(&request_failed()), at(0)).0;
    assert_eq!(after.applied_generation, Some(1));
}

#[test]
fn the_same_observation_gives_the_same_status() {
    let (instance, seen) = serving();
    let again = report(&instance, &progress(&instance, &seen), None, at(99)).0;
    assert_eq!(Some(again), instance.status);
}

#[test]
fn a_paused_instance_says_so_and_goes_on_telling_how_its_components_are() {
    let (mut instance, mut seen) = serving();
    let before = instance.status.clone().unwrap();
    (instance.spec.paused, instance.metadata.generation) = (true, Some(4));
    seen.pods.retain(|pod| pod.name_any() != "demo-redis-0");
    let watching = Progress { instance: None, ..progress(&instance, &seen) };
    let (status, _) = report(&instance, &watching, None, Timestamp::UNIX_EPOCH);
    assert_eq!(standing(&status), (STALLED, "Paused"));
    assert_eq!(condition(&status, AVAILABLE).0, "False");
    let redis = status.components.iter().find(|component| component.name == "redis").unwrap();
    assert_ne!(redis.reason, health::AVAILABLE);
    assert_eq!((status.applied_generation, &status.endpoints), (Some(3), &before.endpoints));
    assert_eq!(paused::event(&instance, &before, &status).unwrap().reason, "Paused");
    assert!(paused::event(&instance, &status, &status).is_none());
    assert!(
        paused::event(&instance, &status, &before).is_none(),
        "something failed, and it is paused all the same"
    );
    assert_eq!(paused::event(&parse(MINIMAL), &status, &before).unwrap().reason, "Resumed");

    let error = crate::Error::Validate(crate::validate::Error::NoUid);
    let (status, _) = report(&instance, &Progress::default(), Some(&error), Timestamp::UNIX_EPOCH);
    assert_eq!(standing(&status).1, "InvalidSpec", "what fails is told first");
}

#[test]
fn the_end_is_warned_of_once_and_an_extension_takes_the_warning_back() {
    use crate::lifetime::{Outlook, Step};
    let (mut instance, seen) = serving();
    let end = "2026-12-31T18:00:00Z".parse().unwrap();
    let told = |instance: &CoprInstance, step: Step| {
        let outlook = Outlook { end: Some(end), step, look_again: None };
        let progress = Progress { outlook: Some(outlook), ..progress(instance, &seen) };
        let (status, _) = report(instance, &progress, None, Timestamp::UNIX_EPOCH);
        let event = lifetime::event(&instance.status.clone().unwrap(), &status).map(|event| event.reason);
        (status, event)
    };
    let (status, event) = told(&instance, Step::Keep);
    assert_eq!((status.expires_at.as_ref().map(|at| at.0), event), (Some(end), None));
    assert!(conditions::get(&status.conditions, "Expiring").is_none());

    let (status, event) = told(&instance, Step::Warn);
    assert_eq!(
        (condition(&status, "Expiring"), event.as_deref()),
        (("True", "ExpiresSoon"), Some("ExpiresSoon"))
    );
    let said = &conditions::get(&status.conditions, "Expiring").unwrap().message;
    assert!(said.contains("with its volumes at 2026-12-31T18:00:00Z"), "{said}");
    instance.status = Some(status);
    assert_eq!(told(&instance, Step::Warn).1, None, "a second time, or by another operator");

    let (status, event) = told(&instance, Step::WaitForRuns(vec!["smoke".into()]));
    assert_eq!((condition(&status, "Expiring").1, event.as_deref()), ("WaitsForRuns", Some("WaitsForRuns")));
    let (status, _) = told(&instance, Step::Keep);
    assert!(conditions::get(&status.conditions, "Expiring").is_none());
    let progress = Progress { outlook: Some(Outlook::default()), ..progress(&instance, &seen) };
    assert_eq!(report(&instance, &progress, None, Timestamp::UNIX_EPOCH).0.expires_at, None);
}
