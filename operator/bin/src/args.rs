//! Command line of the operator.

use std::{net::SocketAddr, num::NonZeroUsize};

use clap::{Parser, Subcommand};

/// A release names the commit that it was built from.
pub const VERSION: &str = match option_env!("COPR_OPERATOR_VERSION") {
    Some(version) => version,
    None => concat!(env!("CARGO_PKG_VERSION"), " (no release)"),
};

/// Runs Copr instances and their test runs on Kubernetes.
#[derive(Parser, Clone, Debug)]
#[command(version = VERSION)]
pub struct Args {
    /// Address of /healthz and /readyz. `[::]` is every address of both families.
    #[arg(long, env = "COPR_OPERATOR_HEALTH_ADDRESS", default_value = "[::]:8080")]
    pub health_address: SocketAddr,

    /// Image of images/image-builder, whose pods build images from packages. Without it, instances can only have
    /// prebuilt images.
    #[arg(long, env = "COPR_OPERATOR_IMAGE_BUILDER")]
    pub image_builder: Option<String>,

    /// How many test runs of a namespace may go on at a time; the others wait in a queue, the oldest first. Without it there is no
    /// limit but the cluster's own.
    #[arg(long, env = "COPR_OPERATOR_RUNS_AT_A_TIME")]
    pub runs_at_a_time: Option<NonZeroUsize>,

    /// The operator's own namespace, where it keeps its notes.
    #[arg(long, env = "POD_NAMESPACE", default_value = "copr-operator")]
    pub namespace: String,

    /// What to log, in the syntax of tracing's EnvFilter.
    #[arg(long, env = "RUST_LOG", default_value = "info,kube=warn,rustls_platform_verifier=off")]
    pub log: String,

    /// Log JSON, one object a line.
    #[arg(long, env = "COPR_OPERATOR_LOG_JSON")]
    pub log_json: bool,

    /// What else this program is; without a command it is the operator.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the operator's image does in pods that the operator makes.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Keeps the evidence of tests.
    #[command(subcommand)]
    Evidence(Evidence),
}

/// What is done for evidence.
#[derive(Subcommand, Clone, Copy, Debug)]
pub enum Evidence {
    /// Waits for SIGTERM, then pushes what the test of this pod has left.
    Keep,
}

#[cfg(test)]
mod tests {
    use copr_operator_api::evidence::COMMAND;

    use super::*;

    #[test]
    fn the_container_of_a_tests_pod_is_called_as_the_program_understands() {
        let args = Args::try_parse_from([&["copr-operator"], &COMMAND[..]].concat()).unwrap();
        assert!(matches!(args.command, Some(Command::Evidence(Evidence::Keep))));
        assert!(Args::try_parse_from(["copr-operator"]).unwrap().command.is_none());
    }
}
