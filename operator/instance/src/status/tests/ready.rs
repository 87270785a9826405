//! Why an instance isn't Ready, and whether that goes on by itself.

use copr_operator_api::status::images as of_images;

use super::*;

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
fn packages_that_are_waited_for_come_by_themselves_and_what_runs_goes_on() {
    let (instance, seen) = serving();
    let mut progress = building(&instance, &seen);
    let message = "waits until 2026-11-26T12:00:00Z";
    progress.provision.as_mut().unwrap().finding = Finding::no(of_images::NOT_YET_THERE, message);
    let (status, _) = report(&instance, &progress, None, at(0));
    assert_eq!(standing(&status), (RECONCILING, of_images::NOT_YET_THERE));
    assert_eq!(condition(&status, of_images::CONDITION), ("False", of_images::NOT_YET_THERE));
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
