//! An OpenID Connect provider with one client and one user, where pods reach it, until it's dropped.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result};

use crate::{Context, http::node_address};

/// The one user.
pub const USER: &str = "alice";
/// Its password.
pub const PASSWORD: &str = "correct-horse";
/// The one client.
pub const CLIENT: &str = "copr";
/// Its secret.
pub const SECRET: &str = "battery-staple";

/// The provider's process.
pub struct Provider {
    process: Child,
    /// Where its discovery document is.
    pub metadata_url: String,
}

impl Provider {
    /// Starts one on a free port of the node, which is this machine.
    pub async fn start(ctx: &Context, redirect: &str) -> Result<Self> {
        let address = node_address(ctx).await?;
        let program = program()?;
        let mut process = Command::new(&program)
            .args(["-listen", &format!("{address}:0"), "-redirect", redirect])
            .args(["-client", CLIENT, "-secret", SECRET])
            .args(["-user", USER, "-password", PASSWORD, "-email", "alice@example.org"])
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{}: this test needs the cluster of e2e/kube", program.display()))?;
        let mut metadata_url = String::new();
        let output = process.stdout.take().context("a process without output")?;
        BufReader::new(output).read_line(&mut metadata_url).context("the provider says nothing")?;
        Ok(Self { process, metadata_url: metadata_url.trim().to_owned() })
    }

    /// The URL of a path of it.
    pub fn url(&self, path: &str) -> String {
        self.metadata_url.replace("/.well-known/openid-configuration", path)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        for result in [self.process.kill(), self.process.wait().map(drop)] {
            if let Err(error) = result {
                eprintln!("failed to end the OpenID Connect provider: {error}");
            }
        }
    }
}

/// Beside the kubeconfig of the test cluster.
fn program() -> Result<PathBuf> {
    let kubeconfig = std::env::var_os("KUBECONFIG").context("KUBECONFIG isn't set")?;
    let folder = PathBuf::from(kubeconfig);
    Ok(folder.parent().context("KUBECONFIG is no path")?.join("bin/oidc"))
}
