//! The controller of `CoprInstance`.
//!
//! ```text
//! dereference (client) → images (client) → validate (pure) → build (pure) → apply (client) → status (client)
//! ```
//!
//! The second step is [`copr_operator_images`]: until every image is there, the later ones but the last wait. After apply, [`rollout`]
//! decides which pods are replaced.

pub mod build;
pub mod builders;
pub mod credentials;
pub mod dereference;
pub mod event_map;
pub mod expire;
pub mod extra_config;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod health;
pub mod incidents;
pub mod lifetime;
pub mod login;
mod malformed;
pub mod observe;
pub mod paused;
pub mod quiet;
pub mod redact;
pub mod references;
mod replace;
pub mod rollout;
pub mod status;
mod takeover;
pub mod urls;
pub mod validate;
mod wake;
mod watches;

use std::{sync::Arc, time::Duration};

use copr_operator_api::{
    labels::{self, COMPONENT, FIELD_MANAGER, INSTANCE, MANAGED_BY, PART_OF},
    status::builders::CONDITION,
    v1alpha1::{BuilderIncident, CoprInstance},
};
use copr_operator_images::{Provider, Provision};
use copr_operator_kernel::{
    apply::{self, memory::Memory},
    backoff::{Backoff, BrokenWatch},
    conditions,
    platform::Platforms,
    report, served,
};
use futures::StreamExt as _;
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ConfigMap, Event, Pod, Secret},
};
use kube::{
    Api, Client, ResourceExt as _,
    core::{DeserializeGuard, PartialObjectMeta, error_boundary::InvalidObject},
    runtime::{
        Controller,
        controller::{self, Action},
        events::Recorder,
        reflector::ObjectRef,
        watcher,
    },
};

use self::{
    builders::dry_run::{self, DryRuns},
    incidents::Incidents,
    watches::{instance_of, named_by, told_of},
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
    /// What was applied.
    pub memory: Arc<Memory>,
    /// Since when instances build nothing.
    pub quiet: Arc<quiet::Quiet>,
    /// What kind of cluster this is.
    pub platforms: Arc<Platforms>,
    /// Which of the kinds are served that a cluster need not have.
    pub served: Arc<served::Cache>,
    /// The same when the operator started: what is watched.
    pub watched: served::Served,
    /// Whether the API server would admit builders.
    pub dry_runs: Arc<DryRuns>,
    /// What became of builders.
    pub incidents: Arc<Incidents>,
}

