//! What kstatus makes of an object: the library by which Flux and others wait.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use kube::Resource;
use serde::Serialize;

use crate::settings;

/// `Current`, `InProgress`, `Failed` or `Terminating`.
pub fn kstatus<K>(object: &K) -> Result<String>
where
    K: Resource + Serialize,
{
    let mut program = Command::new(settings::kstatus()?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("failed to start kstatus")?;
    // Its end closes the pipe.
    let mut input = program.stdin.take().context("no standard input")?;
    serde_json::to_writer(&mut input, object)?;
    input.write_all(b"\n")?;
    drop(input);
    let output = program.wait_with_output()?;
    ensure!(output.status.success(), "kstatus ended with {}", output.status);
    let line = String::from_utf8(output.stdout)?;
    let status = line.split('\t').nth(1).with_context(|| format!("no status in {line:?}"))?;
    Ok(status.to_owned())
}
