//! The controller of `CoprInstance`.
//!
//! ```text
//! dereference (client) → images (client) → validate (pure) → build (pure) → apply (client) → status (client)
//! ```
//!
//! The second step is [`crate::images`]: until every image is there, the later ones but the last wait.

pub mod build;
pub mod builders;
pub mod credentials;
pub mod dereference;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod health;
pub mod names;
pub mod status;
pub mod validate;

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    batch::v1::Job,
    core::v1::{ConfigMap, Pod, Secret, Service},
};
use kube::{
    Api, Client, ResourceExt as _,
    core::{DeserializeGuard, error_boundary::InvalidObject},
    runtime::{Controller, controller::Action, events::Recorder, reflector::ObjectRef, watcher},
};

use crate::{
    api::v1alpha1::CoprInstance,
    apply,
    backoff::{Backoff, BrokenWatch},
    images::{Provider, Provision},
    labels::{self, COMPONENT, INSTANCE, PART_OF},
    report,
};

/// What a reconcile has beside the object.
#[derive(Clone)]
pub struct Context {
    /// The API server.
    pub client: Client,
    /// Where events go.
    pub recorder: Recorder,
    /// Failures in a row, per instance.
    pub backoff: Arc<Backoff>,
    /// Makes images.
    pub images: Arc<Provider>,
}

/// How far a reconcile came.
#[derive(Debug, Default)]
pub struct Progress {
    /// The images, once they were looked at.
    pub provision: Option<Provision>,
    /// The instance, once its objects were applied.
    pub instance: Option<validate::Instance>,
}

/// What went wrong in a reconcile, by step.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object doesn't have the shape of its kind.
    #[error("failed to read the CoprInstance")]
    Malformed(#[source] Box<InvalidObject>),
    /// Step 1.
    #[error("failed to read what the instance depends on")]
    Dereference(#[source] dereference::Error),
    /// Step 2. The message is the user's: it says which field and why.
    #[error("{0}")]
    Validate(validate::Error),
    /// Steps 3 and 4.
    #[error("failed to bring the cluster to the wanted state")]
    Apply(#[source] apply::Error),
    /// Step 5.
    #[error("failed to report")]
    Status(#[source] status::Error),
}

impl Error {
    /// The reason for the condition.
    fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "Malformed",
            Self::Dereference(_) => "DependencyUnreadable",
            Self::Validate(error) => error.reason(),
            Self::Apply(_) => "ApplyFailed",
            Self::Status(_) => "StatusFailed",
        }
    }
}

/// Slow resync beside the watches.
const RESYNC: Duration = Duration::from_secs(600);
/// How soon a spec that can't be used is looked at again: the Secrets that it names aren't watched.
const RETRY: Duration = Duration::from_secs(5);

/// Reconciles instances until the shutdown future resolves.
pub async fn run(context: Context, shutdown: impl Future<Output = ()> + Send + Sync + 'static) {
    let client = context.client.clone();
    let ours = watcher::Config::default().labels(&format!("{PART_OF}=copr"));
    Controller::new(Api::<DeserializeGuard<CoprInstance>>::all(client.clone()), watcher::Config::default())
        .owns(Api::<StatefulSet>::all(client.clone()), ours.clone())
        .owns(Api::<Job>::all(client.clone()), ours.clone())
        .owns(Api::<Service>::all(client.clone()), ours.clone())
        .owns(Api::<ConfigMap>::all(client.clone()), ours.clone())
        .owns(Api::<Secret>::all(client.clone()), ours.clone())
        .watches(Api::<Pod>::all(client), ours, |pod: Pod| instance_of(&pod))
        .trigger_backoff(BrokenWatch)
        .graceful_shutdown_on(shutdown)
        .run(reconcile, error_policy, Arc::new(context))
        .for_each(|result| async move {
            if let Err(error) = result {
                tracing::debug!(error = %report::chain(&error), "Reconcile of an instance ended early");
            }
        })
        .await;
}

/// The instance that a component's pod belongs to. Pods are owned by StatefulSets, builders by resalloc.
fn instance_of(pod: &Pod) -> Option<ObjectRef<DeserializeGuard<CoprInstance>>> {
    let labels = pod.labels();
    labels.get(COMPONENT)?;
    Some(ObjectRef::new(labels.get(INSTANCE)?).within(&pod.namespace()?))
}

#[tracing::instrument(skip_all, fields(namespace = guard.namespace(), instance = guard.name_any()))]
async fn reconcile(
    guard: Arc<DeserializeGuard<CoprInstance>>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    let instance = match &guard.0 {
        Ok(instance) => instance,
        Err(invalid) => return Err(Error::Malformed(Box::new(invalid.clone()))),
    };
    if instance.metadata.deletion_timestamp.is_some() {
        // Every object is owned by the instance: the garbage collector deletes them, no finalizer is needed.
        return Ok(Action::await_change());
    }
    let mut progress = Progress::default();
    let converged = converge(&context, instance, &mut progress).await;
    status::write(&context, instance, &progress, converged.as_ref().err()).await.map_err(Error::Status)?;
    converged.map(|()| {
        let uid = instance.uid().unwrap_or_default();
        let soon = progress.provision.as_ref().and_then(|provision| provision.look_again);
        if progress.provision.is_some_and(|provision| provision.failed) {
            let pause = context.backoff.failed(&uid);
            return Action::requeue(soon.unwrap_or(pause).max(pause));
        }
        context.backoff.succeeded(&uid);
        Action::requeue(soon.unwrap_or(RESYNC))
    })
}

async fn converge(context: &Context, instance: &CoprInstance, progress: &mut Progress) -> Result<(), Error> {
    let client = &context.client;
    let observed = dereference::dereference(client, instance).await.map_err(Error::Dereference)?;
    let provision = context.images.provide(client, instance, &observed.platform, &[], observed.now).await;
    let provision = progress.provision.insert(provision);
    if !provision.verdict.is_true() {
        // What runs already goes on as it is.
        return Ok(());
    }
    let valid = validate::validate(instance, &observed, provision).map_err(Error::Validate)?;
    let plan = build::build(&valid).plan().map_err(Error::Apply)?;
    apply::apply_all(client, &valid.namespace, &plan).await.map_err(Error::Apply)?;
    let (query, kinds) = (labels::instance_query(&valid.name), build::Objects::kinds());
    apply::delete_orphans(client, &valid.namespace, &query, &valid.owner, &kinds, &plan)
        .await
        .map_err(Error::Apply)?;
    progress.instance = Some(valid);
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is kube's")]
fn error_policy(guard: Arc<DeserializeGuard<CoprInstance>>, error: &Error, context: Arc<Context>) -> Action {
    let (namespace, instance) = (guard.namespace().unwrap_or_default(), guard.name_any());
    tracing::warn!(namespace, instance, error = %report::chain(error), "Failed to reconcile an instance");
    match error {
        Error::Malformed(_) => Action::await_change(),
        Error::Validate(_) => Action::requeue(RETRY),
        _ => Action::requeue(context.backoff.failed(&guard.uid().unwrap_or_default())),
    }
}
