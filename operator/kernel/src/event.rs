//! What events say. Pure.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::ResourceExt as _;

/// When an event happened last, whichever of the API's fields says so.
pub fn time(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref());
    let last = event.last_timestamp.as_ref();
    let first = event.event_time.as_ref();
    let told = series.map(|time| time.0).max(last.map(|time| time.0)).max(first.map(|time| time.0));
    told.or_else(|| event.creation_timestamp().map(|time| time.0))
}

/// The newest event about the object of that uid whose reason counts. Names are used again, uids are not.
pub fn newest<'a>(
    events: &'a [Event],
    uid: Option<&String>,
    counts: impl Fn(&str) -> bool,
) -> Option<&'a Event> {
    let uid = uid?;
    events
        .iter()
        .filter(|event| event.involved_object.uid.as_ref() == Some(uid))
        .filter(|event| event.reason.as_deref().is_some_and(&counts))
        .max_by_key(|event| time(event))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(uid: &str, reason: &str, when: &Value) -> Event {
        let mut event = json!({"metadata": {}, "involvedObject": {"uid": uid}, "reason": reason});
        for (key, value) in when.as_object().unwrap() {
            event[key] = value.clone();
        }
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn the_time_is_the_last_that_any_field_tells() {
        let at = |second: i64| format!("1970-01-01T00:00:{second:02}.000000Z");
        let whole = |second: i64| format!("1970-01-01T00:00:{second:02}Z");
        let rows = [
            (json!({"eventTime": at(5), "series": {"count": 2, "lastObservedTime": at(9)}}), Some(9)),
            (json!({"eventTime": at(5)}), Some(5)),
            (json!({"lastTimestamp": whole(7), "firstTimestamp": whole(3)}), Some(7)),
            (json!({"metadata": {"creationTimestamp": whole(2)}}), Some(2)),
            (json!({"metadata": {"creationTimestamp": whole(8)}, "lastTimestamp": whole(7)}), Some(7)),
            (json!({}), None),
        ];
        for (when, second) in rows {
            assert_eq!(time(&event("a", "x", &when)).map(Timestamp::as_second), second, "{when}");
        }
    }

    #[test]
    fn the_newest_of_an_object_is_that_of_its_uid_and_of_a_reason_that_counts() {
        let at = |second: i64| json!({"lastTimestamp": format!("1970-01-01T00:00:{second:02}Z")});
        let events = [
            event("a", "FailedMount", &at(3)),
            event("a", "FailedCreate", &at(1)),
            event("a", "Unhealthy", &at(4)),
            event("b", "FailedMount", &at(5)),
        ];
        let failed = |reason: &str| reason.starts_with("Failed");
        let found = |uid: &str| newest(&events, Some(&uid.to_owned()), failed).and_then(time);
        assert_eq!(found("a").map(Timestamp::as_second), Some(3));
        assert_eq!(found("c"), None);
        // What has no uid yet has no events.
        assert!(newest(&events, None, failed).is_none());
    }
}
