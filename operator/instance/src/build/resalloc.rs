//! Resalloc: hands out builders, which its hooks make as pods.

use copr_operator_api::component::{Component, port};
use k8s_openapi::api::{
    core::v1::{EnvVar, EnvVarSource, ObjectFieldSelector, ServiceAccount},
    rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject},
};

use super::{
    Objects, builder, config,
    volumes::{bounded_dir, claim, claim_volume, config_map_volume},
    workload::{ContainerExt as _, Pod, config_map, container, files, metadata, services, stateful_set, tcp},
};
use crate::validate::Instance;

/// The ConfigMap with the hooks and the manifests of builders.
const HOOKS_MAP: &str = "resalloc-hooks";
const HOOKS: &str = "/etc/copr-operator/hooks";
/// resalloc writes a file of a few lines for each builder, and they stay until it is restarted. When they reach this size the
/// kubelet ends the pod, and with it the builds that run, so the size is one that nobody reaches.
const LOGS: &str = "10Gi";
const SERVE: &str = "/etc/copr-operator/hooks/resalloc-serve";

pub(super) fn build(instance: &Instance) -> Objects {
    let component = Component::Resalloc;
    let name = component.name();
    let serve = include_str!("scripts/resalloc-serve").to_owned();
    // What resalloc reads at its start, so that a change has to restart it. It reads pools and hooks again each time that it uses
    // them: a change of those restarts nothing, and ends no build.
    let restarts = files([("server.yaml", config::server_yaml::render()), ("resalloc-serve", serve.clone())]);
    let conf = files([
        ("server.yaml", config::server_yaml::render()),
        ("pools.yaml", config::pools_yaml::render(instance)),
    ]);
    let mut hooks = files([
        ("builder-new", include_str!("scripts/builder-new").to_owned()),
        ("builder-check", include_str!("scripts/builder-check").to_owned()),
        ("builder-delete", include_str!("scripts/builder-delete").to_owned()),
        ("builder_pods.py", include_str!("scripts/builder_pods.py").to_owned()),
        ("resalloc-serve", serve),
    ]);
    for pool in &instance.pools {
        let manifest = serde_json::to_string_pretty(&builder::pod(instance, pool)).unwrap_or_default();
        hooks.insert(format!("builder-{}.json", pool.node_arch), manifest);
    }
    let mut server = container(name, &instance.workloads.resalloc.image, &["python3", SERVE])
        .with_port(port::RESALLOC)
        .with_env("COPR_INSTANCE", &instance.name)
        .with_env("BACKEND_POD", &format!("{}-0", instance.object(Component::Backend.name())))
        // The whole folder is mounted: the kubelet never updates a single file that is mounted by `subPath`.
        .with_read_only("config", "/etc/resallocserver")
        .with_read_only("hooks", HOOKS)
        .with_mount("data", "/var/lib/resallocserver")
        .with_mount("log", "/var/log/resallocserver")
        .with_readiness(tcp(port::RESALLOC));
    // The hooks make this pod the owner of the builders, so that the garbage collector deletes them with it.
    let own =
        [("POD_NAME", "metadata.name"), ("POD_UID", "metadata.uid"), ("POD_NAMESPACE", "metadata.namespace")];
    server.env.get_or_insert_default().extend(own.map(|(name, field)| downward(name, field)));
    Objects {
        service_accounts: vec![ServiceAccount {
            metadata: metadata(instance, name, name),
            automount_service_account_token: Some(false),
            ..ServiceAccount::default()
        }],
        roles: vec![role(instance)],
        role_bindings: vec![role_binding(instance)],
        config_maps: vec![
            config_map(instance, name, name, &conf),
            config_map(instance, HOOKS_MAP, name, &hooks),
        ],
        claims: vec![claim(instance, component)],
        services: services(instance, component),
        stateful_sets: vec![stateful_set(
            instance,
            component,
            Pod {
                containers: vec![server],
                volumes: vec![
                    config_map_volume(instance, "config", name),
                    config_map_volume(instance, "hooks", HOOKS_MAP),
                    // The backend waits for its tickets, so they must be there again after the pod was killed.
                    claim_volume(instance, component),
                    bounded_dir("log", LOGS),
                ],
                service_account: Some(instance.object(name)),
                files: vec![restarts],
                ..Pod::default()
            },
        )],
        ..Objects::default()
    }
}

fn downward(name: &str, field: &str) -> EnvVar {
    EnvVar {
        name: name.into(),
        value: None,
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector { field_path: field.into(), api_version: None }),
            ..EnvVarSource::default()
        }),
    }
}

fn role(instance: &Instance) -> Role {
    let name = Component::Resalloc.name();
    Role {
        metadata: metadata(instance, name, name),
        rules: Some(vec![
            rule("pods", &["create", "get", "delete"]),
            // builder-new reports a builder that can't be made by an event, which the operator watches and people see.
            rule("events", &["create"]),
            // builder-new reads the manifest of builders from the ConfigMap each time, since the mounted copy may be a minute old.
            PolicyRule {
                resource_names: Some(vec![instance.object(HOOKS_MAP)]),
                ..rule("configmaps", &["get"])
            },
        ]),
    }
}

fn rule(resource: &str, verbs: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec![resource.into()]),
        verbs: verbs.iter().map(|&verb| verb.into()).collect(),
        ..PolicyRule::default()
    }
}

fn role_binding(instance: &Instance) -> RoleBinding {
    let name = Component::Resalloc.name();
    RoleBinding {
        metadata: metadata(instance, name, name),
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".into(),
            kind: "Role".into(),
            name: instance.object(name),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".into(),
            name: instance.object(name),
            namespace: Some(instance.namespace.clone()),
            api_group: None,
        }]),
    }
}
