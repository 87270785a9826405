//! The pod of one attempt at a test: what docs/image-contract.md says under "sanity". Pure.

use std::collections::BTreeMap;

use copr_operator_api::{component::SANITY, labels};
use copr_operator_kernel::{
    resources::{Amounts, merged},
    scheduling,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::core::v1::{
        Capabilities, Container, EmptyDirVolumeSource, EnvVar, KeyToPath, LocalObjectReference, Pod,
        PodSecurityContext, PodSpec, SeccompProfile, SecretVolumeSource, SecurityContext, Toleration, Volume,
        VolumeMount,
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta},
};
use kube::ResourceExt;
use sha2::{Digest, Sha256};

use super::{evidence, suite::Test, target::Facts, validate::Validated, verdict};

/// The container that runs the test.
pub const CONTAINER: &str = "test";
/// Label value of the component of a test's pod.
pub const COMPONENT: &str = SANITY;

/// A test ends itself at its deadline and says how far it came; the kubelet ends what doesn't.
const KUBELET_GRACE_SECONDS: i64 = 60;
/// A test that is ended cancels its builds and deletes its projects, for 40 seconds at most: what it left would hold builders.
const TERMINATION_GRACE_SECONDS: i64 = 60;
/// How long a pod stays on a node that doesn't answer. Kubernetes' own 300 seconds would be half the
/// life of a run, and a test can be tried again anywhere.
const LOST_NODE_SECONDS: i64 = 30;

/// How long after its grace a deleted pod may take to be gone.
const LATE: SignedDuration = SignedDuration::from_secs(30);

/// copr-cli and dnf, with the metadata of a whole distribution.
const AMOUNTS: Amounts = Amounts { cpu: "20m", mebibytes: 128, most_cpu: "2", most_mebibytes: 2048 };
/// An installation root with what a test installs and dnf's downloads: some hundred MiB. Of this size the kubelet ends the test.
const TMP_SIZE: &str = "8Gi";

pub(super) const CLIENT_VOLUME: &str = "client";
const TMP_VOLUME: &str = "tmp";

/// Name of the pod of an attempt. No attempt of a run has the name of another.
pub fn name(run: &str, test: &str, attempt: i32) -> String {
    format!("{run}-{test}-{attempt}")
}

/// The attempt that a pod is, counted from 1; 0 if it doesn't say.
pub fn attempt(pod: &Pod) -> i32 {
    pod.labels().get(labels::ATTEMPT).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The test that a pod runs.
pub fn test(pod: &Pod) -> Option<&str> {
    pod.labels().get(labels::TEST).map(String::as_str)
}

/// Whether it's the pod of a test that nothing may run beside.
pub fn is_exclusive(pod: &Pod) -> bool {
    pod.labels().get(labels::EXCLUSIVE).is_some_and(|value| value == "true")
}

/// Whether something of the test may still be at work, its cleaning up included. A pod that outlives its deletion is on a node
/// that doesn't answer: it would be waited for in vain.
pub fn is_alive(pod: &Pod, now: Timestamp) -> bool {
    // The API server adds the grace to the time of the deletion.
    let ends = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0 + LATE);
    !verdict::has_ended(pod) && ends.is_none_or(|ends| now < ends)
}

/// "test auth of CoprTestRun pr-7".
pub fn describe(pod: &Pod) -> String {
    let run = pod.labels().get(labels::RUN).map_or("unknown", String::as_str);
    format!("test {} of CoprTestRun {run}", test(pod).unwrap_or("unknown"))
}

/// The pod of an attempt.
pub fn build(run: &Validated, facts: &Facts, test: Test, attempt: i32) -> Pod {
    let mut metadata = ObjectMeta {
        name: Some(name(&run.name, test.name, attempt)),
        namespace: Some(run.namespace.clone()),
        labels: Some(pod_labels(run, test, attempt)),
        owner_references: Some(vec![run.owner.clone()]),
        ..ObjectMeta::default()
    };
    let mut spec = PodSpec {
        containers: vec![container(run, facts, test, attempt)],
        init_containers: evidence::container(run, facts).map(|keeper| vec![keeper]),
        volumes: Some(volumes(facts).into_iter().chain(evidence::volumes(run, facts)).collect()),
        restart_policy: Some("Never".into()),
        active_deadline_seconds: Some(
            test.deadline_seconds + KUBELET_GRACE_SECONDS + evidence::more_seconds(run, facts),
        ),
        termination_grace_period_seconds: Some(TERMINATION_GRACE_SECONDS),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        image_pull_secrets: pull_secrets(facts),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".into(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        tolerations: Some(vec![tolerate("not-ready"), tolerate("unreachable")]),
        ..PodSpec::default()
    };
    scheduling::apply(&facts.settings, &mut metadata, &mut spec);
    Pod { metadata, spec: Some(spec), status: None }
}

