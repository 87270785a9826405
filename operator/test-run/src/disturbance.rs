//! Was the instance itself under a test? A test that failed while a component was away says nothing about
//! Copr. Pure.

use copr_operator_api::{component::Component, labels};
use copr_operator_kernel::pods;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;

use super::target::{State, Target};

/// How long after its end a failed test is judged. The kubelet may need a moment to tell of the container
/// whose end made the test fail.
pub const SETTLE: SignedDuration = SignedDuration::from_secs(10);

/// What happened to the instance since then, if anything.
pub fn disturbance(target: &Target, instance_pods: &[Pod], since: Timestamp) -> Option<String> {
    let State::Ready(facts) = &target.state else {
        return Some(target.finding().message);
    };
    // First the components: they say more than the condition that follows from them.
    let component = || facts.components.iter().find_map(|c| of_component(*c, instance_pods, since));
    let availability = || {
        (facts.available_since > since).then(|| {
            format!("CoprInstance {} was not Available until {}", target.name, facts.available_since)
        })
    };
    component().or_else(availability)
}

fn of_component(component: Component, instance_pods: &[Pod], since: Timestamp) -> Option<String> {
    let label = component.name();
    let mut alive = instance_pods
        .iter()
        .filter(|pod| pod.labels().get(labels::COMPONENT).is_some_and(|value| value == label))
        .filter(|pod| !pods::has_ended(pod))
        .peekable();
    if alive.peek().is_none() {
        return Some(format!("{label} has no pod"));
    }
    alive.find_map(|pod| of_pod(label, pod, since))
}

fn of_pod(label: &str, pod: &Pod, since: Timestamp) -> Option<String> {
    let name = pod.name_any();
    let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    if pod.metadata.deletion_timestamp.is_some() {
        return Some(format!("{label}: pod {name} is being deleted"));
    }
    if let Some(created) = created.filter(|created| *created > since) {
        return Some(format!("{label}: pod {name} came at {created} in place of another"));
    }
    let status = pod.status.as_ref();
    let containers = status.and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
    let restarted = containers
        .iter()
        .find_map(|container| Some((container, started(container).filter(|started| *started > since)?)));
    if let Some((container, started)) = restarted {
        return Some(format!("{label}: container {} of pod {name} restarted at {started}", container.name));
    }
    if let Some(down) = containers.iter().find(|container| started(container).is_none()) {
        return Some(format!("{label}: container {} of pod {name} is down", down.name));
    }
    (!pods::is_ready(pod)).then(|| format!("{label}: pod {name} is not ready"))
}

/// When the container that runs now was started.
fn started(container: &ContainerStatus) -> Option<Timestamp> {
    Some(container.state.as_ref()?.running.as_ref()?.started_at.as_ref()?.0)
}
