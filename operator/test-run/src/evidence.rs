//! What a run does for its evidence: a folder in each test's pod, a container that keeps what is in it, and an instance that stays until
//! it's collected. Pure. Collecting is another controller's (`operator/evidence`).
//!
//! The container is a sidecar of the operator's image, and the one thing here that could cost a verdict: a node may not get that image.
//! An attempt that it keeps from starting counts for nothing, and from then on the run does without.

use copr_operator_api::{
    evidence::{
        AUTHORITY, COMMAND, CONDITION, CONTAINER, FOLDER, INSECURE_VARIABLE, PUSH, REPOSITORY,
        REPOSITORY_VARIABLE, TIME,
    },
    v1alpha1::{CoprTestRunStatus, Evidence, KeepEvidence, Registry},
};
use copr_operator_kernel::{conditions, pods, resources::Amounts};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapVolumeSource, Container, ContainerStatus, KeyToPath, Pod, SecretVolumeSource,
    SecurityContext, Volume, VolumeMount,
};
use kube::ResourceExt as _;

use super::{
    pod::{self, CLIENT_VOLUME},
    reason::Reason,
    target::Facts,
    validate::Validated,
    verdict::{Ended, Progress, TROUBLE_GRACE},
};

const VOLUME: &str = "evidence";
const PUSH_VOLUME: &str = "push";
const AUTHORITY_VOLUME: &str = "registry-ca";
/// Of this size the kubelet ends the test. Much less is kept.
const FOLDER_SIZE: &str = "1Gi";
/// What a test as root leaves may be anybody's of its user namespace, where the container is root, too. It has the folder read-only.
const READ_ALL: &str = "DAC_OVERRIDE";
/// It sleeps until the test has ended, then compresses.
const AMOUNTS: Amounts = Amounts { cpu: "5m", mebibytes: 16, most_cpu: "1", most_mebibytes: 128 };
/// How long the container may push after the test's end, which must not count as the test's.
const PUSH_SECONDS: i64 = 60;

/// The image of the container that keeps folders, if there is to be one.
pub fn keeper(spec: &Evidence, status: Option<&CoprTestRunStatus>, image: Option<&str>) -> Option<String> {
    let wanted = spec.keep != KeepEvidence::Never && !status.is_some_and(has_given_up);
    image.filter(|_| wanted).map(str::to_owned)
}

/// Whether the run does without that container, since it couldn't be started.
pub fn has_given_up(status: &CoprTestRunStatus) -> bool {
    status.evidence.as_ref().is_some_and(|evidence| evidence.folders_not_kept.is_some())
}

/// Writes down that the container couldn't be started, if that is news; tells whether the run does without.
pub fn note(status: &mut CoprTestRunStatus) -> bool {
    if has_given_up(status) {
        return true;
    }
    let failed = status.tests.iter().find(|test| Reason::of(test) == Some(Reason::EvidenceKeeperFailed));
    let Some(failed) = failed else { return false };
    let why = failed.message.clone().unwrap_or_default();
    status.evidence.get_or_insert_default().folders_not_kept = Some(why);
    true
}

/// How many attempts more than its retries a test has, of which the container cost one.
pub fn more_attempts(run: &Validated, reason: Option<Reason>) -> i32 {
    i32::from(run.keeper_failed || reason == Some(Reason::EvidenceKeeperFailed))
}

/// The end of an attempt that the container keeps from starting.
pub fn stuck(pod: &Pod, now: Timestamp) -> Option<Progress> {
    let created = pod.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0);
    let status: &ContainerStatus =
        pod.status.as_ref()?.init_container_statuses.iter().flatten().find(|s| s.name == CONTAINER)?;
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref().filter(|reason| pods::waiting(reason).is_some())?;
    // One that ran once keeps nothing from starting.
    if status.restart_count > 0 || now < created + TROUBLE_GRACE {
        return None;
    }
    let because = waiting.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    let message = format!("container {CONTAINER} of pod {} can't start ({reason}){because}", pod.name_any());
    Some(Progress::Ended(Ended::error(Reason::EvidenceKeeperFailed, message)))
}

