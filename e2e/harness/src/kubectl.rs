//! kubectl, as users have it.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::Context;

/// Runs it in the namespace of the test; returns what it prints. It fails if kubectl does.
pub fn kubectl(ctx: &Context, arguments: &[&str]) -> Result<String> {
    // What another kubectl remembers of the API server may be older than the CRDs.
    let cache = tempfile::tempdir()?;
    let output = Command::new("kubectl")
        .arg("--cache-dir")
        .arg(cache.path())
        .args(["--namespace", &ctx.namespace])
        .args(arguments)
        .output()
        .context("failed to start kubectl")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kubectl {arguments:?} ended with {}: {said}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}
