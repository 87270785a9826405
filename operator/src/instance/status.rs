//! Step 5, client required: what the cluster made of the plan, written into the status. Also written when an
//! earlier step failed.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{Event, Pod},
    },
    apimachinery::pkg::apis::meta::v1::Condition,
    jiff::Timestamp,
};
use kube::{
    Api, Client, Resource as _, ResourceExt as _,
    api::{ListParams, Patch, PatchParams},
    runtime::events::{Event as NewEvent, EventType},
};

use super::{
    Context, Progress, builders,
    dereference::now,
    health::{self, is_trouble},
    names::{BUILDER, Component},
    validate::{Instance, ResolvedImages},
};
use crate::{
    api::v1alpha1::{CoprInstance, CoprInstanceStatus},
    conditions::{self, Verdict},
    images::{Image, Provision, events, verdict},
    labels::{self, COMPONENT, FIELD_MANAGER},
    report,
};

/// The condition that sums up the others.
pub const READY: &str = "Ready";

/// What went wrong while the status was made or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The instance's objects couldn't be listed.
    #[error("failed to list the {kind} of the instance")]
    List {
        /// Kind of the objects.
        kind: &'static str,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// The status couldn't be written.
    #[error("failed to write the status")]
    Write(#[source] kube::Error),
    /// An event couldn't be published.
    #[error("failed to publish an event")]
    Publish(#[source] kube::Error),
}

/// Writes the status, and an event where Ready or an image changed.
pub async fn write(
    context: &Context,
    instance: &CoprInstance,
    progress: &Progress,
    error: Option<&super::Error>,
) -> Result<(), Error> {
    let old = instance.status.clone().unwrap_or_default();
    let (now, generation) = (now(), instance.metadata.generation);
    let mut new = old.clone();
    if let Some(provision) = &progress.provision {
        report_images(provision, generation, &mut new, now);
    }
    match (&progress.instance, error) {
        (_, Some(error)) => report_failure(error, generation, &mut new, now),
        (Some(valid), None) => {
            let seen = Seen::read(&context.client, valid).await?;
            new = report_on(valid, generation, &seen, new, now);
        }
        (None, None) => report_waiting(generation, &mut new, now),
    }
    if new == old {
        return Ok(());
    }
    let api: Api<CoprInstance> =
        Api::namespaced(context.client.clone(), &instance.namespace().unwrap_or_default());
    let patch = serde_json::json!({
        "apiVersion": CoprInstance::api_version(&()),
        "kind": CoprInstance::kind(&()),
        "metadata": {"name": instance.name_any(), "uid": instance.uid()},
        "status": &new,
    });
    match api
        .patch_status(&instance.name_any(), &PatchParams::apply(FIELD_MANAGER).force(), &Patch::Apply(patch))
        .await
    {
        Ok(_) => {}
        // Deleted meanwhile: there is nobody left to tell.
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => return Ok(()),
        Err(source) => return Err(Error::Write(source)),
    }
    let mut told = events::transitions(old.packages.as_ref(), new.packages.as_ref());
    told.extend(event(&old, &new));
    for event in &told {
        context.recorder.publish(event, &instance.object_ref(&())).await.map_err(Error::Publish)?;
    }
    Ok(())
}

/// What exists of an instance.
struct Seen {
    workloads: Vec<StatefulSet>,
    pods: Vec<Pod>,
    /// Warnings about StatefulSets without a pod, and about resalloc's pod, where builders fail.
    warnings: Vec<Event>,
}

impl Seen {
    async fn read(client: &Client, instance: &Instance) -> Result<Self, Error> {
        let query = ListParams::default().labels(&labels::instance_query(&instance.name));
        let list = |kind| move |source| Error::List { kind, source };
        let workloads = Api::<StatefulSet>::namespaced(client.clone(), &instance.namespace);
        let workloads = workloads.list(&query).await.map_err(list("StatefulSets"))?.items;
        let pods = Api::<Pod>::namespaced(client.clone(), &instance.namespace);
        let pods = pods.list(&query).await.map_err(list("Pods"))?.items;
        let events = Api::<Event>::namespaced(client.clone(), &instance.namespace);
        let resalloc = format!("{}-0", instance.object(Component::Resalloc.name()));
        let mut fields = vec![format!("type=Warning,involvedObject.kind=Pod,involvedObject.name={resalloc}")];
        // Only a missing pod needs explaining by its StatefulSet's events.
        if instance.components().any(|c| pod_of(&pods, c.name()).is_none()) {
            fields.push("type=Warning,involvedObject.kind=StatefulSet".into());
        }
        let mut warnings = Vec::new();
        for fields in fields {
            let query = ListParams::default().fields(&fields);
            warnings.extend(events.list(&query).await.map_err(list("Events"))?);
        }
        Ok(Self { workloads, pods, warnings })
    }

    fn verdict(&self, instance: &Instance, component: Component) -> Verdict {
        let name = instance.object(component.name());
        let workload = self.workloads.iter().find(|w| w.name_any() == name);
        let uid = workload.and_then(|w| w.metadata.uid.clone());
        let about = |event: &&Event| {
            event.involved_object.uid == uid && event.involved_object.name.as_deref() == Some(&name)
        };
        let newest = self.warnings.iter().filter(about).max_by_key(|event| event.last_timestamp.clone());
        let refusal = newest.and_then(|event| event.message.as_deref());
        health::verdict(workload, pod_of(&self.pods, component.name()), refusal)
    }
}

/// The pod of a component; of two the one that isn't on its way out.
fn pod_of<'a>(pods: &'a [Pod], component: &str) -> Option<&'a Pod> {
    let of = |pod: &&Pod| pod.labels().get(COMPONENT).is_some_and(|c| c == component);
    pods.iter().filter(of).min_by_key(|pod| pod.metadata.deletion_timestamp.is_some())
}

