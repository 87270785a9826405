//! What was around a run: events and pods, as tables.

use copr_operator_api::v1alpha1::CoprTestRun;
use k8s_openapi::api::core::v1::{Event, Pod};

use super::{one_line, tables};

/// Names of the run and of its instance, with which the names of all that belongs to them begin.
pub struct Names([String; 2]);

impl Names {
    pub fn of(run: &CoprTestRun) -> Self {
        let name = run.metadata.name.clone().unwrap_or_default();
        Self([run.spec.instance.name.clone().unwrap_or_else(|| name.clone()), name])
    }

    fn have(&self, name: &str) -> bool {
        self.0.iter().any(|own| {
            name.strip_prefix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    }
}

/// The events about them, oldest first.
pub fn events(names: &Names, events: &[Event]) -> String {
    let name = |event: &Event| event.involved_object.name.clone().unwrap_or_default();
    let mut events: Vec<_> = events.iter().filter(|event| names.have(&name(event))).collect();
    events.sort_by_key(|event| event.metadata.creation_timestamp.as_ref().map(|time| time.0));
    let rows = events.into_iter().map(|event| {
        let text = |text: &Option<String>| one_line(text.as_deref().unwrap_or("-"));
        let object = format!("{}/{}", text(&event.involved_object.kind), name(event));
        let time = event.metadata.creation_timestamp.as_ref().map_or("-".into(), |time| time.0.to_string());
        vec![time, text(&event.type_), text(&event.reason), object, text(&event.message)]
    });
    tables::table(&["TIME", "TYPE", "REASON", "OBJECT", "MESSAGE"], rows)
}

/// Their pods.
pub fn pods(names: &Names, pods: &[Pod]) -> String {
    let name = |pod: &Pod| pod.metadata.name.clone().unwrap_or_default();
    let rows = pods.iter().filter(|pod| names.have(&name(pod))).map(|pod| {
        let status = pod.status.clone().unwrap_or_default();
        let restarts: i32 =
            status.container_statuses.iter().flatten().map(|container| container.restart_count).sum();
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
        let dash = |value: Option<String>| value.unwrap_or_else(|| "-".into());
        vec![name(pod), dash(status.phase), restarts.to_string(), dash(node)]
    });
    tables::table(&["POD", "PHASE", "RESTARTS", "NODE"], rows)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::fixtures, *};

    fn event(object: &str, time: &str) -> Event {
        let event = json!({"metadata": {"creationTimestamp": time}, "involvedObject": {"kind": "Pod", "name": object},
                           "type": "Warning", "reason": "BackOff", "message": "it\nends"});
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn only_what_is_the_run_s_own_is_told_and_in_order() {
        let (late, early) = ("2026-11-26T10:00:09Z", "2026-11-26T10:00:01Z");
        let all = [event("pr-7-webui-1", late), event("pr-70", early), event("pr-7", early)];
        assert_eq!(
            events(&Names::of(&fixtures::red()), &all),
            "TIME                  TYPE     REASON   OBJECT            MESSAGE\n\
             2026-11-26T10:00:01Z  Warning  BackOff  Pod/pr-7          it ends\n\
             2026-11-26T10:00:09Z  Warning  BackOff  Pod/pr-7-webui-1  it ends\n"
        );
    }

    #[test]
    fn a_pod_says_where_it_ran_and_how_often() {
        let pod = |name: &str, more: Value| -> Pod {
            let mut pod = json!({"metadata": {"name": name}});
            pod.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value(pod).unwrap()
        };
        let container = json!({"name": "c", "image": "i", "imageID": "i", "ready": true, "restartCount": 2});
        let ran = json!({"spec": {"nodeName": "n1", "containers": []}, "status": {"phase": "Running", "containerStatuses": [container]}});
        let all = [pod("pr-7-frontend-0", ran), pod("pr-7-x", json!({})), pod("other", json!({}))];
        assert_eq!(
            pods(&Names::of(&fixtures::red()), &all),
            "POD              PHASE    RESTARTS  NODE\n\
             pr-7-frontend-0  Running  2         n1\n\
             pr-7-x           -        0         -\n"
        );
    }
}
