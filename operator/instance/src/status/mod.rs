//! Step 5, client required: what the cluster made of the plan, written into the status. Also written when an
//! earlier step failed.

mod before;
mod components;
mod exposed;
mod images;
mod lifetime;
mod standing;
mod volumes;

use copr_operator_api::{
    labels::FIELD_MANAGER,
    status::{self, AVAILABLE},
    v1alpha1::{CoprInstance, CoprInstanceStatus},
};
use copr_operator_images::events;
use copr_operator_kernel::{
    conditions::{self, Finding, READY, RECONCILING, STALLED},
    openshift, report,
};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::{
    Api, Client, Resource as _, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::events::{Event as NewEvent, EventType},
};

use self::standing::Circumstances;
use super::{
    Context, Progress, builders::look, dereference::now, health::is_trouble, incidents, paused,
    redact::Redactor,
};

pub use before::{applied_generation, take_over};
pub use volumes::is_refused_volume;

/// Every type of condition that an instance has.
const TYPES: [&str; 10] = [
    AVAILABLE,
    READY,
    RECONCILING,
    STALLED,
    status::images::CONDITION,
    status::volumes::CONDITION,
    status::builders::CONDITION,
    status::chroots::CONDITION,
    status::exposed::CONDITION,
    super::lifetime::CONDITION,
];
/// The cluster has everything that the present spec says.
const APPLIED: &str = "Applied";
/// A component is restarted with the present spec once the builds that run have ended.
pub const RESTART_PENDING: &str = "RestartPending";

const MESSAGE_MAX: usize = 2048;

