//! What is said of images.

use super::*;

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
