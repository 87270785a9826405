//! The container that gives to `kubectl logs` what Copr's daemons write into files, and keeps those files small.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;

use super::workload::{ContainerExt as _, SCRIPTS, container};

/// Name of the container.
pub(super) const NAME: &str = "logs";
const SCRIPT: &str = "follow-logs";
/// The kubelet ends the pod where a folder of logs gets larger. The container keeps each file below 16 MiB.
pub(super) const FOLDER_SIZE: &str = "2Gi";

/// Adds the script to a component's files.
pub(super) fn add_script(files: &mut BTreeMap<String, String>) {
    files.insert(SCRIPT.into(), include_str!("scripts/follow-logs").to_owned());
}

/// The container, for the logs of a folder that is the mount of a volume. `scripts` is the volume with the script, and
/// of `expiring`, a folder with a file per task, what is older than a month is deleted.
pub(super) fn follow(
    image: &str,
    scripts: &str,
    (volume, folder): (&str, &str),
    expiring: Option<&str>,
) -> Container {
    let script = format!("{SCRIPTS}/{SCRIPT}");
    let args: Vec<_> = ["python3", script.as_str(), folder].into_iter().chain(expiring).collect();
    container(NAME, image, &args).with_read_only(scripts, SCRIPTS).with_mount(volume, folder)
}
