//! A look into the builder image, before the first build: has it a Mock configuration for every chroot? Pure.
//!
//! An ordinary Job does it, as an unprivileged user: it needs no more than a shell. Its name is the hash of all that it does, so a
//! changed image or chroot is looked at again. It has no deadline: while its image can't be pulled, its pod says so, and once it
//! can, the look is taken.

use std::collections::{BTreeMap, BTreeSet};

use copr_operator_api::{
    labels,
    status::chroots::{LOOKING, MOCK_CONFIG_MISSING},
};
use copr_operator_kernel::{
    conditions::Finding, event, platform::Platform, report::truncate, resources::Amounts, scheduling,
};
use k8s_openapi::{
    api::{
        batch::v1::{
            Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
        },
        core::v1::{
            Capabilities, Container, Event, Pod, PodSecurityContext, PodSpec, PodTemplateSpec,
            SeccompProfile, SecurityContext,
        },
    },
    apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta},
};
use kube::ResourceExt as _;
use sha2::{Digest as _, Sha256};

use crate::{
    health,
    validate::{Instance, Pool},
};

/// The label value of its pods: nothing takes them for builders.
pub const COMPONENT: &str = "builder-look";
/// It can't be looked at.
pub const LOOK_FAILED: &str = "LookFailed";

const CONTAINER: &str = "look";
const RETRIES: i32 = 3;
/// The user nobody of every distribution.
const NOBODY: i64 = 65_534;
/// The script fails where the folder can't be read, as that would look like a folder without any configuration.
const SCRIPT: &str = "\
test -r /etc/mock -a -x /etc/mock || { echo '/etc/mock cannot be read' >&2; exit 1; }
for chroot in \"$@\"; do
    test -e \"/etc/mock/$chroot.cfg\" || echo \"$chroot\"
done > /dev/termination-log
";
const JOB_NAME: &str = "batch.kubernetes.io/job-name";

/// The Jobs: one per machine architecture, since an image may differ from one to the other.
pub fn jobs(instance: &Instance) -> Vec<Job> {
    instance.pools.iter().map(|pool| job(instance, pool)).collect()
}

fn job(instance: &Instance, pool: &Pool) -> Job {
    let labels = labels::component(&instance.name, COMPONENT);
    let (mut metadata, mut pod) =
        (ObjectMeta { labels: Some(labels.clone()), ..ObjectMeta::default() }, pod(instance, pool));
    // On the nodes where builders run, as the image may be available there only.
    scheduling::apply(&instance.builders.pod, &mut metadata, &mut pod);
    let spec = JobSpec {
        backoff_limit: Some(RETRIES),
        pod_failure_policy: Some(not_by_eviction()),
        template: PodTemplateSpec { metadata: Some(metadata), spec: Some(pod) },
        ..JobSpec::default()
    };
    let bytes = serde_json::to_vec(&spec).unwrap_or_default();
    let hash = hex::encode(&Sha256::digest(&bytes)[..4]);
    Job {
        metadata: ObjectMeta {
            name: Some(instance.object(&format!("{COMPONENT}-{hash}"))),
            namespace: Some(instance.namespace.clone()),
            labels: Some(labels),
            owner_references: Some(vec![instance.owner.clone()]),
            ..ObjectMeta::default()
        },
        spec: Some(spec),
        status: None,
    }
}

/// A pod that was evicted by the drain of its node doesn't count as a failure of the Job.
fn not_by_eviction() -> PodFailurePolicy {
    PodFailurePolicy {
        rules: vec![PodFailurePolicyRule {
            action: "Ignore".into(),
            on_exit_codes: None,
            on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
                type_: "DisruptionTarget".into(),
                status: "True".into(),
            }]),
        }],
    }
}

fn pod(instance: &Instance, pool: &Pool) -> PodSpec {
    let args = ["bash", "-c", SCRIPT, CONTAINER].map(str::to_owned);
    PodSpec {
        containers: vec![Container {
            name: CONTAINER.into(),
            image: Some(instance.builders.image.clone()),
            image_pull_policy: Some(instance.pull.policy.clone()),
            args: Some(args.into_iter().chain(chroots_of(instance, pool)).collect()),
            resources: Some(AMOUNTS.requirements()),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(false),
                capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), add: None }),
                ..SecurityContext::default()
            }),
            termination_message_policy: Some("FallbackToLogsOnError".into()),
            ..Container::default()
        }],
        restart_policy: Some("Never".into()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        image_pull_secrets: instance.pull.of_pod(),
        node_selector: Some(BTreeMap::from([("kubernetes.io/arch".into(), pool.node_arch.into())])),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            // The image's user is root, which `runAsNonRoot` refuses. OpenShift sets a uid itself, and refuses this one.
            run_as_user: (instance.platform == Platform::Kubernetes).then_some(NOBODY),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
            ..PodSecurityContext::default()
        }),
        ..PodSpec::default()
    }
}

