//! What Jobs and their pods tell. Pure.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::ResourceExt;

use crate::build::job::IMAGE;

/// A Job that was made just now may not have its pod yet. One that has none after two seconds was refused it. (The
/// third: creation timestamps are whole seconds.)
const FRESH: SignedDuration = SignedDuration::from_secs(3);
/// A pod that there is gets this long to start.
const STARTING: SignedDuration = SignedDuration::from_secs(60);

/// Whether a Job may still end well.
pub fn is_active(job: &Job) -> bool {
    job.metadata.deletion_timestamp.is_none() && !has_failed(job) && !has_completed(job)
}

/// Whether a Job has given up.
pub fn has_failed(job: &Job) -> bool {
    failure(job).is_some()
}

/// Whether a Job ended well.
pub fn has_completed(job: &Job) -> bool {
    condition(job, "Complete").is_some()
}

/// Reason and message of a Job that has given up, and when it did.
pub fn failure(job: &Job) -> Option<(&str, &str, Option<Timestamp>)> {
    let (reason, message) = condition(job, "Failed")?;
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let when = conditions.iter().find(|c| c.type_ == "Failed")?.last_transition_time.as_ref().map(|t| t.0);
    Some((reason, message, when))
}

fn condition<'a>(job: &'a Job, type_: &str) -> Option<(&'a str, &'a str)> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|c| c.type_ == type_ && c.status == "True")?;
    Some((found.reason.as_deref().unwrap_or_default(), found.message.as_deref().unwrap_or_default()))
}

/// The uids of the Jobs that have pushed an image, whoever needed it.
pub fn that_pushed(jobs: &[Job], image: &str) -> Vec<String> {
    let pushed =
        |job: &&Job| job.annotations().get(IMAGE).is_some_and(|name| name == image) && has_completed(job);
    let mut uids: Vec<_> = jobs.iter().filter(pushed).filter_map(ResourceExt::uid).collect();
    uids.sort();
    uids
}

/// Whether a pod of the Job runs.
pub fn is_running(job: &Job) -> bool {
    is_active(job) && job.status.as_ref().and_then(|status| status.ready).is_some_and(|ready| ready > 0)
}

/// Whether somebody else's Job is worth waiting for: it runs, or is about to. One that is refused, suspended or stuck isn't, nor
/// is one that takes longer than a build may take.
pub fn is_worth_waiting_for(job: &Job, timeout: SignedDuration, now: Timestamp) -> bool {
    let Some(created) = job.creation_timestamp() else { return false };
    let age = now.duration_since(created.0);
    if !is_active(job) || age > timeout {
        return false;
    }
    let has_pod = job.status.as_ref().and_then(|status| status.active).is_some_and(|active| active > 0);
    is_running(job) || age < FRESH || has_pod && age < STARTING
}

/// The pods of a Job, the newest last.
pub fn pods_of<'a>(job: &Job, pods: &'a [Pod]) -> Vec<&'a Pod> {
    let of_job = |pod: &&Pod| pod.labels().get("batch.kubernetes.io/job-name") == Some(&job.name_any());
    let mut pods: Vec<_> = pods.iter().filter(of_job).collect();
    pods.sort_by_key(|pod| pod.creation_timestamp());
    pods
}

/// The exit code of a container that failed, and what it left as its message.
pub fn last_words(pod: &Pod) -> Option<(i32, String)> {
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    let ended = statuses.iter().find_map(|status| status.state.as_ref()?.terminated.as_ref())?;
    (ended.exit_code != 0).then(|| {
        let said = ended.message.as_deref().unwrap_or_default().trim();
        let said = match (ended.reason.as_deref(), said.is_empty()) {
            (Some("OOMKilled"), _) => {
                "the build needed more memory than packages.build.resources lets it have (OOMKilled)"
                    .to_owned()
            }
            (reason, true) => format!("{} (exit code {})", reason.unwrap_or("Error"), ended.exit_code),
            (_, false) => said.to_owned(),
        };
        (ended.exit_code, said)
    })
}