/// The status couldn't be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the status")]
pub struct Error(#[source] kube::Error);

/// Writes the status, and an event where Available or an image changed. Returns when the status changes though nothing happens.
pub async fn write(
    context: &Context,
    instance: &CoprInstance,
    progress: &Progress,
    error: Option<&super::Error>,
) -> Result<Option<SignedDuration>, Error> {
    let old = instance.status.clone().unwrap_or_default();
    let (new, look_again) = report(instance, progress, error, now());
    if new == old {
        return Ok(look_again);
    }
    let (namespace, name) = (instance.namespace().unwrap_or_default(), instance.name_any());
    write_to(&context.client, (&namespace, &name), instance.uid(), &new).await?;
    let mut told = events::transitions(old.packages.as_ref(), new.packages.as_ref());
    told.extend(event(&old, &new));
    told.extend(paused::event(instance, &old, &new));
    told.extend(lifetime::event(&old, &new));
    for event in &told {
        // Events are for people who watch: one that can't be published must not hold up the instance.
        if let Err(error) = context.recorder.publish(event, &instance.object_ref(&())).await {
            tracing::warn!(error = report::chain(&error), "Failed to publish an event");
        }
    }
    Ok(look_again)
}

/// Writes the status of the instance of that namespace and name, if it is still the same object.
async fn write_to(
    client: &Client,
    (namespace, name): (&str, &str),
    uid: Option<String>,
    status: &CoprInstanceStatus,
) -> Result<(), Error> {
    let api: Api<CoprInstance> = Api::namespaced(client.clone(), namespace);
    let patch = serde_json::json!({
        "apiVersion": CoprInstance::api_version(&()),
        "kind": CoprInstance::kind(&()),
        "metadata": {"name": name, "uid": uid},
        "status": status,
    });
    match api.patch_status(name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(patch)).await {
        Ok(_) => Ok(()),
        // The instance was deleted meanwhile, or is another one of the same name by now.
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => Ok(()),
        Err(source) => Err(Error(source)),
    }
}

/// The status that follows from what was done and seen, and when it changes though nothing happens.
fn report(
    instance: &CoprInstance,
    progress: &Progress,
    error: Option<&super::Error>,
    now: Timestamp,
) -> (CoprInstanceStatus, Option<SignedDuration>) {
    let generation = instance.metadata.generation;
    let mut status = instance.status.clone().unwrap_or_default();
    let applied_before = applied_generation(&status);
    take_over(&mut status.conditions);
    if let Some(provision) = &progress.provision {
        images::report(provision, generation, &mut status, now);
    }
    let applied = applied(instance, &status, progress, error);
    if let (Some(observed), Some(seen)) = (&progress.observed, &progress.seen) {
        let redactor = Redactor::new(observed);
        let of = (instance.name_any(), &instance.spec);
        status.components = components::list((&of.0, of.1), seen, &redactor, &status.components, now);
        let available = components::available(&status.components, &applied);
        conditions::set(&mut status.conditions, AVAILABLE, available, generation, now);
        if let Some(volumes) = volumes::assess(seen, &progress.refused_volumes) {
            conditions::set(&mut status.conditions, status::volumes::CONDITION, volumes, generation, now);
        }
        exposed::report(instance, seen, &mut status, now);
        builders_of(instance, progress, &redactor, &mut status, now);
    } else if conditions::get(&status.conditions, AVAILABLE).is_none() {
        // Nothing could be looked at, and nothing was known before.
        conditions::set(&mut status.conditions, AVAILABLE, applied.clone(), generation, now);
    }
    if let Some(outlook) = &progress.outlook {
        lifetime::report(instance, outlook, &mut status, now);
    }
    let about = Circumstances { applied: &applied, failing_for: progress.failing_for, now };
    let (standing, look_again) = standing::of(&status, about);
    conditions::set_standing(&mut status.conditions, standing, generation, now);
    if let Some(valid) = &progress.instance {
        status.endpoints = Some(valid.endpoints());
        status.client_secret = Some(valid.client_secret());
        if let Some(seen) = &progress.seen {
            status.images = images::running(seen, &status.images, valid);
        }
    }
    status.observed_generation = generation;
    status.applied_generation = if applied.is_true() { generation } else { applied_before };
    (status, look_again)
}

/// Whether the cluster has everything that the present spec says.
fn applied(
    instance: &CoprInstance,
    status: &CoprInstanceStatus,
    progress: &Progress,
    error: Option<&super::Error>,
) -> Finding {
    if let Some(error) = error {
        return Finding::no(error.reason(), report::chain(error));
    }
    if let Some(paused) = paused::finding(instance) {
        return paused;
    }
    if !progress.failures.is_empty() {
        let mut said: Vec<_> = progress.failures.iter().map(|failure| report::chain(failure)).collect();
        said.extend(said.iter().find_map(|text| openshift::hint(text)).map(str::to_owned));
        let reason = progress.failures.first().map_or("ApplyFailed", super::apply_reason);
        return Finding::no(reason, report::truncate(said.join("; "), MESSAGE_MAX));
    }
    let images = conditions::get(&status.conditions, status::images::CONDITION);
    if let (None, Some(images)) = (&progress.instance, images) {
        return Finding::no(&images.reason, report::truncate(images.message.clone(), MESSAGE_MAX));
    }
    if !progress.waiting.is_empty() {
        return Finding::no(RESTART_PENDING, report::truncate(progress.waiting.join("; "), MESSAGE_MAX));
    }
    Finding::yes(APPLIED, "the cluster has everything that the spec says")
}

/// The conditions of builders and of what they build for, and what became of builders.
fn builders_of(
    instance: &CoprInstance,
    progress: &Progress,
    redactor: &Redactor,
    status: &mut CoprInstanceStatus,
    now: Timestamp,
) {
    let generation = instance.metadata.generation;
    if let Some(builders) = &progress.builders {
        let mut finding = builders.finding.clone();
        finding.message = redactor.clean(&finding.message);
        conditions::set(&mut status.conditions, status::builders::CONDITION, finding, generation, now);
    }
    if let (Some(valid), Some(seen)) = (&progress.instance, &progress.seen) {
        let known = conditions::get(&status.conditions, status::chroots::CONDITION);
        let missing = &status.chroots_without_mock_config;
        let (chroots, missing) = look::assess(valid, &seen.pods, &seen.warnings, known, missing);
        conditions::set(&mut status.conditions, status::chroots::CONDITION, chroots, generation, now);
        status.chroots_without_mock_config = missing;
    }
    let born = instance.creation_timestamp().map(|time| time.0);
    let known = std::mem::take(&mut status.builder_incidents);
    status.builder_incidents = incidents::merge(known, &progress.incidents, born, now);
}

/// The event of a change of Available, if it changed.
fn event(old: &CoprInstanceStatus, new: &CoprInstanceStatus) -> Option<NewEvent> {
    let before = conditions::get(&old.conditions, AVAILABLE);
    let after = conditions::get(&new.conditions, AVAILABLE)?;
    if before.is_some_and(|before| before.reason == after.reason && before.status == after.status) {
        return None;
    }
    let type_ = if is_trouble(&after.reason) { EventType::Warning } else { EventType::Normal };
    Some(NewEvent {
        type_,
        reason: after.reason.clone(),
        note: Some(report::truncate(after.message.clone(), 1000)),
        action: "Reconcile".into(),
        secondary: None,
    })
}

#[cfg(test)]
mod tests;