/// How far a reconcile came.
#[derive(Debug, Default)]
pub struct Progress {
    /// What was read.
    pub observed: Option<dereference::Observed>,
    /// What exists.
    pub seen: Option<observe::Seen>,
    /// The images, once they were looked at.
    pub provision: Option<Provision>,
    /// The instance, once its objects were applied.
    pub instance: Option<validate::Instance>,
    /// Objects that couldn't be applied.
    pub failures: Vec<apply::Error>,
    /// Volumes that the API server won't change, each as a sentence. What they hold is served as before.
    pub refused_volumes: Vec<String>,
    /// Restarts that wait for something, each as a sentence.
    pub waiting: Vec<String>,
    /// Whether the API server would admit builders, if it said.
    pub dry_run: Option<dry_run::Outcome>,
    /// How the builders are.
    pub builders: Option<builders::Assessment>,
    /// What became of builders, as far as is remembered.
    pub incidents: Vec<BuilderIncident>,
    /// When the instance's time is over, if that could be found out.
    pub outlook: Option<lifetime::Outlook>,
    /// For how long every reconcile before this one has failed.
    pub failing_for: Duration,
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
    /// What becomes of an instance whose time is over.
    #[error("failed to end the instance as its ttl or expiresAt says")]
    Expire(#[source] expire::Error),
    /// Step 2. The message is the user's: it says which field and why.
    #[error("{0}")]
    Validate(validate::Error),
    /// What exists couldn't be read.
    #[error("failed to read what there is of the instance")]
    Observe(#[source] observe::Error),
    /// Steps 3 and 4.
    #[error("failed to bring the cluster to the wanted state")]
    Apply(#[source] apply::Error),
    /// What an earlier version left couldn't be changed.
    #[error("failed to take over what an earlier version made")]
    TakeOver(#[source] takeover::Error),
    /// A pod couldn't be replaced.
    #[error("failed to bring a pod to the wanted state")]
    Replace(#[source] replace::Error),
    /// Step 5.
    #[error("failed to report")]
    Status(#[source] status::Error),
}

impl Error {
    /// The reason for the condition.
    fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => copr_operator_kernel::malformed::REASON,
            Self::Dereference(_) | Self::Observe(_) => "DependencyUnreadable",
            Self::Expire(_) => "ExpiryFailed",
            Self::Validate(error) => error.reason(),
            Self::Apply(error) => apply_reason(error),
            Self::TakeOver(_) | Self::Replace(_) => "ApplyFailed",
            Self::Status(_) => "StatusFailed",
        }
    }
}

/// The reason for the condition where an object couldn't be applied.
fn apply_reason(error: &apply::Error) -> &'static str {
    match error {
        apply::Error::NameTaken { .. } => "NameTaken",
        _ => "ApplyFailed",
    }
}

/// Reconciles at a time: each waits for the API server most of the while.
const CONCURRENCY: u16 = 16;
/// What changes at one moment is told by several watches.
const DEBOUNCE: Duration = Duration::from_millis(300);

/// Reconciles instances until the shutdown future resolves.
pub async fn run(context: Context, shutdown: impl Future<Output = ()> + Send + Sync + 'static) {
    let client = context.client.clone();
    let ours = watcher::Config::default().labels(&format!("{PART_OF}=copr"));
    let applied = watcher::Config::default().labels(&format!("{PART_OF}=copr,{MANAGED_BY}={FIELD_MANAGER}"));
    let memory = Arc::clone(&context.memory);
    let instances = Api::<DeserializeGuard<CoprInstance>>::all(client.clone());
    let config = controller::Config::default().concurrency(CONCURRENCY).debounce(DEBOUNCE);
    let controller = Controller::new(instances, watcher::Config::default()).with_config(config);
    let controller =
        build::Objects::watch(controller, &client, &applied, &context.watched, move |kind, metadata| {
            let labels = metadata.labels.as_ref()?;
            let (namespace, instance) = (metadata.namespace.as_ref()?, labels.get(INSTANCE)?);
            if labels.get(COMPONENT).is_some_and(|c| c != labels::IMAGE_BUILD) {
                let key = (kind.to_owned(), metadata.name.clone()?);
                memory.saw(namespace, instance, key, metadata);
            }
            Some(ObjectRef::new(instance).within(namespace))
        });
    // Secrets and ConfigMaps of users, which have no label of ours.
    let (of_secrets, of_maps) = (controller.store(), controller.store());
    let secrets = Api::<PartialObjectMeta<Secret>>::all(client.clone());
    let maps = Api::<PartialObjectMeta<ConfigMap>>::all(client.clone());
    let mut controller = controller
        .watches(secrets, watcher::Config::default(), move |secret| {
            named_by(&secret.metadata, &of_secrets, references::names)
        })
        .watches(maps, watcher::Config::default(), move |map| {
            named_by(&map.metadata, &of_maps, references::names_config_map)
        });
    for reason in event_map::REASONS {
        let (instances, config) =
            (controller.store(), watcher::Config::default().fields(&format!("reason={reason}")));
        let events = Api::<Event>::all(client.clone());
        controller = controller.watches(events, config, move |event| told_of(&event, &instances));
    }
    let (incidents, quiet) = (Arc::clone(&context.incidents), Arc::clone(&context.quiet));
    controller
        // Of builds of images the status matters, which the watch above doesn't see.
        .owns(Api::<Job>::all(client.clone()), ours.clone())
        .watches(Api::<Pod>::all(client), ours, move |pod: Pod| {
            incidents.note(&pod, dereference::now());
            quiet.note(&pod, dereference::now());
            instance_of(&pod)
        })
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

#[tracing::instrument(skip_all, fields(namespace = guard.namespace(), instance = guard.name_any()))]
async fn reconcile(
    guard: Arc<DeserializeGuard<CoprInstance>>,
    context: Arc<Context>,
) -> Result<Action, Error> {
    let known = match &guard.0 {
        Ok(instance) => instance,
        Err(invalid) => {
            malformed::report(&context, invalid).await;
            return Err(Error::Malformed(Box::new(invalid.clone())));
        }
    };
    let fresh = dereference::fresh(&context.client, known).await.map_err(Error::Dereference)?;
    let Some(instance) = fresh else {
        // Every object is owned by the instance: the garbage collector deletes them, no finalizer is needed.
        context.memory.forget(&known.namespace().unwrap_or_default(), &known.name_any());
        context.backoff.succeeded(&known.uid().unwrap_or_default());
        return Ok(Action::await_change());
    };
    let failing_for = context.backoff.failing_for(&instance.uid().unwrap_or_default());
    let mut progress = Progress { failing_for, ..Progress::default() };
    let expired = expire::enforce(&context.client, &context.recorder, &instance).await.map_err(Error::Expire);
    if expired.as_ref().is_ok_and(|outlook| outlook.step == lifetime::Step::Delete) {
        return Ok(Action::await_change());
    }
    // On the heap: it holds an instance with all of its blocks.
    let converged = Box::pin(converge(&context, &instance, &mut progress)).await;
    let converged = converged.and(expired.map(|outlook| progress.outlook = Some(outlook)));
    assess_builders(&context, &instance, &mut progress);
    let written = status::write(&context, &instance, &progress, converged.as_ref().err()).await;
    let of_life = progress.outlook.as_ref().and_then(|outlook| outlook.look_again);
    let changes = written.map_err(Error::Status)?.into_iter().chain(of_life).min();
    converged.map(|()| wake::next(&context, &instance, &progress, changes))
}

/// How the builders are, as far as the reconcile came.
fn assess_builders(context: &Context, instance: &CoprInstance, progress: &mut Progress) {
    let Some(seen) = &progress.seen else { return };
    let of_builders =
        builders::Seen { pods: &seen.pods, events: &seen.warnings, dry_run: progress.dry_run.as_ref() };
    progress.builders = Some(builders::assess(of_builders, dereference::now()));
    progress.incidents =
        context.incidents.of(&instance.namespace().unwrap_or_default(), &instance.name_any());
    let resalloc = builders::resalloc_uid(&seen.pods);
    progress.incidents.extend(incidents::of_events(&seen.warnings, resalloc.as_deref()));
}

async fn converge(context: &Context, instance: &CoprInstance, progress: &mut Progress) -> Result<(), Error> {
    let client = &context.client;
    let (name, namespace) = (instance.name_any(), instance.namespace().unwrap_or_default());
    let observed = dereference::dereference(client, &context.platforms, &context.served, instance)
        .await
        .map_err(Error::Dereference)?;
    let observed = progress.observed.insert(observed);
    let exposed = build::expose::kind(instance.spec.expose).filter(|kind| observed.served.has(kind));
    let look = || observe::Seen::read(client, (&namespace, &name), exposed.as_ref());
    let seen = look().await.map_err(Error::Observe)?;
    let seen = progress.seen.insert(seen);
    if instance.spec.paused {
        return Ok(());
    }

    validate::precheck(&instance.spec).map_err(Error::Validate)?;
    let unpullable = seen.unpullable_images();
    let provision =
        context.images.provide(client, instance, &observed.platform, &unpullable, observed.now).await;
    let provision = progress.provision.insert(provision);
    if !provision.finding.is_true() {
        // What runs already goes on as it is.
        return Ok(());
    }
    let mut valid = validate::validate(instance, observed, provision).map_err(Error::Validate)?;
    let mut objects = build::build(&valid);
    let quiet = context.quiet.is_quiet(&namespace, &name, observed.now);
    let situation = rollout::Situation::new(replace::spec_was_applied(instance), &seen.pods, quiet);
    if valid.builders.warm > 0 && rollout::waits_for_builders(&name, &objects.stateful_sets, seen, situation)
    {
        valid.builders.warm = 0;
        objects = build::build(&valid);
    }
    let plan = objects.plan().map_err(Error::Apply)?;

    takeover::take_over(client, &namespace, seen).await.map_err(Error::TakeOver)?;
    let owner = apply::Owner { reference: valid.owner.clone(), namespace: namespace.clone() };
    let outcome = apply::apply_all(client, &owner, &plan, &context.memory).await;
    let mut written = outcome.written;
    let (refused, failures): (Vec<_>, Vec<_>) =
        outcome.failures.into_iter().partition(|failure| status::is_refused_volume(failure, seen));
    progress.refused_volumes = refused.iter().map(|failure| report::chain(failure)).collect();
    progress.failures = failures;
    let incomplete = outcome.incomplete;
    if progress.failures.is_empty() {
        let (query, kinds) = (labels::applied_query(&name), build::Objects::orphan_kinds(&observed.served));
        written += apply::delete_orphans(client, &owner, &query, &kinds, &plan, &context.memory)
            .await
            .map_err(Error::Apply)?;
    }
    let replaced = replace::replace(client, instance, (&objects.stateful_sets, &incomplete), seen, situation)
        .await
        .map_err(Error::Replace)?;
    progress.waiting = replaced.waiting;
    if written + replaced.done > 0 {
        *seen = look().await.map_err(Error::Observe)?;
    }
    let known = instance.status.as_ref().and_then(|s| conditions::get(&s.conditions, CONDITION));
    let troubled = known.is_some_and(|condition| condition.status == "False");
    progress.dry_run = context.dry_runs.check(client, &valid, troubled, observed.now).await;
    progress.instance = Some(valid);
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is kube's")]
fn error_policy(guard: Arc<DeserializeGuard<CoprInstance>>, error: &Error, context: Arc<Context>) -> Action {
    let uid = guard.uid().unwrap_or_default();
    let pause = context.backoff.failed(&uid);
    let said = report::chain(error);
    if context.backoff.is_news(&uid, &said) {
        let (namespace, instance) = (guard.namespace().unwrap_or_default(), guard.name_any());
        tracing::warn!(namespace, instance, error = said, "Failed to reconcile an instance");
    }
    match error {
        Error::Malformed(_) => Action::await_change(),
        _ => Action::requeue(pause),
    }
}
