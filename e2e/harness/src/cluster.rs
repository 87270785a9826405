//! The machine below the cluster, where that is e2e/kube's: its components can be killed.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// Kills a component, such as `kube-apiserver`, without a chance to end well. The supervisor starts it again.
pub fn kill(component: &str) -> Result<()> {
    let process = process(&format!("pids/{component}"))?;
    let status = Command::new("kill").args(["-KILL", &process]).status().context("failed to run kill")?;
    ensure!(status.success(), "failed to kill {component}, process {process}");
    Ok(())
}

/// Kills a component, which stays dead until this is dropped: the supervisor is asleep meanwhile.
pub fn away(component: &str) -> Result<Away> {
    // Whatever ends the test closes the pipe that the shell reads, and the supervisor goes on.
    let script =
        "trap '' INT TERM HUP; kill -STOP $1 && kill -KILL $2 && echo away; read -r _; kill -CONT $1";
    let mut shell = Command::new("sh")
        .args(["-c", script, "sh", &process("supervisor")?, &process(&format!("pids/{component}"))?])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .context("failed to run sh")?;
    let output = shell.stdout.take().context("sh has no output")?;
    let away = Away(shell);
    let mut said = String::new();
    BufReader::new(output).read_line(&mut said).context("failed to read what sh says")?;
    ensure!(said == "away\n", "failed to kill {component}");
    Ok(away)
}

/// A component that is dead.
pub struct Away(Child);

impl Drop for Away {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        if let Err(error) = self.0.wait() {
            eprintln!("failed to wait for the shell that wakes the supervisor: {error}");
        }
    }
}

/// The process of that name.
fn process(name: &str) -> Result<String> {
    let file = state().join(format!("run/{name}.pid"));
    let process = fs::read_to_string(&file).with_context(|| {
        format!("failed to read {}: this test needs the cluster of e2e/kube", file.display())
    })?;
    Ok(process.trim().to_owned())
}

/// As in e2e/kube.
fn state() -> PathBuf {
    std::env::var_os("COPR_E2E_STATE").map_or_else(|| "/var/lib/copr-operator-e2e".into(), PathBuf::from)
}
