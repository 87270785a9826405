//! Client required: what is to be seen of builds. The registry is asked only about images of which the Jobs don't tell.

use std::collections::BTreeMap;

use copr_operator_api::{
    images::Image,
    labels,
    v1alpha1::{ImageState, ImageStatus, Packages},
};
use copr_operator_kernel::event;
use futures::future::try_join_all;
use jiff::Timestamp;
use k8s_openapi::api::{batch::v1::Job, core::v1::Event};
use kube::ResourceExt as _;
use tokio::time::Instant;

use super::{
    condition,
    decide::{
        self, Seen, Warning,
        progress::{
            has_completed, has_failed, is_active, is_running, is_worth_waiting_for, pods_of, that_pushed,
        },
    },
    failure::Error,
    job, start,
};
use crate::{
    Wanted, names,
    registry::{Registries, access::Target},
};

/// Jobs first: one that is seen to have ended well has pushed before the registry is asked. `names` are those of the Jobs that
/// are wanted now.
pub async fn look(
    wanted: &Wanted<'_>,
    registries: &Registries,
    (spec, target): (&Packages, &Target),
    images: &[ImageStatus],
    names: BTreeMap<Image, String>,
    now: Timestamp,
) -> Result<Seen, Error> {
    let missing: BTreeMap<_, _> = images
        .iter()
        .filter(|image| !image.state.is_there() || image.component == Image::Base.key())
        .filter_map(|image| Some((Image::of_key(&image.component)?, image)))
        .collect();
    let references = missing
        .iter()
        .map(|(image, status)| (*image, names::reference(&target.registry.url, *image, &status.input_hash)));
    let query =
        format!("{},{}={}", labels::instance_query(&wanted.name), labels::COMPONENT, labels::IMAGE_BUILD);
    let mut seen = Seen {
        namespace: wanted.namespace.clone(),
        uid: wanted.owner.uid.clone(),
        jobs: start::jobs_of(wanted.client, &wanted.namespace, &query).await?,
        pods: start::pods(wanted.client, &wanted.namespace, &query).await?,
        references: references.collect(),
        wanted: names,
        timeout: job::timeout(spec),
        ..Seen::default()
    };
    seen.jobs.retain(|job| decide::is_own(job, &seen_uid(wanted)));
    seen.jobs.extend(others(wanted, spec, images, now).await?);
    seen.warnings = warnings(wanted, &seen).await?;
    let asked: Vec<_> =
        missing.into_iter().filter(|(image, status)| is_asked(&seen, *image, status, now)).collect();
    let found = try_join_all(asked.into_iter().filter_map(|(image, _)| {
        let reference = seen.references.get(&image)?;
        // Before an image gets a Job, the registry is always asked for it, since somebody else may have pushed it. Where a Job has
        // pushed an image that the registry doesn't have, it is asked after pauses that grow.
        let pushed = that_pushed(&seen.jobs, reference);
        let is_due = decide::own_job(&seen, image).is_none()
            || registries.asks.is_due(reference, &pushed, Instant::now());
        is_due.then_some(async move {
            let found = registries.of(reference, &target.access)?.describe_own(reference).await?;
            registries.asks.answered(reference, found.is_some(), &pushed, Instant::now());
            Ok::<_, Error>((image, found))
        })
    }))
    .await?;
    seen.found = found.into_iter().filter_map(|(image, found)| Some((image, found?))).collect();
    Ok(seen)
}

fn seen_uid(wanted: &Wanted<'_>) -> Seen {
    Seen { namespace: wanted.namespace.clone(), uid: wanted.owner.uid.clone(), ..Seen::default() }
}

/// Other instances' Jobs that build images which aren't there, and are worth waiting for.
pub async fn others(
    wanted: &Wanted<'_>,
    spec: &Packages,
    images: &[ImageStatus],
    now: Timestamp,
) -> Result<Vec<Job>, Error> {
    let missing = images.iter().filter(|status| !status.state.is_there());
    let hashes: Vec<_> = missing.map(|status| status.input_hash.as_str()).collect();
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let mut others = Vec::new();
    for job in start::jobs(wanted.client, &hashes).await? {
        if !decide::is_own(&job, &seen_uid(wanted))
            && is_worth_waiting_for(&job, job::timeout(spec), now)
            && start::has_instance(wanted.client, &job).await?
        {
            others.push(job);
        }
    }
    Ok(others)
}

/// Whether only the registry can tell how an image is.
fn is_asked(seen: &Seen, image: Image, status: &ImageStatus, now: Timestamp) -> bool {
    if status.state.is_there() {
        return false;
    }
    let fresh = status.state == ImageState::Queued && status.message.is_none();
    match decide::own_job(seen, image) {
        Some(job) => has_completed(job) || fresh && has_failed(job),
        None if fresh => true,
        None if status.state == ImageState::Failed => decide::is_due(status, now),
        None if decide::is_waited_for(seen, status, image, now) => false,
        // While what it starts from is being built, the registry can't have it.
        None => {
            let mut from = std::iter::successors(image.starts_from(), |image| image.starts_from());
            !from.any(|from| decide::own_job(seen, from).is_some_and(is_active))
        }
    }
}

