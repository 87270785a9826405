//! What the workloads of all components have in common.

use std::collections::BTreeMap;

use copr_operator_api::{
    component::{Component, Port, Service as Offered},
    labels,
};
use copr_operator_kernel::{platform::Platform, scheduling};
use k8s_openapi::{
    api::{
        apps::v1::{StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy},
        core::v1::{
            Capabilities, ConfigMap, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction,
            PodSecurityContext, PodSpec, PodTemplateSpec, Probe, SeccompProfile, Secret, SecretKeySelector,
            SecurityContext, Service, ServicePort, ServiceSpec, TCPSocketAction, Volume, VolumeMount,
        },
    },
    apimachinery::pkg::{
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};
use sha2::{Digest, Sha256};

use super::resources;
use crate::validate::Instance;

/// What a pod was made from, as a hash: its template, and the files that it reads at its start. Another one restarts it.
pub const TEMPLATE_HASH: &str = "copr.fedorainfracloud.org/template-hash";
/// The credentials that a pod was made with, as a hash.
pub const CREDENTIALS_HASH: &str = "copr.fedorainfracloud.org/credentials-hash";
/// What a container gets to end itself, unless its component says otherwise.
const GRACE_SECONDS: i64 = 30;
/// Where an instance's scripts are mounted.
pub(super) const SCRIPTS: &str = "/etc/copr-operator/scripts";

/// Metadata of an object of a component.
pub(super) fn metadata(instance: &Instance, name: &str, component: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(instance.object(name)),
        namespace: Some(instance.namespace.clone()),
        labels: Some(labels::component(&instance.name, component)),
        owner_references: Some(vec![instance.owner.clone()]),
        ..ObjectMeta::default()
    }
}

/// The parts of a component's pod that differ from component to component.
#[derive(Default)]
pub(super) struct Pod {
    pub(super) init: Vec<Container>,
    pub(super) containers: Vec<Container>,
    pub(super) volumes: Vec<Volume>,
    pub(super) share_process_namespace: bool,
    pub(super) service_account: Option<String>,
    /// How long its containers may take to end themselves.
    pub(super) grace_seconds: Option<i64>,
    /// Files whose change must restart the pod.
    pub(super) files: Vec<BTreeMap<String, String>>,
}

/// A component's workload. A StatefulSet, because it alone promises that a killed pod is gone before its
/// successor starts: two PostgreSQLs or two dispatchers on one volume corrupt it.
pub(super) fn stateful_set(instance: &Instance, component: Component, pod: Pod) -> StatefulSet {
    let name = component.name();
    let workload = instance.workloads.of(component);
    let proxy = if component.row().fetches { instance.proxy.as_slice() } else { &[] };
    let finish = |mut container: Container| {
        container.image_pull_policy = Some(instance.pull.policy.clone());
        container.security_context = Some(restricted());
        // With this the kubelet copies the last lines of the log of a container that failed into the pod's status, from where they
        // get into the condition.
        container.termination_message_policy = Some("FallbackToLogsOnError".into());
        container.resources = Some(resources::of(instance, component, &container.name));
        if !proxy.is_empty() {
            container.env.get_or_insert_default().extend(scheduling::variables(proxy));
        }
        container
    };
    let mut spec = PodSpec {
        init_containers: (!pod.init.is_empty()).then(|| pod.init.into_iter().map(finish).collect()),
        containers: pod.containers.into_iter().map(finish).collect(),
        volumes: (!pod.volumes.is_empty()).then_some(pod.volumes),
        share_process_namespace: pod.share_process_namespace.then_some(true),
        automount_service_account_token: Some(pod.service_account.is_some()),
        service_account_name: pod.service_account,
        enable_service_links: Some(false),
        image_pull_secrets: instance.pull.of_pod(),
        security_context: Some(pod_security(&instance.platform)),
        termination_grace_period_seconds: Some(pod.grace_seconds.unwrap_or(GRACE_SECONDS)),
        ..PodSpec::default()
    };
    let mut metadata_of_pod =
        ObjectMeta { labels: Some(labels::component(&instance.name, name)), ..ObjectMeta::default() };
    scheduling::apply(&workload.pod, &mut metadata_of_pod, &mut spec);
    let template = serde_json::to_string(&(&spec, &metadata_of_pod)).unwrap_or_default();
    let mut annotations = BTreeMap::from([
        (
            TEMPLATE_HASH.to_owned(),
            hash(pod.files.iter().flatten().chain([(&"template".to_owned(), &template)])),
        ),
        (CREDENTIALS_HASH.to_owned(), hash(instance.credentials.to_data().iter())),
    ]);
    if spec.containers.iter().any(|container| container.name == super::logs::NAME) {
        // What plain `kubectl logs POD` shows.
        annotations.insert("kubectl.kubernetes.io/default-container".into(), super::logs::NAME.into());
    }
    let own = metadata_of_pod.annotations.get_or_insert_default();
    for (key, value) in annotations {
        own.entry(key).or_insert(value);
    }
    StatefulSet {
        metadata: metadata(instance, name, name),
        spec: Some(StatefulSetSpec {
            replicas: Some(1),
            service_name: Some(instance.object(name)),
            selector: LabelSelector {
                match_labels: Some(labels::selector(&instance.name, name)),
                ..LabelSelector::default()
            },
            // With the default, OrderedReady, a pod that never becomes ready isn't replaced by the update that would mend it.
            pod_management_policy: Some("Parallel".into()),
            // When a pod is replaced is the operator's to decide (instance/rollout.rs): a running build may not be killed for it.
            update_strategy: Some(StatefulSetUpdateStrategy {
                type_: Some("OnDelete".into()),
                rolling_update: None,
            }),
            template: PodTemplateSpec { metadata: Some(metadata_of_pod), spec: Some(spec) },
            ..StatefulSetSpec::default()
        }),
        status: None,
    }
}

