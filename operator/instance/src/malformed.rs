//! Client required: tells of an object that isn't a CoprInstance of this version.

use copr_operator_api::{status::AVAILABLE, v1alpha1::CoprInstance};
use copr_operator_kernel::{
    conditions::{self, Finding, Outlook, Standing},
    malformed::{self, REASON},
    report::{chain, truncate},
};
use k8s_openapi::{
    api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp,
};
use kube::{
    Resource as _,
    core::error_boundary::InvalidObject,
    runtime::events::{Event, EventType},
};

use super::{Context, dereference::now, status::take_over};

/// Publishes an event, and writes the conditions where the API server takes a status of such an object. What the components last
/// were stays.
pub async fn report(context: &Context, invalid: &InvalidObject) {
    let metadata = &invalid.metadata;
    let name = metadata.name.clone().unwrap_or_default();
    let namespace = metadata.namespace.clone().unwrap_or_default();
    let message = truncate(format!("the object can't be read as a CoprInstance: {}", invalid.error), 1000);
    let about = ObjectReference {
        api_version: Some(CoprInstance::api_version(&()).into()),
        kind: Some(CoprInstance::kind(&()).into()),
        name: Some(name.clone()),
        namespace: Some(namespace.clone()),
        uid: metadata.uid.clone(),
        ..ObjectReference::default()
    };
    let event = Event {
        type_: EventType::Warning,
        reason: REASON.into(),
        note: Some(message.clone()),
        action: "Reconcile".into(),
        secondary: None,
    };
    if let Err(error) = context.recorder.publish(&event, &about).await {
        tracing::warn!(namespace, instance = name, error = chain(&error), "Failed to publish an event");
    }
    let say = |conditions: &mut Vec<Condition>, generation| say(conditions, &message, generation, now());
    if let Err(error) = malformed::write::<CoprInstance>(&context.client, (&namespace, &name), say).await {
        tracing::debug!(
            namespace,
            instance = name,
            error = chain(&error),
            "No status for a malformed object"
        );
    }
}

/// The conditions of an instance that can not be read, of that generation.
pub fn say(conditions: &mut Vec<Condition>, message: &str, generation: Option<i64>, now: Timestamp) {
    take_over(conditions);
    if conditions::get(conditions, AVAILABLE).is_none() {
        conditions::set(conditions, AVAILABLE, Finding::no(REASON, message), generation, now);
    }
    let standing = Standing::new(Outlook::Stalled, REASON, message);
    conditions::set_standing(conditions, standing, generation, now);
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::conditions::READY;

    use super::*;

    #[test]
    fn a_copr_that_serves_stays_available_though_its_object_can_not_be_read_any_more() {
        let now = Timestamp::UNIX_EPOCH;
        let mut conditions = Vec::new();
        say(&mut conditions, "no chroots", Some(1), now);
        assert!(!conditions::is_true(&conditions, AVAILABLE));
        conditions::set(&mut conditions, AVAILABLE, Finding::yes("Available", ""), Some(1), now);
        say(&mut conditions, "no chroots", Some(2), now);
        assert!(conditions::is_true(&conditions, AVAILABLE));
        let ready = conditions::get(&conditions, READY).unwrap();
        assert_eq!((ready.reason.as_str(), ready.observed_generation), (REASON, Some(2)));
    }
}
