//! What is kept of a test run, so that it outlives the run's pods and its instance: an OCI artifact in the registry of the instance's images.
//! It changes no verdict: it begins when that is final.
//!
//! ```text
//!   a test's pod                                       the operator, once the verdict is final
//!   test ──/evidence──▶ keep ──blob──▶ registry ◀──manifest── collect ◀── logs, events, objects
//!                         └──digest──▶ termination message ──────┘
//! ```
//!
//! [`keep`] is the container in a test's pod, a process of its own. `collect` is what the operator does, `plan` says when (pure), and
//! `expire` deletes what nobody is to look at any more. What is kept goes through `scrub` (no secrets), `cut` (no more than there is room
//! for) and `layer` (compressed, and in the registry before all of it was read).

mod collect;
mod cut;
mod error;
mod expire;
mod folder;
pub mod keep;
mod layer;
mod logs;
mod manifest;
mod plan;
mod scrub;
mod secrets;
mod status;
mod story;

use std::{sync::Arc, time::Duration};

use copr_operator_api::{
    evidence::TIME,
    v1alpha1::{CoprInstance, CoprInstanceSpec, CoprTestRun, EvidenceStatus},
};
use copr_operator_images::{Name, Registries, Target, target};
use copr_operator_kernel::{
    backoff::{Backoff, BrokenWatch},
    conditions::Finding,
    report,
};
use futures::StreamExt as _;
use jiff::Timestamp;
use kube::{
    Api, Client, Resource as _, ResourceExt as _,
    core::DeserializeGuard,
    runtime::{
        Controller,
        controller::Action,
        events::{Event, EventType, Recorder},
        watcher,
    },
};
use tokio::{sync::Semaphore, time::Instant};

use self::{collect::Collector, error::Error, plan::Step};

/// Each holds a few parts of a blob in memory.
const AT_A_TIME: usize = 2;
/// A registry that deletes nothing is asked again after this.
const REST: Duration = Duration::from_secs(24 * 3600);
const NOTE_MAX: usize = 1000;

type Watched = DeserializeGuard<CoprTestRun>;

struct Context {
    client: Client,
    recorder: Recorder,
    registries: Arc<Registries>,
    backoff: Backoff,
    permits: Semaphore,
}

/// Keeps evidence until `shutdown`, of the runs of every namespace. What is under way then is begun again by the next operator.
pub async fn run(
    client: Client,
    recorder: Recorder,
    registries: Arc<Registries>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let controller = Controller::new(Api::<Watched>::all(client.clone()), watcher::Config::default());
    let context = Context {
        client,
        recorder,
        registries,
        backoff: Backoff::default(),
        permits: Semaphore::new(AT_A_TIME),
    };
    let controller = controller
        .trigger_backoff(BrokenWatch)
        .run(reconcile, error_policy, Arc::new(context))
        .for_each(|_| futures::future::ready(()));
    futures::future::select(Box::pin(controller), Box::pin(shutdown)).await;
}

#[tracing::instrument(name = "evidence", skip_all, fields(run = watched.name_any(), namespace = watched.namespace()))]
async fn reconcile(watched: Arc<Watched>, context: Arc<Context>) -> Result<Action, status::Error> {
    // The run's own controller tells of one that can't be read.
    let Ok(seen) = &watched.0 else { return Ok(Action::await_change()) };
    if matches!(plan::step(seen, now()), Step::Nothing) {
        return Ok(Action::await_change());
    }
    // It's never closed.
    let _permit = context.permits.acquire().await.ok();
    let Some(run) = status::read(&context.client, seen).await? else { return Ok(Action::await_change()) };
    let now = now();
    let action = match plan::step(&run, now) {
        Step::Nothing => Action::await_change(),
        Step::Wait(pause) => Action::requeue(pause),
        Step::TooLate => {
            let why = "it wasn't collected within 3m of the verdict; was the operator running?";
            settle(&context, &run, None, Finding::no("TooSlow", why)).await?;
            Action::await_change()
        }
        Step::Collect(left) => {
            // On the heap: a run holds the spec of an instance.
            let collected = Box::pin(collect(&context, &run, now, Instant::now() + left)).await;
            match collected {
                Ok(kept) => {
                    let what = kept.artifact.clone().unwrap_or_default();
                    let but = kept.message.as_ref().map(|m| format!("; not in it: {m}")).unwrap_or_default();
                    let finding = Finding::yes("Kept", report::truncate(format!("{what}{but}"), NOTE_MAX));
                    settle(&context, &run, Some(kept), finding).await?;
                }
                Err(error) => {
                    let finding = Finding::no(error.reason(), report::chain(&error));
                    settle(&context, &run, None, finding).await?;
                }
            }
            // Its own write makes it look again, for the end of its time.
            Action::await_change()
        }
        Step::Expire => expire(&context, &run, now).await?,
    };
    context.backoff.succeeded(&watched.uid().unwrap_or_default());
    Ok(action)
}

