//! The init container that removes from Redis what an earlier pod left of its workers and locks.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;

use super::workload::{ContainerExt as _, SCRIPTS, container};
use crate::instance::validate::Instance;

const NAME: &str = "forget-workers";

/// Adds the script to a component's files.
pub(super) fn add_script(files: &mut BTreeMap<String, String>) {
    files.insert(NAME.into(), include_str!("scripts/forget-workers").to_owned());
}

/// The container, for the keys of these patterns. `volume` holds the files with the script.
pub(super) fn init(instance: &Instance, image: &str, volume: &str, patterns: &[&str]) -> Container {
    let (redis_host, redis_port) = instance.redis_address();
    let script = format!("{SCRIPTS}/{NAME}");
    let args = [&["python3", script.as_str()], patterns].concat();
    container(NAME, image, &args)
        .with_read_only(volume, SCRIPTS)
        .with_env("REDIS_HOST", &redis_host)
        .with_env("REDIS_PORT", &redis_port.to_string())
}
