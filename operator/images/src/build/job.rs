//! The Job that builds one image, and what it mounts. Pure.

use std::collections::BTreeMap;

use copr_operator_api::{
    images::Image,
    labels::{self, IMAGE_BUILD},
    v1alpha1::{InstalledPackage, Isolation, Packages, PodSettings, Registry},
};
use copr_operator_kernel::{
    isolation,
    resources::{Amounts, merge},
    scheduling,
};
use k8s_openapi::{
    api::{
        batch::v1::{
            Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
            PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
        },
        core::v1::{
            ConfigMapVolumeSource, Container, EmptyDirVolumeSource, ExecAction, KeyToPath,
            LocalObjectReference, PersistentVolumeClaimVolumeSource, PodSpec, PodTemplateSpec, Probe,
            ResourceRequirements, SecretVolumeSource, SecurityContext, Volume, VolumeMount,
        },
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{ObjectMeta, OwnerReference},
    },
};
use sha2::{Digest as _, Sha256};

use crate::{arch, names, resolve::expected::Expected};

/// What the names of all Jobs that build begin with.
pub const PREFIX: &str = "copr-image-";
/// The label of a Job and its pods: the hash of the inputs.
pub const HASH: &str = "copr.fedorainfracloud.org/input-hash";
/// The annotation of a Job: the image that it pushes.
pub const IMAGE: &str = "copr.fedorainfracloud.org/image";

/// Exit codes after which the same build would end alike: the packages can't be installed, or aren't any more what they were.
const FINAL: [i32; 2] = [1, 3];
/// How often a build is tried again that failed for another reason.
const RETRIES: i32 = 3;
/// How long a Job and its log are kept. One that failed is deleted before that when it's time for the next.
const TTL_SECONDS: i32 = 3600;
/// Hexadecimal digits of what a Job does, in its name.
const IDENTITY: usize = 12;

/// What buildah needs beside: packages set file capabilities.
const MORE_CAPABILITIES: [&str; 1] = ["SETFCAP"];

/// dnf with the metadata of a whole distribution, and buildah, which packs the layer and sends it.
const AMOUNTS: Amounts = Amounts { cpu: "100m", mebibytes: 512, most_cpu: "4", most_mebibytes: 4096 };
/// The base image and what is installed, once unpacked, once packed and once on its way: some GiB. Of this size the kubelet ends the build.
const STORAGE_SIZE: &str = "32Gi";

const REQUEST: &str = "/etc/copr-operator/build";
const CONTEXT: &str = "/etc/copr-operator/context";

/// A build that is to be started.
#[derive(Clone, Debug)]
pub struct Build<'a> {
    /// The image.
    pub image: Image,
    /// The hash of its inputs.
    pub hash: &'a str,
    /// What it starts from, by digest.
    pub from: &'a str,
    /// The packages that are in what it starts from.
    pub beneath: &'a [InstalledPackage],
    /// Name and namespace of the instance that needs it.
    pub instance: (&'a str, &'a str),
    /// The instance, as the owner of the Job.
    pub owner: &'a OwnerReference,
    /// What to build from.
    pub packages: &'a Packages,
    /// Where to push to.
    pub registry: &'a Registry,
    /// The image of the program that builds.
    pub builder: &'a str,
    /// Secrets for the pull of that image.
    pub pull_secrets: &'a [String],
    /// The key of `registry.caConfigMap` that has the authority.
    pub authority_key: &'a str,
    /// Whether the pod's own token logs in to the registry.
    pub token_auth: bool,
    /// What the spec says of requests and limits.
    pub resources: ResourceRequirements,
    /// Where the pod runs.
    pub settings: PodSettings,
    /// Environment variables by which it gets out of the cluster.
    pub proxy: Vec<(String, String)>,
    /// What the inputs were made from: nothing else may be installed from the repositories.
    pub expected: Option<&'a Expected>,
}

/// How long one image may take. What can't be read was refused at admission.
pub fn timeout(packages: &Packages) -> jiff::SignedDuration {
    packages.build.timeout.parse().unwrap_or(jiff::SignedDuration::from_mins(30))
}