fn report_on(
    instance: &Instance,
    generation: Option<i64>,
    seen: &Seen,
    mut status: CoprInstanceStatus,
    now: Timestamp,
) -> CoprInstanceStatus {
    let mut verdicts = Vec::new();
    for component in instance.components() {
        let mut verdict = seen.verdict(instance, component);
        verdict.message = instance.redact(&verdict.message);
        verdicts.push((component, verdict));
    }
    let mut builders = builders::verdict(&seen.pods, &seen.warnings, now);
    builders.message = instance.redact(&builders.message);
    let of_images = |c: &Condition| {
        c.type_ == verdict::CONDITION || Image::ALL.into_iter().any(|image| image.condition() == c.type_)
    };
    let known = |c: &Condition| c.type_ == READY || c.type_ == builders::CONDITION || of_images(c);
    let wanted = |c: &Condition| known(c) || verdicts.iter().any(|(v, _)| v.condition() == c.type_);
    status.conditions.retain(wanted);
    conditions::set(&mut status.conditions, READY, summarize(&verdicts), generation, now);
    for (component, verdict) in verdicts {
        conditions::set(&mut status.conditions, component.condition(), verdict, generation, now);
    }
    conditions::set(&mut status.conditions, builders::CONDITION, builders, generation, now);
    status.observed_generation = generation;
    status.endpoints = Some(instance.endpoints());
    status.client_secret = Some(instance.client_secret());
    status.images = images(&instance.images, &seen.pods, &status.images, instance);
    status
}

fn report_failure(
    error: &super::Error,
    generation: Option<i64>,
    status: &mut CoprInstanceStatus,
    now: Timestamp,
) {
    let verdict = Verdict::no(error.reason(), report::chain(error));
    conditions::set(&mut status.conditions, READY, verdict, generation, now);
    status.observed_generation = generation;
}

/// The images, each with a condition of its own where they are built.
fn report_images(
    provision: &Provision,
    generation: Option<i64>,
    status: &mut CoprInstanceStatus,
    now: Timestamp,
) {
    let verdicts: Vec<_> = provision
        .packages
        .iter()
        .flat_map(|packages| &packages.images)
        .filter_map(verdict::of_image)
        .collect();
    let of_image = |c: &Condition| Image::ALL.into_iter().any(|image| image.condition() == c.type_);
    let wanted = |c: &Condition| verdicts.iter().any(|(image, _)| image.condition() == c.type_);
    status.conditions.retain(|c| !of_image(c) || wanted(c));
    conditions::set(&mut status.conditions, verdict::CONDITION, provision.verdict.clone(), generation, now);
    for (image, verdict) in verdicts {
        conditions::set(&mut status.conditions, image.condition(), verdict, generation, now);
    }
    status.packages.clone_from(&provision.packages);
    status.resolved.clone_from(&provision.resolved);
}

