//! Entry point of the operator.

use std::process::ExitCode;

use clap::Parser as _;
use copr_operator::{app, args::Args, report, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(error) = telemetry::init(&args.log, args.log_json) {
        eprintln!("copr-operator: {}", report::chain(&error));
        return ExitCode::from(2);
    }
    match app::run(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %report::chain(&error), "The operator can't run");
            ExitCode::FAILURE
        }
    }
}