/// What the cluster says of Jobs that don't get on, by their uid.
async fn warnings(wanted: &Wanted<'_>, seen: &Seen) -> Result<BTreeMap<String, Warning>, Error> {
    let mut warnings = BTreeMap::new();
    for job in seen.jobs.iter().filter(|job| decide::is_own(job, seen)) {
        let Some(uid) = job.uid() else { continue };
        if is_running(job) || has_completed(job) || start::is_suspended(job) {
            continue;
        }
        let pod = pods_of(job, &seen.pods).last().and_then(|pod| pod.uid());
        let blocked = if let Some(pod) = pod {
            newest(start::warnings(wanted.client, &wanted.namespace, &pod).await?, condition::BUILD_BLOCKED)
        } else {
            let refused = start::warnings(wanted.client, &wanted.namespace, &uid).await?;
            newest(refused, condition::BUILD_REFUSED).map(|warning| Warning {
                message: said_by_any_pod(&warning.message, &job.name_any()),
                ..warning
            })
        };
        warnings.extend(blocked.map(|warning| (uid, warning)));
    }
    Ok(warnings)
}

/// What the API server makes the ends of generated names of.
const SUFFIX: &str = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH: usize = 5;

/// Those of the Job controller about itself say nothing that the Job's status doesn't.
const OF_THE_JOB: [&str; 3] = ["BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy"];

/// What the kubelet says before it repeats what a readiness probe has printed. That of a build prints what the build waits for.
const NOT_READY: &str = "Readiness probe failed: ";

fn newest(events: Vec<Event>, reason: &'static str) -> Option<Warning> {
    let of_interest = |event: &Event| !OF_THE_JOB.iter().any(|r| event.reason.as_deref() == Some(r));
    let newest = events.into_iter().filter(of_interest).max_by_key(event::time)?;
    let message = newest.message.filter(|message| !message.is_empty())?;
    let message = message.trim();
    Some(match message.strip_prefix(NOT_READY) {
        Some(waits) if newest.reason.as_deref() == Some("Unhealthy") => {
            Warning { reason: condition::BUILD_WAITING, message: waits.to_owned() }
        }
        _ => Warning { reason, message: message.to_owned() },
    })
}

/// Each try of the Job controller has a pod name of its own, which ends in five random characters. Without them the same refusal
/// is the same message, and no condition changes.
fn said_by_any_pod(message: &str, job: &str) -> String {
    let prefix = format!("{job}-");
    let mut parts = message.split(&prefix);
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        said.push_str(&prefix);
        said.push_str(without_suffix(part).unwrap_or(part));
    }
    said
}

/// What follows the random characters, if a text begins with them.
fn without_suffix(text: &str) -> Option<&str> {
    let (suffix, rest) = text.split_at_checked(SUFFIX_LENGTH)?;
    let goes_on = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
    (suffix.chars().all(|c| SUFFIX.contains(c)) && !goes_on).then_some(rest)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(reason: &str, message: &str, when: &Value) -> Event {
        let mut event = json!({
            "metadata": {"creationTimestamp": "1970-01-01T00:00:01Z"}, "involvedObject": {}, "reason": reason,
            "message": message,
        });
        for (key, value) in when.as_object().unwrap() {
            event[key] = value.clone();
        }
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn the_newest_warning_counts_whoever_dated_it_how() {
        let events = vec![
            event("FailedScheduling", "no node", &json!({"eventTime": "1970-01-01T00:00:20.000000Z"})),
            event("FailedMount", "no volume", &json!({"lastTimestamp": "1970-01-01T00:00:30Z"})),
            event("FailedCreate", "older", &json!({})),
        ];
        let found = newest(events, condition::BUILD_BLOCKED).unwrap();
        assert_eq!((found.reason, found.message.as_str()), ("BuildBlocked", "no volume"));
    }

    #[test]
    fn a_build_that_is_not_ready_says_for_what_it_waits() {
        let away = "https://mirror.example/x.rpm answered 504 Gateway Timeout";
        let events = vec![
            event("Failed", "image not found", &json!({"lastTimestamp": "1970-01-01T00:00:30Z"})),
            event(
                "Unhealthy",
                &format!("Readiness probe failed: {away}\n"),
                &json!({"lastTimestamp": "1970-01-01T00:00:40Z"}),
            ),
        ];
        let found = newest(events, condition::BUILD_BLOCKED).unwrap();
        assert_eq!((found.reason, found.message.as_str()), ("BuildWaiting", away));
    }

    #[test]
    fn each_try_of_a_refused_pod_is_told_in_the_same_words() {
        for name in
            ["copr-image-base-0a1b2c3d-", "copr-image-base-0a1b2c3d-x7k2p", "copr-image-base-0a1b2c3d-5vqzb"]
        {
            let said = format!(
                "Error creating: pods \"{name}\" is forbidden: exceeded quota: q (of Pod/team/{name})"
            );
            let warning =
                newest(vec![event("FailedCreate", &said, &json!({}))], condition::BUILD_REFUSED).unwrap();
            assert_eq!(
                said_by_any_pod(&warning.message, "copr-image-base-0a1b2c3d"),
                "Error creating: pods \"copr-image-base-0a1b2c3d-\" is forbidden: exceeded quota: q (of \
                 Pod/team/copr-image-base-0a1b2c3d-)"
            );
        }
        // Nothing else is taken for a pod's name.
        for said in ["job-x7k2pb", "job-x7k2", "job", "job-x7k2p-b", "job-x7k2ä", "job-files"] {
            assert_eq!(said_by_any_pod(said, "job"), said);
        }
    }

    #[test]
    fn what_the_jobs_status_says_anyhow_is_no_reason() {
        let events = vec![event("DeadlineExceeded", "longer than specified", &json!({}))];
        assert_eq!(newest(events, condition::BUILD_REFUSED), None);
    }
}
