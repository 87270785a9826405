//! The Copr operator: complete Copr instances and verdicts of the sanity suite on Kubernetes. This crate wires the controllers to
//! the process.

mod app;
mod args;
mod probes;
mod telemetry;

use std::process::ExitCode;

use clap::Parser as _;
use copr_operator_kernel::report;

use args::{Args, Command, Evidence};

/// Names are looked up on threads that wait, one for each: a dozen hosts that don't exist made 200 of them.
const LOOKUPS: usize = 16;

fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(error) = telemetry::init(&args.log, args.log_json) {
        eprintln!("copr-operator: {}", report::chain(&error));
        return ExitCode::from(2);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(LOOKUPS).build();
    let program = async {
        match args.command {
            Some(Command::Evidence(Evidence::Keep)) => app::keep_evidence().await,
            None => app::run(&args).await,
        }
    };
    match runtime.map(|runtime| runtime.block_on(program)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            tracing::error!(error = %report::chain(&error), "The operator can't run");
            ExitCode::FAILURE
        }
        Err(error) => {
            tracing::error!(%error, "The operator can't have threads");
            ExitCode::FAILURE
        }
    }
}
