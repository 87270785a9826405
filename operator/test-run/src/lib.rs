//! The controller of `CoprTestRun`: the sanity suite against an instance, and its verdict.
//!
//! A reconcile is five steps, one file each; only the first and the last two touch the cluster:
//!
//! ```text
//!   dereference ──▶ validate ──▶ decide ──▶ apply ──▶ status
//!     cluster,        pure        pure      create,    write,
//!      clock                                            then delete
//! ```

mod apply;
mod builders;
mod compact;
mod decide;
mod dereference;
mod disturbance;
mod events;
mod evidence;
mod exclusion;
mod expected;
mod grant;
mod image;
mod junit;
mod others;
mod pod;
mod reason;
mod select;
mod source;
mod status;
mod suite;
mod target;
#[cfg(test)]
mod tests;
mod validate;
mod verdict;

use std::{sync::Arc, time::Duration};

use copr_operator_api::{
    labels,
    v1alpha1::{CoprInstance, CoprTestRun},
};
use copr_operator_kernel::{
    backoff::{Backoff, BrokenWatch},
    conditions::{self, Outlook, Standing},
    malformed,
    platform::Platforms,
    report,
};
use copr_operator_source::Forges;
use futures::{Future, StreamExt};
use k8s_openapi::{
    api::core::v1::{ConfigMap, Pod},
    apimachinery::pkg::apis::meta::v1::Condition,
};
use kube::{
    Client, Resource, ResourceExt,
    api::Api,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::{
        Controller,
        controller::Action,
        events::{EventType, Recorder},
        reflector::{ObjectRef, Store},
        watcher,
    },
};

use self::{dereference::Others, events::Notice, exclusion::Exclusion};

/// How soon something that the API server refused is tried again.
const REFUSED_RETRY: Duration = Duration::from_secs(10);

/// A run as it is watched: one that can't be read must not hold up the others.
type Watched = DeserializeGuard<CoprTestRun>;

/// What a reconcile needs besides its run.
struct Context {
    client: Client,
    recorder: Recorder,
    backoff: Backoff,
    exclusion: Exclusion,
    forges: Forges,
    runs: Store<Watched>,
    settings: Settings,
    platforms: Platforms,
}

/// What went wrong in a reconcile.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// Something couldn't be read.
    #[error("failed to observe the cluster")]
    Dereference(#[source] dereference::Error),
    /// Something couldn't be created or deleted.
    #[error("failed to apply the plan")]
    Apply(#[source] apply::Error),
    /// The status couldn't be written.
    #[error("failed to report")]
    Status(#[source] status::Error),
}

impl Error {
    /// The reason of the event that tells of it.
    const fn category(&self) -> &'static str {
        match self {
            Self::Dereference(_) => "ObserveFailed",
            Self::Apply(_) => "ApplyFailed",
            Self::Status(_) => "ReportFailed",
        }
    }
}

/// What the controller is told of its process.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How many runs of a namespace may go on at a time, if that is limited.
    pub runs_at_a_time: Option<usize>,
    /// The operator's own image, of which a container keeps what tests leave. Without it nothing of that is kept.
    pub operator_image: Option<String>,
}

/// Runs the controller until `shutdown`, for the runs of every namespace. By `http` forges are asked.
pub async fn run(
    client: Client,
    recorder: Recorder,
    http: reqwest::Client,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let ours = watcher::Config::default().labels(labels::RUN);
    let controller = Controller::new(Api::<Watched>::all(client.clone()), watcher::Config::default());
    let runs = controller.store();
    let context = Context {
        client: client.clone(),
        recorder,
        backoff: Backoff::default(),
        exclusion: Exclusion::default(),
        forges: Forges::new(http),
        runs: runs.clone(),
        settings,
        platforms: Platforms::default(),
    };
    let queue = runs.clone();
    controller
        .owns(Api::<Pod>::all(client.clone()), ours.clone())
        .owns(Api::<PartialObjectMeta<ConfigMap>>::all(client.clone()), ours)
        .watches(
            Api::<PartialObjectMeta<CoprInstance>>::all(client.clone()),
            watcher::Config::default(),
            move |instance| runs_of(&runs, &instance),
        )
        .watches(Api::<PartialObjectMeta<CoprTestRun>>::all(client), watcher::Config::default(), move |run| {
            others::affected(&queue, &run)
        })
        .trigger_backoff(BrokenWatch)
        .graceful_shutdown_on(shutdown)
        .run(reconcile, error_policy, Arc::new(context))
        .for_each(|_| futures::future::ready(()))
        .await;
}

/// The runs that test an instance: those that name it, and the one that has its name.
fn runs_of(runs: &Store<Watched>, instance: &PartialObjectMeta<CoprInstance>) -> Vec<ObjectRef<Watched>> {
    let tests = |watched: &Watched| {
        watched.0.as_ref().is_ok_and(|run| {
            run.namespace() == instance.namespace()
                && dereference::instance_name(&run.name_any(), &run.spec) == instance.name_any()
        })
    };
    runs.state()
        .iter()
        .filter(|watched| tests(watched))
        .map(|watched| ObjectRef::from_obj(&**watched))
        .collect()
}

