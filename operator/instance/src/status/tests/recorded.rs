//! What kstatus is to make of each standing of an instance.

use copr_operator_api::status::images::BUILD_FAILED;
use copr_operator_kernel::testing::{assert_recorded, status_of_new};
use serde_json::Value;

use super::*;

/// The instance as tools read it, with that status.
fn object(instance: &CoprInstance, status: &CoprInstanceStatus) -> Value {
    let mut object = serde_json::to_value(instance).unwrap();
    object["status"] = serde_json::to_value(status).unwrap();
    object
}

#[test]
fn kstatus_is_told_how_an_instance_is() {
    let (instance, seen) = serving();
    let fresh = CoprInstance { status: None, ..instance.clone() };
    let say = |of: &CoprInstance, progress: &Progress, error: Option<crate::Error>| {
        object(of, &report(of, progress, error.as_ref(), at(100)).0)
    };
    let with = |change: &dyn Fn(&mut Progress)| {
        let mut progress = progress(&instance, &seen);
        change(&mut progress);
        progress
    };
    let images = |reason, message| {
        let mut progress = building(&instance, &seen);
        progress.provision.as_mut().unwrap().finding = Finding::no(reason, message);
        progress
    };
    let nothing = Seen::default();
    let mut crashing = seen.clone();
    crash(&mut crashing, Component::Database);
    let in_trouble = CoprInstance {
        status: Some(report(&instance, &progress(&instance, &crashing), None, at(0)).0),
        ..instance.clone()
    };
    let mut edited = instance.clone();
    edited.metadata.generation = Some(4);
    let volume = |progress: &mut Progress| {
        let claim = json!({"metadata": {"name": "demo-backend"}, "status": {"phase": "Bound"}});
        progress.seen.as_mut().unwrap().claims = vec![serde_json::from_value(claim).unwrap()];
        progress.refused_volumes =
            vec!["failed to apply PersistentVolumeClaim demo-backend: forbidden".into()];
    };
    let no_mock_config = |progress: &mut Progress| {
        let look = progress.seen.as_mut().unwrap().pods.last_mut().unwrap();
        let containers = look.status.as_mut().unwrap().container_statuses.as_mut().unwrap();
        let end = containers[0].state.as_mut().unwrap().terminated.as_mut().unwrap();
        end.message = Some("fedora-44-x86_64\n".into());
    };
    let malformed = || {
        let mut status = instance.status.clone().unwrap();
        crate::malformed::say(&mut status.conditions, "missing field `chroots`", Some(4), at(100));
        status.observed_generation = Some(4);
        object(&edited, &status)
    };
    let mut paused = instance.clone();
    paused.spec.paused = true;
    let mut new = serde_json::to_value(&fresh).unwrap();
    new["status"] = status_of_new::<CoprInstance>();
    assert_recorded(
        "instance",
        &[
            ("new", "InProgress", new),
            ("building", "InProgress", say(&fresh, &building(&fresh, &nothing), None)),
            ("build-failed", "Failed", say(&fresh, &images(BUILD_FAILED, "nothing provides x"), None)),
            ("starting", "InProgress", say(&fresh, &progress(&fresh, &nothing), None)),
            ("serving", "Current", object(&instance, instance.status.as_ref().unwrap())),
            // Nothing of the status is about the present spec.
            ("edited", "InProgress", object(&edited, instance.status.as_ref().unwrap())),
            (
                "edited-and-unreadable",
                "InProgress",
                say(&edited, &Progress::default(), Some(request_failed())),
            ),
            ("edited-and-building", "InProgress", say(&edited, &building(&edited, &seen), None)),
            ("edited-and-malformed", "Failed", malformed()),
            (
                "restart-pending",
                "InProgress",
                say(&edited, &with(&|p| p.waiting = vec!["backend waits".into()]), None),
            ),
            ("paused", "Failed", say(&paused, &with(&|p| (p.provision, p.instance) = (None, None)), None)),
            ("secret-missing", "Failed", say(&fresh, &Progress::default(), Some(secret_not_found()))),
            (
                "requests-fail",
                "Failed",
                say(
                    &instance,
                    &Progress { failing_for: Duration::from_secs(99), ..Progress::default() },
                    Some(request_failed()),
                ),
            ),
            ("trouble", "InProgress", say(&instance, &progress(&instance, &crashing), None)),
            ("lasting-trouble", "Failed", say(&in_trouble, &progress(&instance, &crashing), None)),
            ("volume-refused", "Failed", say(&instance, &with(&volume), None)),
            ("mock-config-missing", "Failed", say(&instance, &with(&no_mock_config), None)),
        ],
    );
}
