//! Redis, by the contract of the sclorg images.

use copr_operator_api::component::{Component, port};

use super::{
    Objects,
    volumes::{claim, claim_volume},
    workload::{ContainerExt as _, Pod, container, services, stateful_set, tcp},
};
use crate::validate::Instance;

pub(super) fn build(instance: &Instance) -> Objects {
    let component = Component::Redis;
    let name = component.name();
    let redis = container(name, &instance.workloads.redis.image, &["run-redis"])
        .with_port(port::REDIS)
        .with_mount("data", "/var/lib/redis/data")
        .with_readiness(tcp(port::REDIS));
    Objects {
        claims: vec![claim(instance, component)],
        services: services(instance, component),
        stateful_sets: vec![stateful_set(
            instance,
            component,
            Pod {
                containers: vec![redis],
                volumes: vec![claim_volume(instance, component)],
                // Redis writes its snapshot when it ends.
                grace_seconds: Some(60),
                ..Pod::default()
            },
        )],
        ..Objects::default()
    }
}
