//! Step 5, client required: what the cluster made of the plan, written into the status. Also written when an
//! earlier step failed.

mod images;
mod ready;
mod volumes;

use copr_operator_api::{
    images::Image,
    labels::FIELD_MANAGER,
    names::Component,
    status::{self, READY, RECONCILED},
    v1alpha1::{CoprInstance, CoprInstanceStatus},
};
use copr_operator_images::build::events;
use copr_operator_kernel::{
    conditions::{self, Verdict},
    openshift, report,
};
use k8s_openapi::jiff::Timestamp;
use kube::{
    Api, Resource as _, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::events::{Event as NewEvent, EventType},
};

use super::{
    Context, Progress, builders::look, dereference::now, health::is_trouble, incidents, observe::Seen,
    redact::Redactor, validate,
};

/// The reason where it has.
pub const APPLIED: &str = "Applied";
/// A component is restarted with the present spec once the builds that run have ended.
pub const RESTART_PENDING: &str = "RestartPending";

const MESSAGE_MAX: usize = 2048;

/// The status couldn't be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the status")]
pub struct Error(#[source] kube::Error);

/// Writes the status, and an event where Ready or an image changed.
pub async fn write(
    context: &Context,
    instance: &CoprInstance,
    progress: &Progress,
    error: Option<&super::Error>,
) -> Result<(), Error> {
    let old = instance.status.clone().unwrap_or_default();
    let new = report(instance, progress, error, now());
    if new == old {
        return Ok(());
    }
    let (namespace, name) = (instance.namespace().unwrap_or_default(), instance.name_any());
    write_to(context, (&namespace, &name), instance.uid(), &new).await?;
    let mut told = events::transitions(old.packages.as_ref(), new.packages.as_ref());
    told.extend(event(&old, &new));
    for event in &told {
        // Events are for people who watch: one that can't be published must not hold up the instance.
        if let Err(error) = context.recorder.publish(event, &instance.object_ref(&())).await {
            tracing::warn!(error = report::chain(&error), "Failed to publish an event");
        }
    }
    Ok(())
}

/// Writes the status of the instance of that namespace and name, if it is still the same object.
async fn write_to(
    context: &Context,
    (namespace, name): (&str, &str),
    uid: Option<String>,
    status: &CoprInstanceStatus,
) -> Result<(), Error> {
    let api: Api<CoprInstance> = Api::namespaced(context.client.clone(), namespace);
    let patch = serde_json::json!({
        "apiVersion": CoprInstance::api_version(&()),
        "kind": CoprInstance::kind(&()),
        "metadata": {"name": name, "uid": uid},
        "status": status,
    });
    match api.patch_status(name, &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(patch)).await {
        Ok(_) => Ok(()),
        // Deleted meanwhile: there is nobody left to tell.
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => Ok(()),
        Err(source) => Err(Error(source)),
    }
}

/// The status that follows from what was done and seen.
fn report(
    instance: &CoprInstance,
    progress: &Progress,
    error: Option<&super::Error>,
    now: Timestamp,
) -> CoprInstanceStatus {
    let generation = instance.metadata.generation;
    let mut status = instance.status.clone().unwrap_or_default();
    let applied_before = applied_generation(&status);
    if let Some(provision) = &progress.provision {
        images::report(provision, generation, &mut status, now);
    }
    let reconciled = reconciled(&status, progress, error);
    if let (Some(observed), Some(seen)) = (&progress.observed, &progress.seen) {
        let redactor = Redactor::new(observed);
        components(instance, seen, &redactor, &reconciled, &mut status, now);
        if let Some(volumes) = volumes::verdict(seen, &progress.refused_volumes) {
            conditions::set(&mut status.conditions, volumes::CONDITION, volumes, generation, now);
        }
        builders_of(instance, progress, &redactor, &mut status, now);
    } else if conditions::get(&status.conditions, READY).is_none() {
        // Nothing could be looked at, and nothing was known before.
        conditions::set(&mut status.conditions, READY, reconciled.clone(), generation, now);
    }
    conditions::set(&mut status.conditions, RECONCILED, reconciled, generation, now);
    if let Some(valid) = &progress.instance {
        status.endpoints = Some(valid.endpoints());
        status.client_secret = Some(valid.client_secret());
        if let Some(seen) = &progress.seen {
            status.images = images::running(&valid.images, seen, &status.images, valid);
        }
    }
    status.observed_generation = generation;
    status.applied_generation =
        if conditions::is_true(&status.conditions, RECONCILED) { generation } else { applied_before };
    status
}

/// The generation of the spec that was applied completely. Version 0.1, which knew no condition Reconciled, said so by Ready.
pub fn applied_generation(status: &CoprInstanceStatus) -> Option<i64> {
    if status.applied_generation.is_some() || conditions::get(&status.conditions, RECONCILED).is_some() {
        return status.applied_generation;
    }
    conditions::get(&status.conditions, READY)
        .filter(|ready| ready.status == "True")
        .and_then(|ready| ready.observed_generation)
}

/// Whether the cluster has everything that the present spec says.
fn reconciled(status: &CoprInstanceStatus, progress: &Progress, error: Option<&super::Error>) -> Verdict {
    if let Some(error) = error {
        return Verdict::no(error.reason(), report::chain(error));
    }
    if !progress.failures.is_empty() {
        let mut said: Vec<_> = progress.failures.iter().map(|failure| report::chain(failure)).collect();
        said.extend(said.iter().find_map(|text| openshift::hint(text)).map(str::to_owned));
        let reason = progress.failures.first().map_or("ApplyFailed", super::apply_reason);
        return Verdict::no(reason, report::truncate(said.join("; "), MESSAGE_MAX));
    }
    let images = conditions::get(&status.conditions, status::images::CONDITION);
    if let (None, Some(images)) = (&progress.instance, images) {
        return Verdict::no(&images.reason, report::truncate(images.message.clone(), MESSAGE_MAX));
    }
    if !progress.waiting.is_empty() {
        return Verdict::no(RESTART_PENDING, report::truncate(progress.waiting.join("; "), MESSAGE_MAX));
    }
    Verdict::yes(APPLIED, "the cluster has everything that the spec says")
}

/// The conditions of the components, of builders and volumes, and Ready.
fn components(
    instance: &CoprInstance,
    seen: &Seen,
    redactor: &Redactor,
    reconciled: &Verdict,
    status: &mut CoprInstanceStatus,
    now: Timestamp,
) {
    let generation = instance.metadata.generation;
    let clean = |mut verdict: Verdict| {
        verdict.message = redactor.clean(&verdict.message);
        verdict
    };
    let name = instance.name_any();
    let verdicts: Vec<_> = validate::components(&instance.spec)
        .map(|component| (component, clean(ready::of(&name, component, seen))))
        .collect();
    let gone = |type_: &str| Component::ALL.into_iter().any(|c| c.condition() == type_);
    let here = |type_: &str| verdicts.iter().any(|(component, _)| component.condition() == type_);
    status.conditions.retain(|c| !gone(&c.type_) || here(&c.type_));
    let ready = ready::of_all(&verdicts, reconciled);
    conditions::set(&mut status.conditions, READY, ready, generation, now);
    for (component, verdict) in verdicts {
        conditions::set(&mut status.conditions, component.condition(), verdict, generation, now);
    }
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
        let mut verdict = builders.verdict.clone();
        verdict.message = redactor.clean(&verdict.message);
        conditions::set(&mut status.conditions, status::builders::CONDITION, verdict, generation, now);
    }
    if let (Some(valid), Some(seen)) = (&progress.instance, &progress.seen) {
        let known = conditions::get(&status.conditions, status::chroots::CONDITION);
        let missing = &status.chroots_without_mock_config;
        let (chroots, missing) = look::verdict(valid, &seen.pods, &seen.warnings, known, missing);
        conditions::set(&mut status.conditions, status::chroots::CONDITION, chroots, generation, now);
        status.chroots_without_mock_config = missing;
    }
    let born = instance.creation_timestamp().map(|time| time.0);
    let known = std::mem::take(&mut status.builder_incidents);
    status.builder_incidents = incidents::merge(known, &progress.incidents, born, now);
}

/// The event of a change of Ready, if it changed.
fn event(old: &CoprInstanceStatus, new: &CoprInstanceStatus) -> Option<NewEvent> {
    let before = conditions::get(&old.conditions, READY);
    let after = conditions::get(&new.conditions, READY)?;
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

/// Whether the condition is about an image.
fn is_of_image(type_: &str) -> bool {
    Image::ALL.into_iter().any(|image| image.condition() == type_)
}

#[cfg(test)]
mod tests;