/// What OpenShift's restricted-v2 and Kubernetes' Pod Security level `restricted` ask of a container.
fn restricted() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".into()]), add: None }),
        ..SecurityContext::default()
    }
}

fn pod_security(platform: &Platform) -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
        // The images' users are in group 0. OpenShift assigns a group of its own and refuses this one.
        fs_group: (*platform == Platform::Kubernetes).then_some(0),
        fs_group_change_policy: Some("OnRootMismatch".into()),
        ..PodSecurityContext::default()
    }
}

fn hash<'a>(files: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let mut hasher = Sha256::new();
    for (name, content) in files {
        for part in [name, content] {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hex::encode(&hasher.finalize()[..16])
}

/// A container that runs `args` in the image, as the image's entry point says.
pub(super) fn container(name: &str, image: &str, args: &[&str]) -> Container {
    Container {
        name: name.into(),
        image: Some(image.into()),
        args: Some(args.iter().map(|&arg| arg.into()).collect()),
        ..Container::default()
    }
}

/// Builder-style additions to a container.
pub(super) trait ContainerExt {
    fn with_port(self, port: Port) -> Self;
    fn with_mount(self, volume: &str, path: &str) -> Self;
    fn with_read_only(self, volume: &str, path: &str) -> Self;
    fn with_file(self, volume: &str, key: &str, path: &str) -> Self;
    fn with_env(self, name: &str, value: &str) -> Self;
    fn with_secret_env(self, name: &str, secret: &str, key: &str) -> Self;
    fn with_readiness(self, probe: Probe) -> Self;
    fn with_liveness(self, probe: Probe) -> Self;
}

impl ContainerExt for Container {
    fn with_port(mut self, port: Port) -> Self {
        self.ports.get_or_insert_default().push(ContainerPort {
            name: Some(port.name.into()),
            container_port: port.number,
            protocol: Some("TCP".into()),
            ..ContainerPort::default()
        });
        self
    }

    fn with_mount(mut self, volume: &str, path: &str) -> Self {
        self.volume_mounts.get_or_insert_default().push(VolumeMount {
            name: volume.into(),
            mount_path: path.into(),
            ..VolumeMount::default()
        });
        self
    }

    fn with_read_only(mut self, volume: &str, path: &str) -> Self {
        self.volume_mounts.get_or_insert_default().push(VolumeMount {
            name: volume.into(),
            mount_path: path.into(),
            read_only: Some(true),
            ..VolumeMount::default()
        });
        self
    }

    fn with_file(mut self, volume: &str, key: &str, path: &str) -> Self {
        self.volume_mounts.get_or_insert_default().push(VolumeMount {
            name: volume.into(),
            mount_path: path.into(),
            sub_path: Some(key.into()),
            read_only: Some(true),
            ..VolumeMount::default()
        });
        self
    }

    fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.get_or_insert_default().push(EnvVar {
            name: name.into(),
            value: Some(value.into()),
            value_from: None,
        });
        self
    }

    fn with_secret_env(mut self, name: &str, secret: &str, key: &str) -> Self {
        self.env.get_or_insert_default().push(EnvVar {
            name: name.into(),
            value: None,
            value_from: Some(EnvVarSource {
                secret_key_ref: Some(SecretKeySelector {
                    name: secret.into(),
                    key: key.into(),
                    optional: None,
                }),
                ..EnvVarSource::default()
            }),
        });
        self
    }

    fn with_readiness(mut self, probe: Probe) -> Self {
        // Every two seconds, since everything else waits for a pod that starts to become ready.
        self.readiness_probe = Some(Probe { period_seconds: Some(2), failure_threshold: Some(3), ..probe });
        self
    }

    fn with_liveness(mut self, probe: Probe) -> Self {
        // A start that takes two seconds on a quiet node was seen to take minutes on a busy one. If the kubelet killed the server
        // meanwhile, it would start again and never come up.
        self.startup_probe =
            Some(Probe { period_seconds: Some(1), failure_threshold: Some(600), ..probe.clone() });
        self.liveness_probe = Some(Probe { period_seconds: Some(15), failure_threshold: Some(4), ..probe });
        self
    }
}