/// The service account of builds of an instance.
pub fn service_account(instance: &str) -> String {
    format!("{instance}-{IMAGE_BUILD}")
}

impl Build<'_> {
    /// Name of the Job: it tells everything that the Job does and for whom, so that another spec is another Job.
    pub fn name(&self) -> String {
        // A Job always serializes, so the default is never used.
        let job = serde_json::to_string(&self.named("")).unwrap_or_default();
        let mut identity = hex::encode(Sha256::digest(format!("{job}\n{}", self.request(None))));
        identity.truncate(IDENTITY);
        format!("{PREFIX}{}-{identity}", self.image.folder())
    }

    /// The Job, suspended: what it mounts is made once it exists, so that both go together.
    pub fn job(&self) -> Job {
        self.named(&self.name())
    }

    fn named(&self, name: &str) -> Job {
        let (instance, namespace) = self.instance;
        let mut labels = labels::component(instance, IMAGE_BUILD);
        labels.insert(HASH.into(), self.hash.into());
        let metadata = ObjectMeta { labels: Some(labels), ..ObjectMeta::default() };
        let (mut of_pod, mut pod) = (metadata.clone(), self.pod(name));
        scheduling::apply(&self.settings, &mut of_pod, &mut pod);
        Job {
            metadata: ObjectMeta {
                name: Some(name.into()),
                namespace: Some(namespace.into()),
                annotations: Some(BTreeMap::from([(IMAGE.into(), self.reference())])),
                owner_references: Some(vec![self.owner.clone()]),
                ..metadata
            },
            spec: Some(JobSpec {
                suspend: Some(true),
                backoff_limit: Some(RETRIES),
                ttl_seconds_after_finished: Some(TTL_SECONDS),
                active_deadline_seconds: Some(self.timeout().as_secs()),
                pod_failure_policy: Some(failure_policy()),
                template: PodTemplateSpec { metadata: Some(of_pod), spec: Some(pod) },
                ..JobSpec::default()
            }),
            status: None,
        }
    }

    fn timeout(&self) -> jiff::SignedDuration {
        timeout(self.packages)
    }

    pub(super) fn reference(&self) -> String {
        names::reference(&self.registry.url, self.image, self.hash)
    }

    fn pod(&self, name: &str) -> PodSpec {
        let isolation = self.packages.build.isolation;
        let mut volumes = vec![
            config_map("request", name.into(), vec![path("request.json", "request.json", 0o644)]),
            config_map("context", name.into(), self.context_paths()),
            Volume {
                name: "storage".into(),
                empty_dir: Some(EmptyDirVolumeSource {
                    size_limit: Some(Quantity(STORAGE_SIZE.into())),
                    medium: None,
                }),
                ..Volume::default()
            },
        ];
        let mut mounts = vec![
            mount("request", REQUEST, true),
            mount("context", CONTEXT, true),
            mount("storage", "/var/lib/containers", false),
        ];
        for (volume, mounted) in self.optional_volumes() {
            mounts.push(mounted);
            volumes.push(volume);
        }
        PodSpec {
            containers: vec![Container {
                name: "build".into(),
                image: Some(self.builder.into()),
                args: Some(vec!["build-image".into()]),
                security_context: Some(rights(isolation)),
                termination_message_policy: Some("FallbackToLogsOnError".into()),
                readiness_probe: Some(gets_on()),
                resources: Some(merge(AMOUNTS.requirements(), Some(&self.resources))),
                env: (!self.proxy.is_empty()).then(|| scheduling::variables(&self.proxy).collect()),
                volume_mounts: Some(mounts),
                ..Container::default()
            }],
            volumes: Some(volumes),
            restart_policy: Some("Never".into()),
            host_users: isolation::host_users(isolation),
            service_account_name: Some(service_account(self.instance.0)),
            automount_service_account_token: Some(self.token_auth),
            enable_service_links: Some(false),
            image_pull_secrets: (!self.pull_secrets.is_empty()).then(|| {
                self.pull_secrets.iter().map(|name| LocalObjectReference { name: name.clone() }).collect()
            }),
            // The images are to run where the operator runs, and the base image's digest is of that architecture.
            node_selector: Some(BTreeMap::from([("kubernetes.io/arch".into(), arch::node_arch().into())])),
            security_context: Some(isolation::pod()),
            // A build that is ended leaves nothing that is worth saving.
            termination_grace_period_seconds: Some(1),
            ..PodSpec::default()
        }
    }

    fn optional_volumes(&self) -> Vec<(Volume, VolumeMount)> {
        let mut optional = Vec::new();
        if let Some(secret) = &self.registry.push_secret {
            let items = vec![path(".dockerconfigjson", ".dockerconfigjson", 0o400)];
            optional.push((
                secret_volume("push", &secret.name, Some(items)),
                mount("push", "/etc/copr-operator/push", true),
            ));
        }
        if let Some(authority) = &self.registry.ca_config_map {
            let volume =
                config_map("ca", authority.name.clone(), vec![path(self.authority_key, "ca.crt", 0o644)]);
            optional.push((volume, mount("ca", "/etc/copr-operator/ca", true)));
        }
        for (index, repository) in self.packages.repositories.iter().enumerate() {
            if let Some(secret) = &repository.credentials_secret {
                let name = format!("credentials-{index}");
                let folder = format!("/etc/copr-operator/credentials/{}", repository.name);
                optional.push((secret_volume(&name, &secret.name, None), mount(&name, &folder, true)));
            }
            if let Some(authority) = &repository.ca_config_map {
                let name = format!("authority-{index}");
                let folder = format!("/etc/copr-operator/authorities/{}", repository.name);
                let items = vec![path("ca.crt", "ca.crt", 0o644)];
                optional
                    .push((config_map(&name, authority.name.clone(), items), mount(&name, &folder, true)));
            }
        }
        if let Some(claim) = &self.packages.build.cache_claim {
            let volume = Volume {
                name: "cache".into(),
                persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                    claim_name: claim.clone(),
                    read_only: None,
                }),
                ..Volume::default()
            };
            optional.push((volume, mount("cache", "/cache", false)));
        }
        optional
    }
}