/// Nothing else is done before the images are there.
fn report_waiting(generation: Option<i64>, status: &mut CoprInstanceStatus, now: Timestamp) {
    let Some(images) = conditions::get(&status.conditions, verdict::CONDITION) else { return };
    let ready = Verdict::no(&images.reason, report::truncate(images.message.clone(), 2048));
    conditions::set(&mut status.conditions, READY, ready, generation, now);
    status.observed_generation = generation;
}

fn summarize(verdicts: &[(Component, Verdict)]) -> Verdict {
    let waiting: Vec<_> = verdicts.iter().filter(|(_, verdict)| !verdict.is_true()).collect();
    let trouble: Vec<_> = waiting.iter().filter(|(_, verdict)| is_trouble(&verdict.reason)).collect();
    match (trouble.first(), waiting.is_empty()) {
        (_, true) => Verdict::yes(health::AVAILABLE, "every component answers"),
        (Some((_, first)), _) => {
            let all = trouble.iter().map(|(component, v)| format!("{}: {}", component.name(), v.message));
            let message = all.collect::<Vec<_>>().join("; ");
            Verdict::no(&first.reason, report::truncate(message, 2048))
        }
        (None, false) => {
            let names: Vec<_> = waiting.iter().map(|(component, _)| component.name()).collect();
            Verdict::no(health::STARTING, format!("waiting for {}", names.join(", ")))
        }
    }
}

/// Per component the image: by digest where that is known before, else as its container runs it, once the kubelet has pulled it. The digest of a
/// builder is known while one runs, and remembered.
fn images(
    wanted: &ResolvedImages,
    pods: &[Pod],
    old: &BTreeMap<String, String>,
    instance: &Instance,
) -> BTreeMap<String, String> {
    let digest = |component: &str, container: &str| {
        let status = pod_of(pods, component)?.status.as_ref()?;
        let found = status.container_statuses.iter().flatten().find(|c| c.name == container)?;
        found.image_id.contains('@').then(|| found.image_id.clone())
    };
    let rows = [
        ("frontend", "frontend", "httpd", &wanted.frontend),
        ("backend", "backend", "build", &wanted.backend),
        ("backendHttpd", "backend", "httpd", &wanted.backend_httpd),
        ("keygen", "keygen", "signd", &wanted.keygen),
        ("distGit", "dist-git", "importer", &wanted.dist_git),
        ("resalloc", "resalloc", "resalloc", &wanted.resalloc),
        ("builder", BUILDER, BUILDER, &wanted.builder),
        ("database", "database", "database", &wanted.database),
        ("redis", "redis", "redis", &wanted.redis),
    ];
    let runs = |key: &str| match key {
        "database" => instance.components().any(|c| c == Component::Database),
        "redis" => instance.components().any(|c| c == Component::Redis),
        _ => true,
    };
    let repository = |image: &str| image.split('@').next().unwrap_or(image).to_owned();
    let suite = wanted.sanity.iter().map(|image| ("sanity".to_owned(), image.clone()));
    rows.into_iter()
        .filter(|(key, ..)| runs(key))
        .map(|(key, component, container, image)| {
            if image.contains('@') {
                return (key.to_owned(), image.clone());
            }
            let remembered = || {
                let old = old.get(key).filter(|old| old.contains('@'))?;
                let untagged = image.rsplit_once(':').map_or(image.as_str(), |(name, _)| name);
                (key == BUILDER && repository(old) == untagged).then(|| old.clone())
            };
            let value = digest(component, container).or_else(remembered).unwrap_or_else(|| image.clone());
            (key.to_owned(), value)
        })
        .chain(suite)
        .collect()
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

#[cfg(test)]
mod tests;
