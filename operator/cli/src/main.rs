//! `kubectl copr`: runs, their results and instances of Copr on the command line. What is told follows from statuses (`model`); what
//! speaks to the cluster is in `commands`, `cluster` and `watch`.

mod args;
mod clock;
mod cluster;
mod commands;
mod error;
mod model;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;

use args::Args;
use model::verdict::Exit;

fn main() -> ExitCode {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    // As kubectl calls what completes the words after "kubectl copr".
    if words.next().is_some_and(|program| program.ends_with("kubectl_complete-copr")) {
        // A shell that has gone completes nothing.
        _ = io::stdout().write_all(commands::complete(&words.collect::<Vec<_>>()).as_bytes());
        return ExitCode::SUCCESS;
    }
    let args = Args::parse();
    // The first one that is installed counts; this program installs one only.
    let installed = rustls::crypto::ring::default_provider().install_default();
    debug_assert!(installed.is_ok());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let exit = match runtime.map_err(error::Error::from) {
        Ok(runtime) => runtime.block_on(commands::run(args)),
        Err(error) => Err(error),
    };
    let exit = exit.unwrap_or_else(|error| {
        if !error.is_broken_pipe() {
            error::tell(&format!("error: {}", error.text()));
        }
        Exit::Trouble
    });
    ExitCode::from(exit as u8)
}
