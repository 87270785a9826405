//! The pod of one attempt at a test: what docs/image-contract.md says under "sanity". Pure.

use std::collections::BTreeMap;

use copr_operator_api::{annotations, component::SANITY, labels};
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

use super::{
    evidence, grant,
    suite::Test,
    target::{Facts, SuiteFacts},
    validate::{Git, Validated},
    verdict,
};

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

/// Of a container that runs as root of a user namespace.
const ROOT_CAPABILITIES: [&str; 8] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP", "SETGID", "SETUID", "SYS_CHROOT"];

pub(super) const CLIENT_VOLUME: &str = "client";
const TMP_VOLUME: &str = "tmp";

/// Of names that can be no part of a pod's name, so much is kept.
const SLUG_MAX: usize = 18;
/// How long the suite may take to list its tests: it may have to get them from a git repository.
const LIST_DEADLINE_SECONDS: i64 = 300;

/// Name of the pod of an attempt. No attempt of a run has the name of another.
pub fn name(run: &str, test: &str, attempt: i32) -> String {
    format!("{run}-{}-{attempt}", slug(test))
}

/// Name of the pod of an attempt at listing the suite. No test's pod has two hyphens after the run's name.
pub fn list_name(run: &str, attempt: i32) -> String {
    format!("{run}--suite-{attempt}")
}

/// A test in the names of pods and in labels: its own name where that can be, else what can be of it and a digest of the whole.
pub fn slug(test: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = test.len() <= SLUG_MAX
        && test.chars().all(|c| is_plain(c) || c == '-')
        && test.starts_with(is_plain)
        && test.ends_with(is_plain);
    if fits {
        return test.to_owned();
    }
    let plain: String = test.to_lowercase().chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    let mut start: String = plain.trim_matches('-').chars().take(SLUG_MAX - 7).collect();
    while start.ends_with('-') {
        start.pop();
    }
    let digest = hex::encode(&Sha256::digest(test)[..3]);
    if start.is_empty() { digest } else { format!("{start}-{digest}") }
}