/// What a shell needs that looks for files. `spec.builders.resources` don't count here: they are what a build needs.
const AMOUNTS: Amounts = Amounts { cpu: "10m", mebibytes: 16, most_cpu: "1", most_mebibytes: 128 };

fn chroots_of<'a>(instance: &'a Instance, pool: &'a Pool) -> impl Iterator<Item = String> + 'a {
    let of_pool = |chroot: &&String| {
        chroot.rsplit('-').next().is_some_and(|arch| pool.copr_arches.iter().any(|known| known == arch))
    };
    let distinct: BTreeSet<_> = instance.chroots.iter().filter(of_pool).cloned().collect();
    distinct.into_iter()
}

/// What the looks have shown: the condition, and the chroots without a configuration. `known` and its chroots are what was reported
/// before. That stays if the Job is the same, since its pod, and with it the result, may be gone.
pub fn assess(
    instance: &Instance,
    pods: &[Pod],
    events: &[Event],
    known: Option<&Condition>,
    chroots: &[String],
) -> (Finding, Vec<String>) {
    let mut missing = Vec::new();
    let mut waiting = None;
    let mut names = Vec::new();
    for (pool, job) in instance.pools.iter().zip(jobs(instance)) {
        let job = job.name_any();
        let of_job: Vec<_> =
            pods.iter().filter(|pod| pod.labels().get(JOB_NAME).is_some_and(|name| *name == job)).collect();
        let known = known.filter(|known| known.message.contains(&job) && known.status != "Unknown");
        if let Some(shown) = of_job.iter().find_map(|pod| shown(pod)) {
            let lines: BTreeSet<&str> = shown.lines().map(str::trim).collect();
            missing.extend(chroots_of(instance, pool).filter(|chroot| lines.contains(chroot.as_str())));
        } else if known.is_some() {
            missing.extend(chroots_of(instance, pool).filter(|chroot| chroots.contains(chroot)));
        } else {
            let refused = || {
                let about = |event: &&Event| event.involved_object.name.as_deref() == Some(&job);
                let newest = events.iter().filter(about).max_by_key(|event| event::time(event));
                let message = newest.filter(|_| of_job.is_empty())?.message.clone()?;
                Some((health::POD_REFUSED, format!("Job {job}: {}", truncate(message, 600))))
            };
            let trouble = of_job.iter().find_map(|pod| super::trouble_of(pod)).or_else(refused);
            waiting.get_or_insert(match trouble {
                Some((_, message)) => Finding::unknown(LOOK_FAILED, message),
                None => {
                    Finding::unknown(LOOKING, format!("Job {job} is about to look into the builder image"))
                }
            });
        }
        names.push(job);
    }
    missing.sort();
    let finding = match (missing.is_empty(), waiting) {
        (false, _) => Finding::no(MOCK_CONFIG_MISSING, sentence(instance, &missing, &names)),
        (true, Some(waiting)) => waiting,
        (true, None) => Finding::yes(
            health::AVAILABLE,
            format!(
                "the builder image has a Mock configuration for every chroot (seen by Job {})",
                names.join(", ")
            ),
        ),
    };
    (finding, missing)
}

/// What the container of a look printed, once it has ended well.
fn shown(pod: &Pod) -> Option<&str> {
    let status = pod.status.as_ref()?.container_statuses.as_ref()?.iter().find(|c| c.name == CONTAINER)?;
    let end = status.state.as_ref()?.terminated.as_ref().filter(|end| end.exit_code == 0)?;
    Some(end.message.as_deref().unwrap_or_default())
}

fn sentence(instance: &Instance, missing: &[String], jobs: &[String]) -> String {
    let files: Vec<_> = missing.iter().map(|chroot| file(chroot)).collect();
    format!(
        "chroots: the builder image {} has no {}: nothing can be built for {} (seen by Job {})",
        instance.builders.image,
        files.join(", "),
        missing.join(", "),
        jobs.join(", "),
    )
}

/// Mock's configuration of a chroot.
pub fn file(chroot: &str) -> String {
    format!("/etc/mock/{chroot}.cfg")
}
