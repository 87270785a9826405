//! What is said of an instance that is paused: by a condition and by events. Pure.

use copr_operator_api::{
    status::PAUSED,
    v1alpha1::{CoprInstance, CoprInstanceStatus},
};
use copr_operator_kernel::conditions::{self, Finding, READY};
use kube::runtime::events::{Event, EventType};

/// The reason of the event when it ends.
const RESUMED: &str = "Resumed";

/// What is said in place of whether the spec is applied, if the instance is paused.
pub fn finding(instance: &CoprInstance) -> Option<Finding> {
    let message = "spec.paused is true: nothing of the instance is changed until it is false";
    instance.spec.paused.then(|| Finding::no(PAUSED, message))
}

/// The event of the change, if there was one. What fails while the instance is paused is no end of the pause.
pub fn event(instance: &CoprInstance, old: &CoprInstanceStatus, new: &CoprInstanceStatus) -> Option<Event> {
    let says = |status: &CoprInstanceStatus| {
        conditions::get(&status.conditions, READY).is_some_and(|condition| condition.reason == PAUSED)
    };
    let (reason, note) = match (says(old), says(new)) {
        (false, true) => (PAUSED, "nothing of the instance is changed from now on, as spec.paused is true"),
        (true, false) if !instance.spec.paused => {
            (RESUMED, "the instance is brought to what its spec says again")
        }
        _ => return None,
    };
    Some(Event {
        type_: EventType::Normal,
        reason: reason.into(),
        note: Some(note.into()),
        action: "Reconcile".into(),
        secondary: None,
    })
}
