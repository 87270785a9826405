//! What is said of an instance that is paused: by a condition and by events. Pure.

use copr_operator_api::{
    status::{PAUSED, RECONCILED},
    v1alpha1::{CoprInstance, CoprInstanceStatus},
};
use copr_operator_kernel::conditions::{self, Verdict};
use kube::runtime::events::{Event, EventType};

/// The reason of the event when it ends.
const RESUMED: &str = "Resumed";

/// What is said in place of whether the spec is applied, if the instance is paused.
pub fn verdict(instance: &CoprInstance) -> Option<Verdict> {
    let message = "spec.paused is true: nothing of the instance is changed until it is false";
    instance.spec.paused.then(|| Verdict::no(PAUSED, message))
}

/// The event of the change, if there was one.
pub fn event(old: &CoprInstanceStatus, new: &CoprInstanceStatus) -> Option<Event> {
    let paused = |status: &CoprInstanceStatus| {
        conditions::get(&status.conditions, RECONCILED).is_some_and(|condition| condition.reason == PAUSED)
    };
    let (reason, note) = match (paused(old), paused(new)) {
        (false, true) => (PAUSED, "nothing of the instance is changed from now on, as spec.paused is true"),
        (true, false) => (RESUMED, "the instance is brought to what its spec says again"),
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