/// Collects the evidence of a run.
async fn collect(
    context: &Context,
    run: &CoprTestRun,
    now: Timestamp,
    until: Instant,
) -> Result<EvidenceStatus, Error> {
    let (client, namespace) = (&context.client, run.namespace().unwrap_or_default());
    let (named, instance) = instance(client, run).await?;
    let spec = spec(run, instance.as_ref());
    let target = registry(client, &namespace, spec).await?;
    let scrubber = secrets::read(client, &namespace, &named, spec).await?.scrubber()?;
    let collector = Collector {
        client,
        run,
        instance: instance.as_ref(),
        registries: &context.registries,
        access: &target.access,
        url: &target.registry.url,
        scrubber: &scrubber,
        now,
        until,
    };
    let kept = collector.collect().await?;
    match sweep(context, run, &target, now).await {
        Ok((0, None)) => {}
        Ok((gone, None)) => tracing::info!(gone, "Deleted evidence whose time is over"),
        Ok((_, Some(why))) => tracing::info!(why, "The registry deletes no evidence"),
        Err(error) => tracing::info!(error = report::chain(&error), "Evidence is deleted later"),
    }
    Ok(kept)
}

/// The instance's name, and the instance, if it's the run's to look at.
async fn instance(client: &Client, run: &CoprTestRun) -> Result<(String, Option<CoprInstance>), Error> {
    let told = run.status.as_ref().and_then(|status| status.instance.clone());
    let name = told.or_else(|| run.spec.instance.name.clone()).unwrap_or_else(|| run.name_any());
    let api: Api<DeserializeGuard<CoprInstance>> =
        Api::namespaced(client.clone(), &run.namespace().unwrap_or_default());
    let what = || format!("CoprInstance {name}");
    let found = api.get_opt(&name).await.map_err(|source| Error::Read { what: what(), source })?;
    let uid = run.uid().unwrap_or_default();
    // Another's that has the name of the run.
    let is_ours = |instance: &CoprInstance| {
        run.spec.instance.template.is_none() || instance.owner_references().iter().any(|o| o.uid == uid)
    };
    let found = found.and_then(|guard| guard.0.ok()).filter(is_ours);
    Ok((name, found))
}

/// The spec of the instance, also when it's gone.
fn spec<'a>(run: &'a CoprTestRun, instance: Option<&'a CoprInstance>) -> Option<&'a CoprInstanceSpec> {
    instance.map(|instance| &instance.spec).or(run.spec.instance.template.as_ref())
}

async fn registry(
    client: &Client,
    namespace: &str,
    spec: Option<&CoprInstanceSpec>,
) -> Result<Target, Error> {
    let spec = spec.ok_or(Error::NoRegistry("the instance is gone, and with it where its registry is"))?;
    let registry = spec.registry.as_ref().ok_or(Error::NoRegistry(
        "evidence needs a registry to be pushed to: set registry.url and registry.pushSecret of the instance",
    ))?;
    Ok(target(client, namespace, Some(registry)).await?)
}

async fn sweep(
    context: &Context,
    run: &CoprTestRun,
    target: &Target,
    now: Timestamp,
) -> Result<(usize, Option<String>), Error> {
    let name = Name::parse(&format!("{}:any", manifest::repository(&target.registry.url)))?;
    let registry = context.registries.of(&name.text, &target.access)?;
    Ok(expire::sweep(&registry, &name, &run.namespace().unwrap_or_default(), now).await?)
}

/// Deletes the run's evidence, whose time is over, and says so.
async fn expire(context: &Context, run: &CoprTestRun, now: Timestamp) -> Result<Action, status::Error> {
    let swept = async {
        let namespace = run.namespace().unwrap_or_default();
        let (_, instance) = instance(&context.client, run).await?;
        let target = registry(&context.client, &namespace, spec(run, instance.as_ref())).await?;
        sweep(context, run, &target, now).await
    };
    let why = match swept.await {
        Ok((_, None)) => {
            let finding = Finding::no("Expired", "its retention is over, and it was deleted");
            settle(context, run, Some(EvidenceStatus::default()), finding).await?;
            return Ok(Action::await_change());
        }
        Ok((_, Some(why))) => why,
        Err(error) => report::chain(&error),
    };
    tracing::info!(why, "Evidence whose time is over stays in its registry; it's tried again in a day");
    Ok(Action::requeue(REST))
}

/// Writes what became of the evidence, and tells it by an event.
async fn settle(
    context: &Context,
    run: &CoprTestRun,
    kept: Option<EvidenceStatus>,
    finding: Finding,
) -> Result<(), status::Error> {
    let type_ =
        if finding.is_true() || finding.reason == "Expired" { EventType::Normal } else { EventType::Warning };
    let event = Event {
        type_,
        reason: if finding.is_true() { "EvidenceKept" } else { "EvidenceNotKept" }.into(),
        note: Some(report::truncate(format!("{}: {}", finding.reason, finding.message), NOTE_MAX)),
        action: "KeepEvidence".into(),
        secondary: None,
    };
    if !status::write(&context.client, run, kept.as_ref(), &finding).await? {
        return Ok(());
    }
    tracing::info!(
        reason = &*finding.reason,
        message = &*finding.message,
        "The evidence of a run is settled"
    );
    if let Err(error) = context.recorder.publish(&event, &run.object_ref(&())).await {
        tracing::warn!(error = report::chain(&error), "Failed to publish an event");
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "kube calls it so")]
fn error_policy(watched: Arc<Watched>, error: &status::Error, context: Arc<Context>) -> Action {
    let wait = context.backoff.failed(&watched.uid().unwrap_or_default());
    tracing::warn!(run = watched.name_any(), error = report::chain(error), "Failed to keep evidence");
    Action::requeue(wait.min(TIME.unsigned_abs() / 6))
}

#[expect(clippy::disallowed_methods, reason = "this is where the clock enters")]
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
