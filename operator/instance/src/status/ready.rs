//! The conditions of the components, and Ready, which sums them up. Pure.

use copr_operator_api::names::Component;
use copr_operator_kernel::{conditions::Verdict, report};

use crate::{
    health::{self, is_trouble},
    observe::Seen,
};

/// How a component of the instance is.
pub fn of(instance: &str, component: Component, seen: &Seen) -> Verdict {
    let workload = seen.workload(instance, component);
    let pod = seen.pod(component.name());
    let refusal = seen.warning(workload.and_then(|w| w.metadata.uid.as_ref()), &health::REFUSALS);
    let obstacle = seen.warning(pod.and_then(|pod| pod.metadata.uid.as_ref()), &health::OBSTACLES);
    health::verdict(workload, pod, refusal.and_then(|event| event.message.as_deref()), obstacle)
}

/// How all of them are. Where nothing else says what is waited for, it's whatever keeps the spec from being applied.
pub fn of_all(verdicts: &[(Component, Verdict)], reconciled: &Verdict) -> Verdict {
    let waiting: Vec<_> = verdicts.iter().filter(|(_, verdict)| !verdict.is_true()).collect();
    let trouble: Vec<_> = waiting.iter().filter(|(_, verdict)| is_trouble(&verdict.reason)).collect();
    match (trouble.first(), waiting.is_empty()) {
        (_, true) => Verdict::yes(health::AVAILABLE, "every component answers"),
        (Some((_, first)), _) => {
            let all = trouble.iter().map(|(component, v)| format!("{}: {}", component.name(), v.message));
            let message = all.collect::<Vec<_>>().join("; ");
            Verdict::no(&first.reason, report::truncate(message, super::MESSAGE_MAX))
        }
        (None, false) if !reconciled.is_true() && reconciled.reason != super::RESTART_PENDING => {
            Verdict::no(&reconciled.reason, reconciled.message.clone())
        }
        (None, false) => {
            let names: Vec<_> = waiting.iter().map(|(component, _)| component.name()).collect();
            Verdict::no(health::STARTING, format!("waiting for {}", names.join(", ")))
        }
    }
}
