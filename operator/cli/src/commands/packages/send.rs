//! Client required: a repository, sent into the pod that serves it.

use std::io;

use copr_operator_kernel::report;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::AttachParams, client::UpgradeConnectionError};
use tokio::io::{self as async_io, AsyncReadExt as _};

use super::{archive, folder::Repository};
use crate::model::packages::VOLUME;

/// What is repeated of what the pod says.
const WORDS_MAX: u64 = 1000;
const BUFFER: usize = 1 << 16;

#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("you may not run commands in pods (create and get pods/exec), which the ClusterRole edit allows")]
    Forbidden,
    #[error("{0}")]
    Failed(String),
    #[error("failed to read the packages: {0}")]
    Read(#[from] io::Error),
}

/// How a repository gets into a pod.
pub trait Sender {
    async fn send(&self, pod: &str, repository: &Repository) -> Result<(), SendError>;
}

/// By `kubectl exec`, as it were.
pub struct Exec(pub Api<Pod>);

impl Sender for Exec {
    async fn send(&self, pod: &str, repository: &Repository) -> Result<(), SendError> {
        let size = archive::size(repository)?.to_string();
        let command = ["sh", "-c", &archive::script(VOLUME), "receive", &size];
        let params = AttachParams {
            stdin: true,
            stdout: false,
            stderr: true,
            max_stdin_buf_size: Some(BUFFER),
            ..AttachParams::default()
        };
        let mut process = self.0.exec(pod, command, &params).await.map_err(refused)?;
        let (Some(mut stdin), Some(stderr), Some(status)) =
            (process.stdin(), process.stderr(), process.take_status())
        else {
            return Err(SendError::Failed("its input can't be had".into()));
        };
        let reading = async {
            let mut words = String::new();
            let mut stderr = stderr.take(WORDS_MAX);
            _ = stderr.read_to_string(&mut words).await;
            // What isn't read would stop everything.
            _ = async_io::copy(&mut stderr.into_inner(), &mut async_io::sink()).await;
            words
        };
        // The input stays open until the status is there: an older cluster takes its end for that of the connection.
        let (sent, words, status) = tokio::join!(archive::write(repository, &mut stdin), reading, status);
        match status {
            // It may have had enough before all was sent: somebody else has sent the same.
            Some(status) if status.status.as_deref() == Some("Success") => Ok(()),
            Some(status) => {
                let said = if words.trim().is_empty() { status.message.unwrap_or_default() } else { words };
                Err(SendError::Failed(said.trim().to_owned()))
            }
            None => {
                let why =
                    sent.err().map_or_else(|| "the connection was cut".into(), |error| error.to_string());
                Err(SendError::Failed(why))
            }
        }
    }
}

fn refused(error: kube::Error) -> SendError {
    match error {
        kube::Error::Api(status) if status.code == 403 => SendError::Forbidden,
        kube::Error::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(status)) if status == 403 => {
            SendError::Forbidden
        }
        error => SendError::Failed(report::chain(&error)),
    }
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, get};

    use super::*;
    use crate::commands::testing;

    #[tokio::test]
    async fn who_may_not_run_commands_is_told_so() {
        let exec = || get("/api/v1/namespaces/team/pods/p/exec");
        let said = async |exchange| {
            let start = async |cluster: &crate::cluster::Cluster, _: &mut dyn std::io::Write| {
                let params = AttachParams::default();
                refused(cluster.pods().exec("p", ["sh"], &params).await.err().unwrap()).to_string()
            };
            testing::run([exchange], start).await.0
        };
        assert!(
            said(exec().refuses(ApiServer::FORBIDDEN, "no")).await.contains("the ClusterRole edit allows")
        );
        assert_eq!(
            said(exec().refuses(ApiServer::NOT_FOUND, "pods \"p\" not found")).await,
            "pods \"p\" not found"
        );
    }
}
