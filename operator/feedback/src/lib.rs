//! Feedback: who is to know of a run is told when it starts and when it has ended.
//!
//! What is said follows from the run alone, and what was said is in its status: a level, not an edge. So whatever happens to the
//! operator, everything is said at least once, and nothing that was delivered is said again. The verdict isn't touched.
//!
//! ```text
//!   news ──▶ wanted ──▶ due ──▶ deliver ──▶ status
//!   pure      pure      pure    forge, webhook   server-side apply
//! ```

mod deliver;
mod due;
mod forge;
mod news;
mod pauses;
mod render;
mod status;
#[cfg(test)]
mod tests;
mod webhook;

use std::sync::Arc;

use copr_operator_api::v1alpha1::{CoprTestRun, ReportState, ReportStatus};
use copr_operator_kernel::{
    backoff::{Backoff, BrokenWatch},
    conditions, exchange, http, report,
};
use futures::{Future, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use kube::{
    Client, Resource as _, ResourceExt as _,
    api::Api,
    core::DeserializeGuard,
    runtime::{
        Controller,
        controller::Action,
        events::{Event, EventType, Recorder},
        watcher,
    },
};

use self::pauses::Pauses;

/// A run as it is watched: one that can't be read must not hold up the others.
type Watched = DeserializeGuard<CoprTestRun>;

/// What a reconcile needs besides its run.
struct Context {
    client: Client,
    recorder: Recorder,
    http: reqwest::Client,
    pauses: Pauses,
    backoff: Backoff,
}

/// What went wrong in a reconcile. What goes wrong with a forge or a webhook is in the run's status instead.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The run couldn't be read.
    #[error("failed to read CoprTestRun {name}")]
    Read {
        name: String,
        #[source]
        source: kube::Error,
    },
    /// What came of it couldn't be written.
    #[error(transparent)]
    Status(#[from] status::Error),
}

/// Runs the controller until `shutdown`, for the runs of every namespace.
pub async fn run(
    client: Client,
    recorder: Recorder,
    http: reqwest::Client,
    shutdown: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let context = Context {
        client: client.clone(),
        recorder,
        http,
        pauses: Pauses::default(),
        backoff: Backoff::default(),
    };
    Controller::new(Api::<Watched>::all(client), watcher::Config::default())
        .trigger_backoff(BrokenWatch)
        .graceful_shutdown_on(shutdown)
        .run(reconcile, error_policy, Arc::new(context))
        .for_each(|_| futures::future::ready(()))
        .await;
}

/// Reports one run, if it's to be reported.
#[tracing::instrument(skip_all, fields(run = watched.name_any(), namespace = watched.namespace()))]
async fn reconcile(watched: Arc<Watched>, context: Arc<Context>) -> Result<Action, Error> {
    let Ok(run) = &watched.0 else { return Ok(Action::await_change()) };
    if run.spec.report.is_none() {
        return Ok(Action::await_change());
    }
    // On the heap: a run holds the spec of an instance, several times over.
    let retry_at = Box::pin(steps(run, &context, now)).await?;
    context.backoff.succeeded(&watched.uid().unwrap_or_default());
    Ok(match retry_at {
        Some(at) => {
            Action::requeue(at.duration_since(now()).max(SignedDuration::from_secs(1)).unsigned_abs())
        }
        None => Action::await_change(),
    })
}

/// Reads the run afresh, says what is due, and writes down what came of it. Returns when to look again.
///
/// The run given may be older than the last write of its status: something would be said twice.
async fn steps(
    run: &CoprTestRun,
    context: &Context,
    clock: impl Fn() -> Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let name = run.name_any();
    let runs: Api<CoprTestRun> =
        Api::namespaced(context.client.clone(), &run.namespace().unwrap_or_default());
    let fresh = runs.get_opt(&name).await.map_err(|source| Error::Read { name, source })?;
    let Some(run) = fresh.filter(|fresh| fresh.metadata.deletion_timestamp.is_none()) else {
        return Ok(None);
    };
    let (Some(spec), Some(news)) = (&run.spec.report, news::news(&run)) else { return Ok(None) };

    let wanted = news::wanted(&news, spec);
    let delivered =
        deliver::deliver(&context.client, (&context.http, &context.pauses), &run, &wanted, &clock).await;

    let mut known = news.status.conditions.clone();
    let finding = due::condition(&delivered.reports, news.event());
    conditions::set(&mut known, due::CONDITION, finding, run.metadata.generation, clock());
    let condition = conditions::get(&known, due::CONDITION);
    let before = conditions::get(&news.status.conditions, due::CONDITION);
    if let Some(condition) =
        condition.filter(|_| delivered.reports != news.status.reports || condition != before)
    {
        status::write(&context.client, &run, &delivered.reports, condition).await?;
        for event in delivered.reports.iter().filter_map(|new| trouble(&news.status.reports, new)) {
            // Events are for people who watch: one that can't be published must not hold up the run.
            if let Err(error) = context.recorder.publish(&event, &run.object_ref(&())).await {
                tracing::warn!(error = report::chain(&error), "Failed to publish an event");
            }
        }
    }
    Ok(delivered.retry_at)
}

/// What is worth an event: somebody refused, or isn't tried any more. Once, not at each try.
fn trouble(old: &[ReportStatus], new: &ReportStatus) -> Option<Event> {
    let reason = match new.state {
        ReportState::Refused => "ReportRefused",
        ReportState::GivenUp => "ReportGivenUp",
        ReportState::Delivered | ReportState::Waiting => return None,
    };
    let before = old.iter().find(|old| old.target == new.target);
    if before.is_some_and(|before| before.state == new.state && before.message == new.message) {
        return None;
    }
    Some(Event {
        type_: EventType::Warning,
        reason: reason.into(),
        note: Some(format!("{}: {}", new.target, new.message.as_deref().unwrap_or_default())),
        action: format!("Report {}", new.target),
        secondary: None,
    })
}

/// The moment, in whole seconds as the API keeps them.
fn now() -> Timestamp {
    let now = http::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[expect(clippy::needless_pass_by_value, reason = "kube calls it so")]
fn error_policy(watched: Arc<Watched>, error: &Error, context: Arc<Context>) -> Action {
    let wait = context.backoff.failed(&watched.uid().unwrap_or_default());
    tracing::warn!(
        run = watched.name_any(),
        namespace = watched.namespace(),
        error = report::chain(error),
        retry_seconds = wait.as_secs(),
        "Failed to report a run"
    );
    Action::requeue(wait)
}
