//! How the builder pods of an instance are. Pure.
//!
//! Builders come and go with builds, so they are no part of Ready. But a build that waits for a builder that can't
//! come is no fault of Copr, and a test run has to know.

use k8s_openapi::{
    api::core::v1::{Event, Pod},
    jiff::{SignedDuration, Timestamp},
};
use kube::ResourceExt as _;

use super::{health, names::BUILDER};
use crate::{conditions::Verdict, labels::COMPONENT, report::truncate};

/// The condition's type.
pub const CONDITION: &str = "BuildersReady";
/// No builder is in trouble.
pub const AVAILABLE: &str = health::AVAILABLE;
/// resalloc's hook could not make a builder; also the reason of the event that the hook writes.
pub const BUILDER_FAILED: &str = "BuilderFailed";

/// A failure that no later builder has made up for counts this long.
const MEMORY: SignedDuration = SignedDuration::from_secs(120);

/// The state of the builders. `events` are those of the hook.
pub fn verdict(pods: &[Pod], events: &[Event], now: Timestamp) -> Verdict {
    let builders: Vec<_> =
        pods.iter().filter(|pod| pod.labels().get(COMPONENT).is_some_and(|c| c == BUILDER)).collect();
    if let Some((reason, message)) = builders.iter().find_map(|pod| health::pod_trouble(pod)) {
        return Verdict::no(reason, message);
    }
    let ready_since = builders.iter().filter_map(|pod| pod.creation_timestamp()).map(|time| time.0).max();
    let failure = events
        .iter()
        .filter(|event| event.reason.as_deref() == Some(BUILDER_FAILED))
        .filter_map(|event| Some((event.last_timestamp.as_ref()?.0, event.message.as_deref()?)))
        .filter(|(time, _)| {
            now.duration_since(*time) < MEMORY && ready_since.is_none_or(|since| since < *time)
        })
        .max();
    match failure {
        Some((_, message)) => Verdict::no(BUILDER_FAILED, truncate(message.into(), 600)),
        None => Verdict::yes(AVAILABLE, "no builder pod is in trouble"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn builder(created: &str, state: &serde_json::Value) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "demo-builder-1", "labels": {COMPONENT: BUILDER}, "creationTimestamp": created},
            "status": {"containerStatuses": [{
                "name": "builder", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": state,
            }]},
        }))
        .unwrap()
    }

    fn failure(time: &str) -> Event {
        serde_json::from_value(json!({
            "metadata": {}, "involvedObject": {}, "reason": BUILDER_FAILED, "lastTimestamp": time,
            "message": "POST pod demo-builder-1: the API server answered 403: forbidden",
        }))
        .unwrap()
    }

    #[test]
    fn a_builder_whose_image_cannot_be_pulled_is_named() {
        let state = json!({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}});
        let verdict = verdict(&[builder("1970-01-01T00:00:10Z", &state)], &[], at(20));
        assert_eq!(verdict.reason, health::IMAGE_PULL_FAILED);
        assert!(verdict.message.contains("demo-builder-1") && verdict.message.contains("not found"));
    }

    #[test]
    fn a_refused_builder_counts_until_a_later_one_comes_or_it_is_old() {
        let refused = [failure("1970-01-01T00:01:00Z")];
        assert_eq!(verdict(&[], &refused, at(70)).reason, BUILDER_FAILED);
        let running = builder("1970-01-01T00:01:05Z", &json!({"running": {}}));
        assert!(verdict(&[running], &refused, at(70)).is_true());
        assert!(verdict(&[], &refused, at(600)).is_true());
    }
}
