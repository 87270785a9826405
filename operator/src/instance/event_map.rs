//! From an event to the instance that it is about. Pure.
//!
//! What the API server refuses and what the kubelet can't set up is said by events only, so they are watched: without that a
//! reconcile that something else causes would be the first to see them.

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

/// The name and namespace of the instance whose object the event is about. `instances` are those that exist, by namespace and name.
///
/// An object is called `<instance>-<what it is>`. Of two instances whose names both fit, the longer one has it.
pub fn instance_of<'a>(
    event: &Event,
    instances: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<(&'a str, &'a str)> {
    let object = &event.involved_object;
    let (kind, name) = (object.kind.as_deref()?, object.name.as_deref()?);
    let namespace = object.namespace.as_deref().or(event.metadata.namespace.as_deref())?;
    let watched = event.reason.as_deref().is_some_and(|reason| REASONS.contains(&reason));
    if !watched || !KINDS.contains(&kind) {
        return None;
    }
    instances
        .filter(|(of, instance)| {
            *of == namespace && name.strip_prefix(instance).is_some_and(|rest| rest.starts_with('-'))
        })
        .max_by_key(|(_, instance)| instance.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::instance::health;

    const INSTANCES: [(&str, &str); 4] =
        [("team", "copr"), ("team", "copr-dev"), ("other", "copr"), ("team", "cop")];

    fn found(reason: &str, kind: &str, name: &str) -> Option<(&'static str, &'static str)> {
        let event: Event = serde_json::from_value(json!({
            "metadata": {"namespace": "team"}, "reason": reason,
            "involvedObject": {"kind": kind, "name": name, "namespace": "team"},
        }))
        .unwrap();
        instance_of(&event, INSTANCES.into_iter())
    }

    #[test]
    fn the_object_of_an_instance_leads_to_it() {
        assert_eq!(found("BuilderFailed", "Pod", "copr-resalloc-0"), Some(("team", "copr")));
        assert_eq!(found("FailedCreate", "StatefulSet", "copr-dev-database"), Some(("team", "copr-dev")));
        assert_eq!(found("FailedMount", "Pod", "copr-database-0"), Some(("team", "copr")));
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
        assert_eq!(found("BuilderFailed", "Pod", "copr"), None);
        assert_eq!(found("BuilderFailed", "Pod", "coprs-resalloc-0"), None);
        assert_eq!(found("Unhealthy", "Pod", "copr-resalloc-0"), None);
        assert_eq!(found("FailedCreate", "Deployment", "copr-x"), None);
    }
}