/// Reconciles one run, and tells of an error where users see it.
#[tracing::instrument(skip_all, fields(run = watched.name_any(), namespace = watched.namespace()))]
async fn reconcile(watched: Arc<Watched>, context: Arc<Context>) -> Result<Action, Error> {
    let run = match &watched.0 {
        Ok(run) => run,
        Err(invalid) => {
            tell_malformed(&context, &watched, &invalid.error).await;
            return Ok(Action::await_change());
        }
    };
    // On the heap: a run holds the spec of an instance, several times over.
    let result = Box::pin(steps(run, &context)).await;
    match &result {
        Ok(_) => context.backoff.succeeded(&uid(&watched)),
        // The next reconcile sees what has changed; nobody needs to know.
        Err(Error::Status(status::Error::Conflict { .. })) => {}
        Err(error) => warn(&context, run, error.category(), report::chain(error)).await,
    }
    result
}

/// Tells of a run that can't be read, by an event and, where the API server takes one, in its status. A verdict that is final stays.
async fn tell_malformed(context: &Context, watched: &Watched, error: &str) {
    let (name, namespace) = (watched.name_any(), watched.namespace().unwrap_or_default());
    tracing::warn!(error, "A run can't be read");
    let note = report::truncate(format!("the object can't be read: {error}"), 1000);
    warn(context, watched, "InvalidObject", note.clone()).await;
    let say = |conditions: &mut Vec<Condition>, generation| {
        if !conditions::is_true(conditions, decide::types::FINISHED) {
            let standing = Standing::new(Outlook::Stalled, malformed::REASON, note);
            conditions::set_standing(conditions, standing, generation, dereference::now());
        }
    };
    let written = malformed::write::<CoprTestRun>(&context.client, (&namespace, &name), say).await;
    if let Err(error) = written {
        tracing::debug!(error = report::chain(&error), "No status for a malformed object");
    }
}

/// The five steps.
async fn steps(run: &CoprTestRun, context: &Context) -> Result<Action, Error> {
    let client = &context.client;
    let namespace = run.namespace().unwrap_or_default();
    // Until what is started can be seen.
    let target = dereference::instance_name(&run.name_any(), &run.spec);
    let turn = context.exclusion.of(&namespace, &target).await;
    // Client required.
    let Settings { runs_at_a_time, operator_image } = &context.settings;
    let others = Others { runs: others::unfinished(&context.runs, run), at_a_time: *runs_at_a_time };
    let (platforms, forges) = (&context.platforms, &context.forges);
    let read = dereference::dereference(client, run, others, operator_image.as_deref(), platforms, forges)
        .await
        .map_err(Error::Dereference)?;
    let Some((run, observed)) = read else { return Ok(Action::await_change()) };

    // No client required.
    let old = run.status.clone().unwrap_or_default();
    let mut plan = match validate::validate(&run, &observed) {
        Ok(valid) => decide::decide(&valid, &observed, &old),
        Err(error) => decide::refuse(&run, &error, &observed, old.clone()),
    };

    // Client required.
    let refusals = apply::create(client, &namespace, &plan).await.map_err(Error::Apply)?;
    drop(turn);
    refusals.correct(&mut plan, &old, observed.now);
    status::write(client, &run, &plan.status).await.map_err(Error::Status)?;
    let notices = events::transitions(&old, &plan.status);
    for notice in &notices {
        tracing::info!(reason = notice.reason, pod = notice.pod, note = notice.note, "The run went on");
    }
    events::publish(&context.recorder, &run, &notices).await;
    apply::delete(client, &namespace, &plan.deletions).await.map_err(Error::Apply)?;

    let requeue = plan.requeue.map(jiff::SignedDuration::unsigned_abs);
    Ok(match requeue {
        _ if refusals.any() => Action::requeue(REFUSED_RETRY),
        Some(after) => Action::requeue(after),
        // Only an ended run has nothing to wait for.
        None => Action::await_change(),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "kube calls it so")]
fn error_policy(watched: Arc<Watched>, error: &Error, context: Arc<Context>) -> Action {
    let wait = context.backoff.failed(&uid(&watched));
    tracing::warn!(
        run = watched.name_any(),
        namespace = watched.namespace(),
        error = report::chain(error),
        retry_seconds = wait.as_secs(),
        "Failed to reconcile a run"
    );
    Action::requeue(wait)
}

fn uid(watched: &Watched) -> String {
    watched.uid().unwrap_or_default()
}

async fn warn<K>(context: &Context, object: &K, reason: &'static str, note: String)
where
    K: Resource<DynamicType = ()>,
{
    let notice = Notice {
        type_: EventType::Warning,
        reason,
        action: "Reconcile".into(),
        note: report::truncate(note, 1000),
        pod: None,
    };
    events::publish(&context.recorder, object, &[notice]).await;
}
