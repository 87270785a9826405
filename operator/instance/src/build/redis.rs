//! Redis, by the contract of the sclorg images.

use copr_operator_api::names::Component;

use super::{
    Objects,
    volumes::{claim, claim_volume},
    workload::{ContainerExt as _, Pod, container, service, stateful_set, tcp},
};
use crate::{names::port, validate::Instance};

pub(super) fn build(instance: &Instance) -> Objects {
    let component = Component::Redis;
    let name = component.name();
    let redis = container(name, &instance.images.redis, &["run-redis"])
        .with_port("redis", port::REDIS)
        .with_mount("data", "/var/lib/redis/data")
        .with_readiness(tcp(port::REDIS));
    Objects {
        claims: vec![claim(instance, component, &instance.storage.redis)],
        services: vec![service(instance, name, component, &[("redis", port::REDIS)])],
        stateful_sets: vec![stateful_set(
            instance,
            component,
            Pod {
                containers: vec![redis],
                volumes: vec![claim_volume(instance, component)],
                // It writes its snapshot.
                grace_seconds: Some(60),
                ..Pod::default()
            },
        )],
        ..Objects::default()
    }
}
