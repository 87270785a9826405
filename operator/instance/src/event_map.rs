//! From an event to the instance that it is about. Pure.
//!
//! What the API server refuses and what the kubelet can't set up is said by events only, so they are watched: without that a
//! reconcile that something else causes would be the first to see them.

use copr_operator_images::JOB_PREFIX;
use k8s_openapi::api::core::v1::Event;

use super::{builders::BUILDER_FAILED, incidents::BUILDER_DIED};

/// The reasons of the events that are watched, one watch each: a field selector can't name two. Not FailedScheduling: the pod says
/// that itself.
pub const REASONS: [&str; 8] = [
    BUILDER_FAILED,
    BUILDER_DIED,
    "FailedCreate",
    "FailedMount",
    "FailedAttachVolume",
    "FailedMapVolume",
    "FailedCreatePodSandBox",
    "FailedPostStartHook",
];

/// The kinds that instances consist of, or that an instance's objects make.
const KINDS: [&str; 4] = ["Pod", "StatefulSet", "Job", "PersistentVolumeClaim"];

/// Namespace and name of the instances that the event may concern. `instances` are those that exist.
///
/// An object is called `<instance>-<what it is>`. Of two instances whose names both fit, the longer one has it. Builds of images are
/// called by what they build, so that they may be any instance's of their namespace.
pub fn instances_of<'a>(
    event: &Event,
    instances: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<(&'a str, &'a str)> {
    let object = &event.involved_object;
    let (kind, name) =
        (object.kind.as_deref().unwrap_or_default(), object.name.as_deref().unwrap_or_default());
    let namespace = object.namespace.as_deref().or(event.metadata.namespace.as_deref());
    let watched = event.reason.as_deref().is_some_and(|reason| REASONS.contains(&reason));
    if !watched || !KINDS.contains(&kind) {
        return Vec::new();
    }
    let of_namespace = instances.filter(|(of, _)| Some(*of) == namespace);
    if name.starts_with(JOB_PREFIX) {
        return of_namespace.collect();
    }
    let is_of = |instance: &str| name.strip_prefix(instance).is_some_and(|rest| rest.starts_with('-'));
    of_namespace
        .filter(|(_, instance)| is_of(instance))
        .max_by_key(|(_, instance)| instance.len())
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::health;

    const INSTANCES: [(&str, &str); 4] =
        [("team", "copr"), ("team", "copr-dev"), ("other", "copr"), ("team", "cop")];

    fn found(reason: &str, kind: &str, name: &str) -> Vec<(&'static str, &'static str)> {
        let event: Event = serde_json::from_value(json!({
            "metadata": {"namespace": "team"}, "reason": reason,
            "involvedObject": {"kind": kind, "name": name, "namespace": "team"},
        }))
        .unwrap();
        instances_of(&event, INSTANCES.into_iter())
    }

    #[test]
    fn the_object_of_an_instance_leads_to_it() {
        assert_eq!(found("BuilderFailed", "Pod", "copr-resalloc-0"), [("team", "copr")]);
        assert_eq!(found("FailedCreate", "StatefulSet", "copr-dev-database"), [("team", "copr-dev")]);
        assert_eq!(found("FailedMount", "Pod", "copr-database-0"), [("team", "copr")]);
    }

    #[test]
    fn a_build_of_an_image_may_be_any_instances_of_its_namespace() {
        let found = found("FailedCreate", "Job", "copr-image-base-0123456789ab");
        assert_eq!(found, [("team", "copr"), ("team", "copr-dev"), ("team", "cop")]);
    }

    #[test]
    fn whatever_is_told_of_a_component_is_watched() {
        for reason in health::OBSTACLES {
            assert!(REASONS.contains(&reason), "{reason}");
        }
        assert!(health::REFUSALS.iter().any(|reason| REASONS.contains(reason)));
    }

    #[test]
    fn what_is_nobodys_leads_nowhere() {
        assert_eq!(found("BuilderFailed", "Pod", "copr"), []);
        assert_eq!(found("BuilderFailed", "Pod", "coprs-resalloc-0"), []);
        assert_eq!(found("Unhealthy", "Pod", "copr-resalloc-0"), []);
        assert_eq!(found("FailedCreate", "Deployment", "copr-x"), []);
    }
}
