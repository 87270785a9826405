//! An instance in words.

use copr_operator_api::{
    status::{AVAILABLE, builders, chroots, exposed, images, volumes},
    v1alpha1::{CoprInstance, CoprInstanceStatus, ImageState, ImageStatus},
};
use copr_operator_kernel::report;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{condition, count, one_line};

/// What is said of it.
pub fn words(instance: &CoprInstance, now: Timestamp) -> String {
    let name = instance.metadata.name.as_deref().unwrap_or_default();
    let namespace = instance.metadata.namespace.as_deref().unwrap_or_default();
    let status = instance.status.clone().unwrap_or_default();
    let mut text = format!("{name} in {namespace} {}\n", state(&status));
    if instance.metadata.deletion_timestamp.is_some() {
        text += "It is being deleted.\n";
    }
    let seen = status.observed_generation.unwrap_or(-1);
    if seen < 0 {
        text += "No operator has looked at it yet. If that stays so, 'kubectl copr preflight' says whether one runs.\n";
        return text;
    }
    if instance.metadata.generation.is_some_and(|generation| generation != seen) {
        text += "Its spec was changed, and the operator hasn't looked at the change yet: what follows is about the spec before.\n";
    }
    let waits = waits_for(&status, now);
    if !waits.is_empty() {
        text += "\nIt waits for:\n";
        for line in waits {
            text.extend([format!("- {line}\n")]);
        }
        text.extend([format!("\n{}\n", outlook(&status))]);
    }
    let beside = beside(&status, now);
    if !beside.is_empty() {
        text += "\nAnd:\n";
        for line in beside {
            text.extend([format!("- {line}\n")]);
        }
    }
    text += &where_it_answers(&status, name);
    text
}

fn is(status: &CoprInstanceStatus, type_: &str) -> bool {
    condition(&status.conditions, type_).is_some_and(|c| c.status == "True")
}

fn state(status: &CoprInstanceStatus) -> &'static str {
    match (is(status, "Ready"), is(status, AVAILABLE)) {
        (true, _) => "is ready: it answers, and its spec is in effect.",
        (false, true) => "answers, but is not yet as its spec says.",
        (false, false) => "does not answer yet.",
    }
}

/// Whether to wait or to act.
fn outlook(status: &CoprInstanceStatus) -> String {
    let why = condition(&status.conditions, "Ready").map(|c| c.reason.clone()).unwrap_or_default();
    if is(status, "Stalled") {
        format!(
            "It doesn't get there by itself ({why}): somebody has to change the spec, what it refers to, or the cluster. The operator tries again all the same."
        )
    } else {
        format!("It goes on by itself ({why}).")
    }
}

fn said(condition: &Condition) -> String {
    format!("{}: {}", condition.reason, one_line(&condition.message))
}

fn waits_for(status: &CoprInstanceStatus, now: Timestamp) -> Vec<String> {
    if is(status, "Ready") {
        return Vec::new();
    }
    let mut lines = Vec::new();
    let not_true = |type_: &str| condition(&status.conditions, type_).filter(|c| c.status != "True");
    if let Some(c) = not_true(images::CONDITION) {
        let built = status.packages.as_ref().map(|packages| packages.images.as_slice()).unwrap_or_default();
        if built.is_empty() {
            lines.push(format!("its images. {}", said(c)));
        } else {
            let there = built.iter().filter(|image| image.state.is_there()).count();
            lines.push(format!("its images, of which {there} of {} are there. {}", built.len(), c.reason));
            lines.extend(built.iter().filter_map(|image| image_line(image, now)));
        }
    }
    for component in status.components.iter().filter(|component| !component.ready) {
        let since = report::duration(now.duration_since(component.last_transition_time.0));
        lines.push(format!(
            "{}, for {since}. {}: {}",
            component.name,
            component.reason,
            one_line(&component.message)
        ));
    }
    for (type_, what) in [
        (volumes::CONDITION, "its volumes"),
        (chroots::CONDITION, "its chroots"),
        (exposed::CONDITION, "its URLs"),
    ] {
        lines.extend(not_true(type_).map(|c| format!("{what}. {}", said(c))));
    }
    if lines.is_empty() {
        lines.extend(not_true("Ready").map(said));
    }
    lines
}

fn image_line(image: &ImageStatus, now: Timestamp) -> Option<String> {
    let since = image.started_at.as_ref().map(|start| report::duration(now.duration_since(start.0)));
    let message = image.message.as_ref().map(|m| format!(". {}", one_line(m))).unwrap_or_default();
    let name = &image.component;
    match image.state {
        ImageState::Pushed | ImageState::Reused => None,
        ImageState::Queued => Some(format!("image {name}, queued{message}")),
        ImageState::Building => Some(format!(
            "image {name}, building{}{message}",
            since.map(|s| format!(" for {s}")).unwrap_or_default()
        )),
        ImageState::Failed => {
            let again = image
                .retry_at
                .as_ref()
                .map(|at| format!(", tried again in {}", report::duration(at.0.duration_since(now))));
            Some(format!("image {name}, failed{}{message}", again.unwrap_or_default()))
        }
    }
}

/// What holds nothing back, and is worth knowing.
fn beside(status: &CoprInstanceStatus, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(c) = condition(&status.conditions, builders::CONDITION).filter(|c| c.status == "False") {
        lines.push(format!("builders can't come, so nothing can be built. {}", said(c)));
    }
    if let Some(last) = status.builder_incidents.last() {
        let ago = report::duration(now.duration_since(last.time.0));
        let number = count(status.builder_incidents.len(), "builder");
        lines.push(format!(
            "{number} ended by the cluster within an hour, the last one {ago} ago. {}: {}",
            last.reason,
            one_line(&last.message)
        ));
    }
    if let Some(at) = &status.expires_at {
        let left = at.0.duration_since(now);
        lines.push(if left.is_positive() {
            format!("it is deleted in {}, at {}", report::duration(left), at.0)
        } else {
            "its time is over: it is about to be deleted".into()
        });
    }
    lines
}

fn where_it_answers(status: &CoprInstanceStatus, name: &str) -> String {
    let Some(endpoints) = &status.endpoints else { return String::new() };
    let mut text = format!("\nInside the cluster: {}\n", endpoints.frontend);
    if let Some(public) = &endpoints.public {
        text.extend([format!("For people:         {}\n", public.frontend)]);
    }
    if status.client_secret.is_some() {
        text.extend([format!("copr-cli:           kubectl copr login {name}\n")]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::fixtures, *};

    #[test]
    fn instances_in_words() {
        for (name, instance) in fixtures::instances() {
            insta::assert_snapshot!(name, words(&instance, fixtures::at(600)));
        }
    }
}