/// How long an ended run's instance and pods stay for its evidence, if they do.
pub fn holds(spec: &Evidence, status: &CoprTestRunStatus, now: Timestamp) -> Option<SignedDuration> {
    let settled = conditions::get(&status.conditions, CONDITION).is_some();
    let finished =
        status.timestamps.finished.as_ref().filter(|_| !settled && spec.is_kept_of(status.phase))?;
    Some((finished.0 + TIME).duration_since(now)).filter(SignedDuration::is_positive)
}

/// What an attempt's pod has beyond the deadline of its test.
pub fn more_seconds(run: &Validated, facts: &Facts) -> i64 {
    if kept(run, facts).is_some() { PUSH_SECONDS } else { 0 }
}

/// By which a test knows where to leave what is to be kept.
pub fn variable() -> (&'static str, String) {
    ("EVIDENCE_DIR", FOLDER.to_owned())
}

/// The folder, as a container has it.
pub fn mount(read_only: bool) -> VolumeMount {
    at(VOLUME, FOLDER, read_only)
}

/// The container that keeps what a test leaves.
pub fn container(run: &Validated, facts: &Facts) -> Option<Container> {
    let (image, registry) = kept(run, facts)?;
    let variables = [
        (REPOSITORY_VARIABLE, format!("{}/{REPOSITORY}", registry.url)),
        (INSECURE_VARIABLE, registry.insecure.to_string()),
    ];
    let mut mounts = vec![mount(true), at(CLIENT_VOLUME, "/etc/copr-operator/client", true)];
    mounts.extend(registry.push_secret.as_ref().map(|_| at(PUSH_VOLUME, PUSH, true)));
    mounts.extend(registry.ca_config_map.as_ref().map(|_| at(AUTHORITY_VOLUME, AUTHORITY, true)));
    Some(Container {
        name: CONTAINER.into(),
        image: Some(image.to_owned()),
        // A tag like that of a build from source is in no registry.
        image_pull_policy: Some("IfNotPresent".into()),
        args: Some(COMMAND.map(str::to_owned).to_vec()),
        // A sidecar: it's there before the test, and is ended after it.
        restart_policy: Some("Always".into()),
        env: Some(
            variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                // As the builds of images, which push there, too.
                .chain(facts.suite.proxy.iter().cloned())
                .map(pod::variable)
                .collect(),
        ),
        volume_mounts: Some(mounts),
        resources: Some(AMOUNTS.requirements()),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            capabilities: Some(Capabilities {
                drop: Some(vec!["ALL".into()]),
                add: run.as_root().then(|| vec![READ_ALL.into()]),
            }),
            ..SecurityContext::default()
        }),
        termination_message_policy: Some("File".into()),
        ..Container::default()
    })
}

/// The volumes of both. A Secret or ConfigMap that isn't there keeps no test from starting.
pub fn volumes(run: &Validated, facts: &Facts) -> Vec<Volume> {
    let mut volumes = vec![pod::scratch(VOLUME, FOLDER_SIZE)];
    let Some((_, registry)) = kept(run, facts) else { return volumes };
    let one = |key: &str| Some(vec![KeyToPath { key: key.into(), path: key.into(), mode: None }]);
    volumes.extend(registry.push_secret.as_ref().map(|secret| Volume {
        name: PUSH_VOLUME.into(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(secret.name.clone()),
            items: one(".dockerconfigjson"),
            optional: Some(true),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }));
    volumes.extend(registry.ca_config_map.as_ref().map(|map| Volume {
        name: AUTHORITY_VOLUME.into(),
        config_map: Some(ConfigMapVolumeSource {
            name: map.name.clone(),
            items: one("ca.crt"),
            optional: Some(true),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    }));
    volumes
}

fn kept<'a>(run: &'a Validated, facts: &'a Facts) -> Option<(&'a str, &'a Registry)> {
    Some((run.keeper.as_deref()?, facts.registry.as_ref()?))
}

fn at(volume: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: volume.into(),
        mount_path: path.into(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}
