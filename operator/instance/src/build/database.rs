//! PostgreSQL, by the contract of the sclorg images.

use copr_operator_api::component::{Component, port};
use k8s_openapi::api::core::v1::{ExecAction, Probe};

use super::{
    Objects,
    volumes::{claim, claim_volume},
    workload::{ContainerExt as _, Pod, container, files, secret, services, stateful_set},
};
use crate::validate::Instance;

const PASSWORD: &str = "password";

pub(super) fn build(instance: &Instance) -> Objects {
    let component = Component::Database;
    let name = component.name();
    let password = files([(PASSWORD, instance.credentials.database_password.clone())]);
    let ready = Probe {
        exec: Some(ExecAction {
            command: Some(
                ["pg_isready", "-q", "-h", "127.0.0.1", "-p", "5432", "-U", "copr-fe"].map(Into::into).into(),
            ),
        }),
        timeout_seconds: Some(5),
        ..Probe::default()
    };
    let postgresql = container(name, &instance.workloads.database.image, &["run-postgresql"])
        .with_port(port::DATABASE)
        .with_env("POSTGRESQL_USER", "copr-fe")
        .with_env("POSTGRESQL_DATABASE", "coprdb")
        .with_secret_env("POSTGRESQL_PASSWORD", &instance.object(name), PASSWORD)
        .with_mount("data", "/var/lib/pgsql/data")
        .with_readiness(ready);
    Objects {
        secrets: vec![secret(instance, name, name, &password)],
        claims: vec![claim(instance, component)],
        services: services(instance, component),
        stateful_sets: vec![stateful_set(
            instance,
            component,
            Pod {
                containers: vec![postgresql],
                volumes: vec![claim_volume(instance, component)],
                // PostgreSQL ends with a checkpoint, which writes everything that is only in memory to the disk.
                grace_seconds: Some(120),
                files: vec![password],
                ..Pod::default()
            },
        )],
        ..Objects::default()
    }
}
