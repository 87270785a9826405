//! The machine below the cluster, where that is e2e/kube's: its components can be killed.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};

/// Kills a component, such as `kube-apiserver`, without a chance to end well. The supervisor starts it again.
pub fn kill(component: &str) -> Result<()> {
    let file = state().join(format!("run/pids/{component}.pid"));
    let process = fs::read_to_string(&file).with_context(|| {
        format!("failed to read {}: this test needs the cluster of e2e/kube", file.display())
    })?;
    let status =
        Command::new("kill").args(["-KILL", process.trim()]).status().context("failed to run kill")?;
    ensure!(status.success(), "failed to kill {component}, process {}", process.trim());
    Ok(())
}

/// As in e2e/kube.
fn state() -> PathBuf {
    std::env::var_os("COPR_E2E_STATE").map_or_else(|| "/var/lib/copr-operator-e2e".into(), PathBuf::from)
}
