//! Builders that the cluster ended before their build did. Pure, but for the memory between two reconciles.
//!
//! resalloc deletes a dead builder within seconds, and its pod is all that says what happened to it. So whatever the watch of
//! pods sees is noted, and the status keeps it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use copr_operator_api::{
    component::BUILDER,
    labels::{COMPONENT, INSTANCE},
    v1alpha1::BuilderIncident,
};
use copr_operator_kernel::{
    disruption::{self, Cause, Disruption},
    report::truncate,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::core::v1::{Event, Pod},
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::ResourceExt as _;

/// An incident is forgotten after this time. No attempt at a test takes as long, so none needs an older one.
pub const MEMORY: SignedDuration = SignedDuration::from_hours(1);
/// So many are kept, the newest.
pub const MOST: usize = 8;
/// The reason of the event that resalloc's check writes about a builder that it finds dead.
pub const BUILDER_DIED: &str = "BuilderDied";

/// The beginning of the message that `builder-start` leaves when it ends a builder for want of memory.
const OOM_KILLED: &str = "OOMKilled:";

const MESSAGE_LENGTH: usize = 512;

/// What the watch has seen, by namespace and name of the instance.
#[derive(Debug, Default)]
pub struct Incidents(Mutex<BTreeMap<(String, String), Vec<BuilderIncident>>>);

impl Incidents {
    /// Remembers what became of a pod, if it is a builder that met with an incident. `now` counts where the pod has no time.
    pub fn note(&self, pod: &Pod, now: Timestamp) {
        let Some(incident) = of_pod(pod, now) else { return };
        let Some((namespace, instance)) = pod.namespace().zip(pod.labels().get(INSTANCE).cloned()) else {
            return;
        };
        let mut all = self.lock();
        // Drops the instances that have no recent incident, so that those that are gone don't stay in memory.
        all.retain(|_, incidents| incidents.iter().any(|incident| is_recent(incident, now)));
        let known = all.entry((namespace, instance)).or_default();
        *known = merge(std::mem::take(known), &[incident], None, now);
    }

    /// What is remembered of an instance.
    pub fn of(&self, namespace: &str, instance: &str) -> Vec<BuilderIncident> {
        self.lock().get(&(namespace.to_owned(), instance.to_owned())).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String), Vec<BuilderIncident>>> {
        // The map is whole even if a thread panicked while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The incidents to report: those known and those seen, one a pod, oldest first, none from before `since` (the birth of the
/// instance: one made again under the same name starts without a past).
pub fn merge(
    known: Vec<BuilderIncident>,
    seen: &[BuilderIncident],
    since: Option<Timestamp>,
    now: Timestamp,
) -> Vec<BuilderIncident> {
    let mut all = known;
    for incident in seen {
        if all.iter().all(|known| known.pod != incident.pod) {
            all.push(incident.clone());
        }
    }
    all.retain(|incident| is_recent(incident, now) && since.is_none_or(|since| incident.time.0 >= since));
    all.sort_by(|a, b| (a.time.0, &a.pod).cmp(&(b.time.0, &b.pod)));
    let surplus = all.len().saturating_sub(MOST);
    all.drain(..surplus);
    all
}

/// What resalloc's check told by events: the watch may have been away when it happened. `resalloc` is the uid of the present
/// resalloc pod, which has made all builders that there are.
pub fn of_events(events: &[Event], resalloc: Option<&str>) -> Vec<BuilderIncident> {
    let told = events.iter().filter(|event| {
        event.reason.as_deref() == Some(BUILDER_DIED)
            && resalloc.is_some()
            && event.involved_object.uid.as_deref() == resalloc
    });
    told.filter_map(|event| {
        let related = event.related.as_ref()?;
        // "Crashed" is no incident: a container that ended by itself may be Copr's fault.
        let reason = event.action.clone().filter(|action| REASONS.contains(&action.as_str()))?;
        Some(BuilderIncident {
            time: event.last_timestamp.clone()?,
            pod: related.name.clone()?,
            reason,
            message: truncate(event.message.clone().unwrap_or_default(), MESSAGE_LENGTH),
        })
    })
    .collect()
}

/// The reasons that an incident has; they are reasons of tests, too.
pub const REASONS: [&str; 4] = ["BuilderOutOfMemory", "BuilderEvicted", "BuilderNodeLost", "BuilderLost"];

fn of_pod(pod: &Pod, now: Timestamp) -> Option<BuilderIncident> {
    pod.labels().get(COMPONENT).filter(|component| *component == BUILDER)?;
    let disruption = disruption::of(pod).or_else(|| single_process(pod))?;
    let [memory, evicted, node, lost] = REASONS;
    let reason = match disruption.cause {
        Cause::OutOfMemory => memory,
        Cause::Evicted => evicted,
        Cause::NodeLost => node,
        Cause::Deadline | Cause::Other => lost,
    };
    Some(BuilderIncident {
        time: Time(disruption.time.unwrap_or(now)),
        pod: pod.name_any(),
        reason: reason.into(),
        message: truncate(disruption.message, MESSAGE_LENGTH),
    })
}

/// Where the kernel kills one process of a container only, `builder-start` ends the builder, and says so.
fn single_process(pod: &Pod) -> Option<Disruption> {
    let ends = pod.status.as_ref()?.container_statuses.iter().flatten();
    let end = ends
        .filter_map(|container| container.state.as_ref()?.terminated.as_ref())
        .find(|end| end.message.as_deref().is_some_and(|message| message.starts_with(OOM_KILLED)))?;
    Some(Disruption {
        cause: Cause::OutOfMemory,
        message: format!("pod {} ran out of memory: {}", pod.name_any(), end.message.as_deref()?.trim()),
        time: end.finished_at.as_ref().map(|time| time.0),
    })
}

fn is_recent(incident: &BuilderIncident, now: Timestamp) -> bool {
    now.duration_since(incident.time.0) < MEMORY
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn killed(name: &str, component: &str, second: i64) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "team", "labels": {COMPONENT: component, INSTANCE: "demo"}},
            "status": {"phase": "Failed", "containerStatuses": [{
                "name": "builder", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": at(second).to_string()}},
            }]},
        }))
        .unwrap()
    }

    fn incident(pod: &str, second: i64) -> BuilderIncident {
        BuilderIncident {
            time: Time(at(second)),
            pod: pod.into(),
            reason: "BuilderEvicted".into(),
            message: "m".into(),
        }
    }

    #[test]
    fn a_builder_that_is_gone_a_second_later_is_remembered_once_with_its_own_time() {
        let store = Incidents::default();
        let pod = killed("demo-builder-1", BUILDER, 50);
        store.note(&pod, at(60));
        store.note(&pod, at(61));
        let known = store.of("team", "demo");
        assert_eq!(known.len(), 1);
        assert_eq!((known[0].time.0, known[0].reason.as_str()), (at(50), "BuilderOutOfMemory"));
        assert!(known[0].message.contains("ran out of memory"), "{}", known[0].message);
        assert!(store.of("team", "other").is_empty() && store.of("elsewhere", "demo").is_empty());
    }

    #[test]
    fn a_builder_that_ended_because_one_process_was_killed_for_its_memory_counts() {
        let start = include_str!("build/scripts/builder-start");
        assert!(start.contains(&format!("echo \"{OOM_KILLED} ")));
        let mut pod = killed("demo-builder-1", BUILDER, 50);
        let status = pod.status.as_mut().unwrap().container_statuses.as_mut().unwrap();
        let end = status[0].state.as_mut().unwrap().terminated.as_mut().unwrap();
        (end.reason, end.message) = (Some("Error".into()), Some(format!("{OOM_KILLED} a process\n")));
        assert_eq!(of_pod(&pod, at(60)).unwrap().reason, "BuilderOutOfMemory");
        pod.status.as_mut().unwrap().container_statuses = None;
        assert_eq!(of_pod(&pod, at(60)), None);
    }

    #[test]
    fn other_pods_and_ordinary_ends_are_no_incidents() {
        let store = Incidents::default();
        store.note(&killed("demo-backend-0", "backend", 50), at(60));
        let mut deleted = killed("demo-builder-1", BUILDER, 50);
        deleted.status = None;
        deleted.metadata.deletion_timestamp = Some(at(55).into());
        store.note(&deleted, at(60));
        assert!(store.of("team", "demo").is_empty());
    }

    #[test]
    fn the_newest_eight_of_the_last_hour_are_kept() {
        let many: Vec<_> = (0..12).map(|i| incident(&format!("b{i:02}"), 100 + i)).collect();
        let kept = merge(vec![incident("old", 0)], &many, None, at(3650));
        assert_eq!(kept.len(), MOST);
        assert_eq!((kept[0].pod.as_str(), kept[7].pod.as_str()), ("b04", "b11"));
        assert!(merge(kept, &[], None, at(4000)).is_empty());
    }

    #[test]
    fn an_instance_made_again_under_the_same_name_starts_without_a_past() {
        let seen = [incident("before", 90), incident("after", 110)];
        let kept = merge(Vec::new(), &seen, Some(at(100)), at(120));
        assert_eq!(kept.iter().map(|i| i.pod.as_str()).collect::<Vec<_>>(), ["after"]);
    }

    #[test]
    fn what_the_check_told_counts_if_it_is_of_the_present_resalloc_and_of_the_cluster() {
        let told = |uid: &str, action: &str| -> Event {
            serde_json::from_value(json!({
                "metadata": {}, "involvedObject": {"uid": uid}, "related": {"name": "demo-builder-1"},
                "reason": BUILDER_DIED, "action": action, "message": "m", "lastTimestamp": "1970-01-01T00:01:00Z",
            }))
            .unwrap()
        };
        let events = [told("new", "BuilderOutOfMemory"), told("old", "BuilderLost"), told("new", "Crashed")];
        let found = of_events(&events, Some("new"));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].reason.as_str(), found[0].time.0), ("BuilderOutOfMemory", at(60)));
        assert!(of_events(&events, None).is_empty());
    }
}