/// The attempt that a pod is, counted from 1; 0 if it doesn't say.
pub fn attempt(pod: &Pod) -> i32 {
    pod.labels().get(labels::ATTEMPT).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Whether a pod runs this test.
pub fn runs(pod: &Pod, test: &str) -> bool {
    pod.labels().get(labels::TEST).is_some_and(|label| *label == slug(test))
}

/// Whether a pod lists the suite rather than run a test of it.
pub fn is_list(pod: &Pod) -> bool {
    pod.labels().get(labels::SUITE_LIST).is_some_and(|value| value == "true")
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
    // Pods of before the annotation have the name in the label.
    let test = pod.annotations().get(annotations::TEST).or_else(|| pod.labels().get(labels::TEST));
    format!("test {} of CoprTestRun {run}", test.map_or("unknown", String::as_str))
}

/// The pod of an attempt.
pub fn build(run: &Validated, facts: &Facts, test: &Test, attempt: i32) -> Pod {
    let metadata = ObjectMeta {
        name: Some(name(&run.name, &test.name, attempt)),
        labels: Some(pod_labels(run, test, attempt)),
        annotations: Some([(annotations::TEST.to_owned(), test.name.clone())].into()),
        ..ObjectMeta::default()
    };
    let container = Container {
        args: Some(vec!["run-test".into(), test.name.clone()]),
        env: Some(env(run, facts, test, attempt)),
        volume_mounts: Some(vec![
            VolumeMount {
                name: CLIENT_VOLUME.into(),
                mount_path: "/etc/copr-operator/client".into(),
                read_only: Some(true),
                ..VolumeMount::default()
            },
            mount(TMP_VOLUME, "/tmp"),
            evidence::mount(false),
        ]),
        ..container(run, &facts.suite)
    };
    let deadline = test.deadline_seconds + KUBELET_GRACE_SECONDS + evidence::more_seconds(run, facts);
    let mut volumes = vec![client(facts), scratch(TMP_VOLUME, TMP_SIZE)];
    volumes.extend(evidence::volumes(run, facts));
    let mut pod = pod(run, &facts.suite, metadata, container, volumes, deadline);
    if run.as_root() {
        root(&mut pod);
        grant::give(run, &mut pod);
    }
    if let Some(spec) = &mut pod.spec {
        spec.init_containers = evidence::container(run, facts).map(|keeper| vec![keeper]);
    }
    pod
}

/// The pod of an attempt at listing the suite. It knows nothing of the instance, which may not answer yet.
pub fn build_list(run: &Validated, facts: &SuiteFacts, attempt: i32) -> Pod {
    let labels = [
        (labels::MANAGED_BY, labels::FIELD_MANAGER.to_owned()),
        (labels::PART_OF, "copr".to_owned()),
        (labels::COMPONENT, COMPONENT.to_owned()),
        (labels::RUN, run.name.clone()),
        (labels::SUITE_LIST, "true".to_owned()),
        (labels::ATTEMPT, attempt.to_string()),
    ];
    let metadata = ObjectMeta {
        name: Some(list_name(&run.name, attempt)),
        labels: Some(labels.map(|(key, value)| (key.to_owned(), value)).into()),
        ..ObjectMeta::default()
    };
    let variables = common(&facts.proxy).chain(git(run)).map(variable).collect();
    let container = Container {
        args: Some(vec!["run-test".into(), "--list".into()]),
        env: Some(variables),
        volume_mounts: Some(vec![mount(TMP_VOLUME, "/tmp")]),
        ..container(run, facts)
    };
    pod(run, facts, metadata, container, vec![scratch(TMP_VOLUME, TMP_SIZE)], LIST_DEADLINE_SECONDS)
}

/// Root of a user namespace, which is nobody on the node: for suites that install packages as a client does. The capabilities are
/// what dnf and rpm's scripts need, all of them within the baseline of Pod Security.
fn root(pod: &mut Pod) {
    let Some(spec) = &mut pod.spec else { return };
    spec.host_users = Some(false);
    let user = spec.security_context.get_or_insert_default();
    user.run_as_non_root = None;
    user.run_as_user = Some(0);
    for container in &mut spec.containers {
        let security = container.security_context.get_or_insert_default();
        let add = ROOT_CAPABILITIES.map(str::to_owned).to_vec();
        security.capabilities = Some(Capabilities { drop: Some(vec!["ALL".into()]), add: Some(add) });
    }
}

fn pod(
    run: &Validated,
    facts: &SuiteFacts,
    metadata: ObjectMeta,
    container: Container,
    volumes: Vec<Volume>,
    deadline_seconds: i64,
) -> Pod {
    let mut metadata = ObjectMeta {
        namespace: Some(run.namespace.clone()),
        owner_references: Some(vec![run.owner.clone()]),
        ..metadata
    };
    let mut spec = PodSpec {
        containers: vec![container],
        volumes: Some(volumes),
        restart_policy: Some("Never".into()),
        active_deadline_seconds: Some(deadline_seconds),
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
fn pod_labels(run: &Validated, test: &Test, attempt: i32) -> BTreeMap<String, String> {
    let exclusive = test.exclusive.then(|| (labels::EXCLUSIVE, "true".to_owned()));
    [
        (labels::MANAGED_BY, labels::FIELD_MANAGER.to_owned()),
        (labels::PART_OF, "copr".to_owned()),
        (labels::COMPONENT, COMPONENT.to_owned()),
        (labels::RUN, run.name.clone()),
        (labels::TEST, slug(&test.name)),
        (labels::ATTEMPT, attempt.to_string()),
        (labels::TESTED_INSTANCE, run.target.name.clone()),
    ]
    .into_iter()
    .chain(exclusive)
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

fn container(run: &Validated, facts: &SuiteFacts) -> Container {
    Container {
        name: CONTAINER.into(),
        image: Some(facts.image.clone()),
        image_pull_policy: Some(facts.pull_policy.into()),
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

fn env(run: &Validated, facts: &Facts, test: &Test, attempt: i32) -> Vec<EnvVar> {
    let previous: Vec<_> = (1..attempt).map(|before| run_id(&run.uid, &test.name, before)).collect();
    [
        ("FRONTEND_URL", facts.frontend_url.clone()),
        ("BACKEND_URL", facts.backend_url.clone()),
        ("DISTGIT_URL", facts.dist_git_url.clone()),
        ("CHROOT", facts.chroot.clone()),
        ("COPR_OWNER", facts.owner.clone()),
        ("VENDOR", facts.vendor.clone()),
        ("BUILDERS_MAX", facts.builders_max.to_string()),
        ("TEST_DEADLINE_SECONDS", test.deadline_seconds.to_string()),
        ("RUN_ID", run_id(&run.uid, &test.name, attempt)),
        // An attempt whose pod was lost has cleaned up nothing.
        ("PREVIOUS_RUN_IDS", previous.join(" ")),
        evidence::variable(),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .chain(common(&facts.suite.proxy))
    .chain(git(run))
    .map(variable)
    .collect()
}

pub(super) fn variable((name, value): (String, String)) -> EnvVar {
    EnvVar { name, value: Some(value), ..EnvVar::default() }
}

/// What every pod of a suite is told.
fn common(proxy: &[(String, String)]) -> impl Iterator<Item = (String, String)> {
    std::iter::once(("HOME".to_owned(), "/tmp".to_owned())).chain(proxy.iter().cloned())
}

/// Where the tests are, for a suite that gets them from a git repository: the commit, once the suite has said it.
fn git(run: &Validated) -> impl Iterator<Item = (String, String)> {
    let named = |git: &Git| {
        let path = git.path.as_ref().map(|path| ("SUITE_GIT_PATH", path));
        [("SUITE_GIT_URL", &git.url), ("SUITE_GIT_REF", &git.reference)]
            .into_iter()
            .chain(path)
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect::<Vec<_>>()
    };
    run.git.as_ref().map(named).into_iter().flatten()
}

/// Ten characters that no other attempt of any run has: projects of two runs on one instance, and of two
/// attempts of one run, must not meet.
fn run_id(uid: &str, test: &str, attempt: i32) -> String {
    hex::encode(&Sha256::digest(format!("{uid}/{test}/{attempt}"))[..5])
}

fn client(facts: &Facts) -> Volume {
    Volume {
        name: CLIENT_VOLUME.into(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(facts.client_secret.clone()),
            items: Some(vec![KeyToPath { key: "copr".into(), path: "copr".into(), mode: None }]),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}

pub(super) fn scratch(name: &str, size: &str) -> Volume {
    Volume {
        name: name.into(),
        empty_dir: Some(EmptyDirVolumeSource { size_limit: Some(Quantity(size.into())), medium: None }),
        ..Volume::default()
    }
}

fn mount(volume: &str, path: &str) -> VolumeMount {
    VolumeMount { name: volume.into(), mount_path: path.into(), ..VolumeMount::default() }
}

fn pull_secrets(facts: &SuiteFacts) -> Option<Vec<LocalObjectReference>> {
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