/// A probe that a GET is answered with 2xx or 3xx.
pub(super) fn http(path: &str, port: Port) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.into()),
            port: IntOrString::Int(port.number),
            ..HTTPGetAction::default()
        }),
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}

/// A probe that a port accepts connections.
pub(super) fn tcp(port: Port) -> Probe {
    Probe {
        tcp_socket: Some(TCPSocketAction { port: IntOrString::Int(port.number), host: None }),
        timeout_seconds: Some(2),
        ..Probe::default()
    }
}

/// The Services in front of a component's pods, with an address of each family that the cluster has.
pub(super) fn services(instance: &Instance, component: Component) -> Vec<Service> {
    component.row().services.iter().map(|offered| service(instance, component, offered)).collect()
}

fn service(instance: &Instance, component: Component, offered: &Offered) -> Service {
    let ports = offered.ports.iter().map(|port| ServicePort {
        name: Some(port.name.into()),
        port: port.number,
        target_port: Some(IntOrString::Int(port.number)),
        protocol: Some("TCP".into()),
        ..ServicePort::default()
    });
    Service {
        metadata: metadata(instance, offered.name, component.name()),
        spec: Some(ServiceSpec {
            selector: Some(labels::selector(&instance.name, component.name())),
            ports: Some(ports.collect()),
            ip_family_policy: Some("PreferDualStack".into()),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

/// A ConfigMap of a component.
pub(super) fn config_map(
    instance: &Instance,
    name: &str,
    component: &str,
    data: &BTreeMap<String, String>,
) -> ConfigMap {
    ConfigMap {
        metadata: metadata(instance, name, component),
        data: Some(data.clone()),
        ..ConfigMap::default()
    }
}

/// A Secret of a component.
pub(super) fn secret(
    instance: &Instance,
    name: &str,
    component: &str,
    data: &BTreeMap<String, String>,
) -> Secret {
    let bytes =
        data.iter().map(|(key, value)| (key.clone(), k8s_openapi::ByteString(value.clone().into_bytes())));
    Secret {
        metadata: metadata(instance, name, component),
        type_: Some("Opaque".into()),
        data: Some(bytes.collect()),
        ..Secret::default()
    }
}

/// Files by name.
pub(super) fn files<const N: usize>(files: [(&str, String); N]) -> BTreeMap<String, String> {
    files.into_iter().map(|(name, content)| (name.to_owned(), content)).collect()
}
