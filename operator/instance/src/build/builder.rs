//! What builder pods mount and run as. The pods themselves are made by resalloc's hooks, from the
//! manifest that [`pod`] makes.

use std::collections::BTreeMap;

use copr_operator_api::{
    component::{BUILDER, port},
    labels,
};
use copr_operator_kernel::{isolation, platform::Platform, scheduling};
use k8s_openapi::{
    api::core::v1::{
        ConfigMapVolumeSource, Container, Pod, PodSpec, Probe, SecretVolumeSource, ServiceAccount, Volume,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use super::{
    Objects, config, resources,
    volumes::bounded_dir,
    workload::{ContainerExt as _, config_map, files, metadata, secret, tcp},
};
use crate::{
    builders::look,
    validate::{Instance, Pool},
};

/// The ClusterRole of manifests/openshift that may use the builders' SCC.
const SCC_ROLE: &str = "copr-builder-scc";
/// The longest life of a builder's pod: six hours of waiting for a build (`IDLE_SECONDS` of builder-check), and the longest build
/// that Copr admits, thirty hours (MAX_BUILD_TIMEOUT).
const LIFETIME_SECONDS: i64 = 108_000 + 6 * 3600;

/// The size of podman's storage at which the kubelet ends the build. A builder fetches one image, of some hundred MiB unpacked.
const CONTAINERS_SIZE: &str = "10Gi";

pub(super) fn build(instance: &Instance) -> Objects {
    let keys = files([
        ("authorized_keys", format!("{}\n", instance.credentials.ssh.public)),
        ("ssh_host_ed25519_key", instance.credentials.builder_host.private.clone()),
        ("start", include_str!("scripts/builder-start").to_owned()),
    ]);
    let public = files([
        ("main.ini", config::main_ini::render(instance)),
        ("dist-git-client.ini", config::dist_git_client_ini::render(instance)),
    ]);
    Objects {
        service_accounts: vec![ServiceAccount {
            metadata: metadata(instance, BUILDER, BUILDER),
            automount_service_account_token: Some(false),
            ..ServiceAccount::default()
        }],
        role_bindings: (instance.platform != Platform::Kubernetes)
            .then(|| {
                let role = isolation::scc_role(instance.builders.isolation, SCC_ROLE);
                isolation::binding(metadata(instance, BUILDER, BUILDER), role, &instance.object(BUILDER))
            })
            .into_iter()
            .collect(),
        secrets: vec![secret(instance, BUILDER, BUILDER, &keys)],
        config_maps: vec![config_map(instance, BUILDER, BUILDER, &public)],
        jobs: look::jobs(instance),
        ..Objects::default()
    }
}

/// The manifest of a builder pod of a pool. The hook adds the name, and the resalloc pod as its owner.
pub fn pod(instance: &Instance, pool: &Pool) -> Pod {
    let isolated = ("COPR_BUILDER_ISOLATION".to_owned(), instance.builders.isolation.to_string());
    let builder = Container {
        name: BUILDER.into(),
        image: Some(instance.builders.image.clone()),
        args: Some(vec!["bash".into(), "/etc/copr-operator/builder/start".into()]),
        image_pull_policy: Some(instance.pull.policy.clone()),
        security_context: Some(isolation::container(instance.builders.isolation, &[])),
        termination_message_policy: Some("FallbackToLogsOnError".into()),
        resources: Some(resources::builder(instance)),
        env: Some(scheduling::variables(&[isolated]).chain(scheduling::variables(&instance.proxy)).collect()),
        readiness_probe: Some(Probe {
            period_seconds: Some(1),
            failure_threshold: Some(1),
            ..tcp(port::SSH)
        }),
        ..Container::default()
    }
    .with_port(port::SSH)
    .with_mount("containers", "/var/lib/containers")
    .with_read_only("keys", "/etc/copr-operator/builder")
    .with_file("public", "main.ini", "/etc/copr-rpmbuild/main.ini")
    .with_file("public", "dist-git-client.ini", "/etc/dist-git-client/copr-operator.ini");
    let mut metadata = ObjectMeta {
        namespace: Some(instance.namespace.clone()),
        labels: Some(labels::component(&instance.name, BUILDER)),
        annotations: Some(BTreeMap::from([(
            "cluster-autoscaler.kubernetes.io/safe-to-evict".into(),
            "false".into(),
        )])),
        ..ObjectMeta::default()
    };
    let mut spec = PodSpec {
        containers: vec![builder],
        volumes: Some(vec![
            keys_volume(instance),
            public_volume(instance),
            // Mock has podman fetch its bootstrap image. podman can't make an overlay on the overlay that is the container's root;
            // without this volume Mock would try for two minutes and then go on without the image.
            bounded_dir("containers", CONTAINERS_SIZE),
        ]),
        restart_policy: Some("Never".into()),
        host_users: isolation::host_users(instance.builders.isolation),
        service_account_name: Some(instance.object(BUILDER)),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        image_pull_secrets: instance.pull.of_pod(),
        node_selector: Some(BTreeMap::from([("kubernetes.io/arch".into(), pool.node_arch.into())])),
        security_context: Some(isolation::pod()),
        active_deadline_seconds: Some(LIFETIME_SECONDS),
        // sshd has nothing to save, so its end needn't be waited for.
        termination_grace_period_seconds: Some(1),
        ..PodSpec::default()
    };
    scheduling::apply(&instance.builders.pod, &mut metadata, &mut spec);
    Pod { metadata, spec: Some(spec), status: None }
}

/// sshd wants its host key readable by its own user only.
fn keys_volume(instance: &Instance) -> Volume {
    Volume {
        name: "keys".into(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(instance.object(BUILDER)),
            default_mode: Some(0o400),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}

fn public_volume(instance: &Instance) -> Volume {
    Volume {
        name: "public".into(),
        config_map: Some(ConfigMapVolumeSource {
            name: instance.object(BUILDER),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    }
}