/// Not `app.kubernetes.io/instance`: that says what the instance's own controller looks after.
fn pod_labels(run: &Validated, test: Test, attempt: i32) -> BTreeMap<String, String> {
    let exclusive = test.exclusive.then(|| (labels::EXCLUSIVE, "true".to_owned()));
    [
        (labels::MANAGED_BY, labels::FIELD_MANAGER.to_owned()),
        (labels::PART_OF, "copr".to_owned()),
        (labels::COMPONENT, COMPONENT.to_owned()),
        (labels::RUN, run.name.clone()),
        (labels::TEST, test.name.to_owned()),
        (labels::ATTEMPT, attempt.to_string()),
        (labels::TESTED_INSTANCE, run.target.name.clone()),
    ]
    .into_iter()
    .chain(exclusive)
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

fn container(run: &Validated, facts: &Facts, test: Test, attempt: i32) -> Container {
    Container {
        name: CONTAINER.into(),
        image: Some(facts.image.clone()),
        image_pull_policy: Some(facts.pull_policy.into()),
        args: Some(vec!["run-test".into(), test.name.into()]),
        env: Some(env(run, facts, test, attempt)),
        volume_mounts: Some(vec![
            VolumeMount {
                name: CLIENT_VOLUME.into(),
                mount_path: "/etc/copr-operator/client".into(),
                read_only: Some(true),
                ..VolumeMount::default()
            },
            VolumeMount { name: TMP_VOLUME.into(), mount_path: "/tmp".into(), ..VolumeMount::default() },
            evidence::mount(false),
        ]),
        resources: Some(merged(
            AMOUNTS.requirements(),
            [facts.default_resources.as_ref(), facts.resources.as_ref(), run.resources.as_ref()],
        )),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), ..Capabilities::default() }),
            ..SecurityContext::default()
        }),
        // Never the log: a verdict is what the test wrote as its verdict.
        termination_message_policy: Some("File".into()),
        ..Container::default()
    }
}

fn env(run: &Validated, facts: &Facts, test: Test, attempt: i32) -> Vec<EnvVar> {
    let previous: Vec<_> = (1..attempt).map(|before| run_id(&run.uid, test.name, before)).collect();
    [
        ("FRONTEND_URL", facts.frontend_url.clone()),
        ("BACKEND_URL", facts.backend_url.clone()),
        ("CHROOT", facts.chroot.clone()),
        ("COPR_OWNER", facts.owner.clone()),
        ("BUILDERS_MAX", facts.builders_max.to_string()),
        ("TEST_DEADLINE_SECONDS", test.deadline_seconds.to_string()),
        ("RUN_ID", run_id(&run.uid, test.name, attempt)),
        // An attempt whose pod was lost has cleaned up nothing.
        ("PREVIOUS_RUN_IDS", previous.join(" ")),
        ("HOME", "/tmp".to_owned()),
        evidence::variable(),
    ]
    .into_iter()
    .map(|(name, value)| EnvVar { name: name.into(), value: Some(value), ..EnvVar::default() })
    .chain(scheduling::variables(&facts.proxy))
    .collect()
}

/// Ten characters that no other attempt of any run has: projects of two runs on one instance, and of two
/// attempts of one run, must not meet.
fn run_id(uid: &str, test: &str, attempt: i32) -> String {
    hex::encode(&Sha256::digest(format!("{uid}/{test}/{attempt}"))[..5])
}

fn volumes(facts: &Facts) -> Vec<Volume> {
    vec![
        Volume {
            name: CLIENT_VOLUME.into(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(facts.client_secret.clone()),
                items: Some(vec![KeyToPath { key: "copr".into(), path: "copr".into(), mode: None }]),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        },
        Volume {
            name: TMP_VOLUME.into(),
            empty_dir: Some(EmptyDirVolumeSource {
                size_limit: Some(Quantity(TMP_SIZE.into())),
                medium: None,
            }),
            ..Volume::default()
        },
    ]
}

fn pull_secrets(facts: &Facts) -> Option<Vec<LocalObjectReference>> {
    let secrets: Vec<_> =
        facts.pull_secrets.iter().map(|name| LocalObjectReference { name: name.clone() }).collect();
    (!secrets.is_empty()).then_some(secrets)
}

fn tolerate(taint: &str) -> Toleration {
    Toleration {
        key: Some(format!("node.kubernetes.io/{taint}")),
        operator: Some("Exists".into()),
        effect: Some("NoExecute".into()),
        toleration_seconds: Some(LOST_NODE_SECONDS),
        ..Toleration::default()
    }
}