pub(super) fn path(key: &str, path: &str, mode: i32) -> KeyToPath {
    KeyToPath { key: key.into(), path: path.into(), mode: Some(mode) }
}

fn config_map(volume: &str, name: String, items: Vec<KeyToPath>) -> Volume {
    Volume {
        name: volume.into(),
        config_map: Some(ConfigMapVolumeSource {
            name,
            items: Some(items),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    }
}

fn secret_volume(volume: &str, name: &str, items: Option<Vec<KeyToPath>>) -> Volume {
    Volume {
        name: volume.into(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(name.into()),
            default_mode: Some(0o400),
            items,
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}

fn mount(volume: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: volume.into(),
        mount_path: path.into(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}

/// An evicted pod is none of the build's fault; what dnf says no to stays so.
fn failure_policy() -> PodFailurePolicy {
    PodFailurePolicy {
        rules: vec![
            PodFailurePolicyRule {
                action: "FailJob".into(),
                on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
                    operator: "In".into(),
                    values: FINAL.to_vec(),
                    container_name: None,
                }),
                on_pod_conditions: None,
            },
            PodFailurePolicyRule {
                action: "Ignore".into(),
                on_exit_codes: None,
                on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
                    type_: "DisruptionTarget".into(),
                    status: "True".into(),
                }]),
            },
        ],
    }
}

/// Nothing that a package brings gains rights by being setuid, unless the whole pod is privileged.
fn rights(isolation: Isolation) -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: (isolation == Isolation::UserNamespace).then_some(false),
        ..isolation::container(isolation, &MORE_CAPABILITIES)
    }
}

/// A build that waits for a registry or a mirror isn't ready, and the kubelet's event about that repeats what it waits for.
fn gets_on() -> Probe {
    Probe {
        exec: Some(ExecAction {
            command: Some(["sh", "-c", "! cat /run/build-image/waits 2>/dev/null"].map(Into::into).into()),
        }),
        period_seconds: Some(10),
        // Long enough for a busy node: a probe that times out would be reported as a build that waits.
        timeout_seconds: Some(10),
        failure_threshold: Some(1),
        ..Probe::default()
    }
}
