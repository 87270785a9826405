//! Redis remembers Copr's workers and locks by PID; what is dead is removed before somebody takes it for alive.
//!
//! Workers are removed whenever the container of their dispatcher starts: the one before took them along. Locks belong
//! to processes of several containers, so they are removed when the pod starts.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;

use super::workload::{ContainerExt as _, SCRIPTS, container};
use crate::validate::Instance;

const NAME: &str = "forget-workers";
/// Below [`SCRIPTS`].
const SCRIPT: &str = "/etc/copr-operator/scripts/forget-workers";

/// Adds the script to a component's files.
pub(super) fn add_script(files: &mut BTreeMap<String, String>) {
    files.insert(NAME.into(), include_str!("scripts/forget-workers").to_owned());
}

/// The init container, for the keys of these patterns. `volume` holds the files with the script.
pub(super) fn init(instance: &Instance, image: &str, volume: &str, patterns: &[&str]) -> Container {
    with_redis(instance, volume, container(NAME, image, &args(patterns, &[])))
}

/// A dispatcher's container, which first removes the workers of this pattern: those of the container before it.
pub(super) fn dispatcher(
    instance: &Instance,
    image: &str,
    volume: &str,
    (name, command): (&str, &[&str]),
    workers: &str,
) -> Container {
    with_redis(instance, volume, container(name, image, &args(&[workers], command)))
}

fn args<'a>(patterns: &[&'a str], command: &[&'a str]) -> Vec<&'a str> {
    let separator: &[&str] = if command.is_empty() { &[] } else { &["--"] };
    [&["python3", SCRIPT], patterns, separator, command].concat()
}

fn with_redis(instance: &Instance, volume: &str, container: Container) -> Container {
    let (redis_host, redis_port) = instance.redis_address();
    container
        .with_read_only(volume, SCRIPTS)
        .with_env("REDIS_HOST", &redis_host)
        .with_env("REDIS_PORT", &redis_port.to_string())
}
