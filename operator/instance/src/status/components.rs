//! How the components are, and Available, which sums them up. Pure.

use copr_operator_api::{
    component::Component,
    v1alpha1::{ComponentStatus, CoprInstanceSpec},
};
use copr_operator_kernel::{conditions::Finding, report};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use crate::{
    health::{self, is_trouble},
    observe::Seen,
    redact::Redactor,
};

/// Every component of the instance. `old` is what was reported before.
pub fn list(
    (instance, spec): (&str, &CoprInstanceSpec),
    seen: &Seen,
    redactor: &Redactor,
    old: &[ComponentStatus],
    now: Timestamp,
) -> Vec<ComponentStatus> {
    spec.components()
        .map(|component| {
            let finding = of(instance, component, seen);
            let new = ComponentStatus {
                name: component.field().into(),
                ready: finding.is_true(),
                reason: finding.reason,
                message: redactor.clean(&finding.message),
                last_transition_time: Time(now),
            };
            match old.iter().find(|old| old.name == new.name && is_alike(old, &new)) {
                Some(old) => {
                    ComponentStatus { last_transition_time: old.last_transition_time.clone(), ..new }
                }
                None => new,
            }
        })
        .collect()
}

/// Whether both answer, both start, or both are in trouble. Two reasons of trouble count as the same trouble: those of a container
/// that ends again and again alternate.
fn is_alike(old: &ComponentStatus, new: &ComponentStatus) -> bool {
    old.ready == new.ready && is_trouble(&old.reason) == is_trouble(&new.reason)
}

/// How a component of the instance is.
fn of(instance: &str, component: Component, seen: &Seen) -> Finding {
    let workload = seen.workload(instance, component);
    let pod = seen.pod(component.name());
    let refusal = seen.warning(workload.and_then(|w| w.metadata.uid.as_ref()), &health::REFUSALS);
    let obstacle = seen.warning(pod.and_then(|pod| pod.metadata.uid.as_ref()), &health::OBSTACLES);
    health::assess(workload, pod, refusal.and_then(|event| event.message.as_deref()), obstacle)
}

/// The condition Available. Where nothing else says what is waited for, it's whatever keeps the spec from being applied.
pub fn available(components: &[ComponentStatus], applied: &Finding) -> Finding {
    let waiting: Vec<_> = components.iter().filter(|component| !component.ready).collect();
    let trouble: Vec<_> = in_trouble(components).collect();
    match (trouble.first(), waiting.is_empty()) {
        (_, true) => Finding::yes(health::AVAILABLE, "every component answers"),
        (Some(first), _) => {
            let all = trouble.iter().map(|component| format!("{}: {}", component.name, component.message));
            let message = all.collect::<Vec<_>>().join("; ");
            Finding::no(&first.reason, report::truncate(message, super::MESSAGE_MAX))
        }
        (None, false) if !applied.is_true() && applied.reason != super::RESTART_PENDING => {
            Finding::no(&applied.reason, applied.message.clone())
        }
        (None, false) => {
            let names: Vec<_> = waiting.iter().map(|component| component.name.as_str()).collect();
            Finding::no(health::STARTING, format!("waiting for {}", names.join(", ")))
        }
    }
}

/// Those that don't answer, and not because it takes a while.
pub fn in_trouble(components: &[ComponentStatus]) -> impl Iterator<Item = &ComponentStatus> {
    components.iter().filter(|component| !component.ready && is_trouble(&component.reason))
}
