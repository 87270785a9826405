//! What is left to do for a run that has ended, and the report of it.

use copr_operator_api::v1alpha1::{CoprTestRun, CoprTestRunStatus, KeepInstance, Outcome, Phase};
use copr_operator_kernel::report;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::ResourceExt;

use super::{Deletions, Doomed, Plan, conclude, own_labels};
use crate::{
    dereference::{Observed, Seen},
    evidence, junit, target,
    validate::{self, Ttl, Validated},
    verdict,
};

/// How long an ended run waits for those who are to be told of it: reports are given up after two hours.
const REPORTS_GRACE: SignedDuration = SignedDuration::from_hours(3);

/// An ended run: its verdict stays, what it needed goes.
pub fn after_the_end(run: &Validated, observed: &Observed, mut status: CoprTestRunStatus) -> Plan {
    // `kubectl wait` believes no condition that is older than the spec, and of an ended run keepInstance
    // and ttlSecondsAfterFinished may still change.
    see_generation(&mut status, run.generation);
    let mut deletions = Deletions { pods: leftovers(&status, observed), ..Deletions::default() };
    let held = evidence::holds(&run.evidence, &status, observed.now);
    let keep = match run.keep {
        KeepInstance::Never => false,
        KeepInstance::OnFailure => matches!(status.phase, Phase::Failed | Phase::Error),
        KeepInstance::Always => true,
    };
    if let Seen::Found(instance) = &observed.instance
        && run.template.is_some()
        && target::is_owned(instance, &run.uid)
        && instance.metadata.deletion_timestamp.is_none()
        && !keep
        && held.is_none()
    {
        deletions.instance = Some(Doomed { name: instance.name_any(), uid: instance.uid() });
    }
    let (doomed, requeue) = expire(&run.name, Some(run.uid.clone()), &run.ttl, &status, observed.now);
    deletions.run = doomed.filter(|_| held.is_none());
    let requeue = held.or(requeue);
    Plan { status, deletions, requeue, ..Plan::default() }
}

/// A run that can't be started at all ends here; one that had ended before stays as it is.
pub fn refuse(
    run: &CoprTestRun,
    error: &validate::Error,
    observed: &Observed,
    mut status: CoprTestRunStatus,
) -> Plan {
    conclude::refuse(&mut status, &report::chain(error), run.metadata.generation, observed.now);
    see_generation(&mut status, run.metadata.generation);
    let (doomed, requeue) = expire(&run.name_any(), run.uid(), &validate::ttl(run), &status, observed.now);
    let deletions = Deletions { run: doomed, ..Deletions::default() };
    Plan { status, deletions, requeue, ..Plan::default() }
}

/// Pods that still run though their attempt is over. A pod that has ended is kept: its log is the log of
/// the test.
pub fn leftovers(status: &CoprTestRunStatus, observed: &Observed) -> Vec<Doomed> {
    let wanted = |name: &str| {
        status.tests.iter().any(|test| test.outcome == Outcome::Running && test.pod.as_deref() == Some(name))
    };
    // The pod that lists the suite is of use as long as the run may have tests.
    let lists = observed.suite.pods.iter().filter(|_| status.phase.is_final());
    let tests = observed.pods.iter().filter(|pod| !wanted(&pod.name_any()));
    tests
        .chain(lists)
        .filter(|pod| pod.metadata.deletion_timestamp.is_none() && !verdict::has_ended(pod))
        .map(|pod| Doomed { name: pod.name_any(), uid: pod.uid() })
        .collect()
}

/// The ConfigMap with the run as JUnit XML.
pub fn junit(run: &Validated, status: &CoprTestRunStatus) -> ConfigMap {
    // A report that can't be written is no reason to keep the verdict back.
    let xml =
        junit::render(run, status).unwrap_or_else(|error| format!("<!-- {} -->", report::chain(&error)));
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(format!("{}-junit", run.name)),
            namespace: Some(run.namespace.clone()),
            owner_references: Some(vec![run.owner.clone()]),
            labels: Some(own_labels(run)),
            ..ObjectMeta::default()
        },
        data: Some([("junit.xml".to_owned(), xml)].into()),
        ..ConfigMap::default()
    }
}

/// Whether the run is to be deleted now, or when to look again.
fn expire(
    name: &str,
    uid: Option<String>,
    ttl: &Ttl,
    status: &CoprTestRunStatus,
    now: Timestamp,
) -> (Option<Doomed>, Option<SignedDuration>) {
    let Some(finished) = &status.timestamps.finished else { return (None, None) };
    let kept = if status.phase == Phase::Passed { ttl.passed } else { ttl.failed };
    let mut left = (finished.0 + kept).duration_since(now);
    if ttl.told.as_ref().is_some_and(|report| !report.is_done(&status.reports)) {
        // Each report that is made changes the run, which is looked at again then.
        left = left.max((finished.0 + REPORTS_GRACE).duration_since(now));
    }
    if left.is_positive() { (None, Some(left)) } else { (Some(Doomed { name: name.to_owned(), uid }), None) }
}

fn see_generation(status: &mut CoprTestRunStatus, generation: Option<i64>) {
    status.observed_generation = generation;
    for condition in &mut status.conditions {
        condition.observed_generation = generation;
    }
}
