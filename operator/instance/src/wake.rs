//! When a reconcile that succeeded is followed by the next, if nothing happens before.

use std::time::Duration;

use copr_operator_api::v1alpha1::CoprInstance;
use copr_operator_images as images;
use copr_operator_kernel::report;
use jiff::SignedDuration;
use kube::{ResourceExt as _, runtime::controller::Action};

use super::{Context, Progress};

/// Slow resync beside the watches.
const RESYNC: Duration = Duration::from_secs(600);
/// How soon a restart that waits is looked at again: nothing tells that an instance has been quiet for a while.
const WAITING: Duration = Duration::from_secs(10);

/// When to look again, if nothing happens before. `changes` is when the status does by itself.
pub fn next(
    context: &Context,
    instance: &CoprInstance,
    progress: &Progress,
    changes: Option<SignedDuration>,
) -> Action {
    let uid = instance.uid().unwrap_or_default();
    let images = progress.provision.as_ref();
    let soon = images.and_then(|provision| provision.look_again);
    if images.is_some_and(|provision| provision.failed) {
        // The pause grows with each failure, and is never shorter than what the registry's `Retry-After` asks for.
        let pause = context.backoff.failed(&uid);
        return Action::requeue(soon.map_or(pause, |soon| soon.max(pause)));
    }
    let waits = images.is_some_and(|provision| {
        !provision.finding.is_true() && provision.finding.reason != images::condition::BUILDING
    });
    if let Some(failure) = progress.failures.first() {
        let pause = context.backoff.failed(&uid);
        let error = report::chain(failure);
        if context.backoff.is_news(&uid, &error) {
            let (namespace, instance) = (instance.namespace(), instance.name_any());
            tracing::warn!(namespace, instance, error, "Failed to apply an object of an instance");
        }
        return Action::requeue(pause);
    }
    if waits && soon.is_none() {
        return Action::requeue(context.backoff.failed(&uid));
    }
    context.backoff.succeeded(&uid);
    if !progress.waiting.is_empty() {
        return Action::requeue(WAITING);
    }
    let builders = progress.builders.as_ref().and_then(|builders| builders.look_again);
    let by_time = builders.into_iter().chain(changes).map(SignedDuration::unsigned_abs);
    Action::requeue(by_time.chain(soon).min().unwrap_or(RESYNC))
}
