//! The commands: each reads what it needs of the cluster, and writes what the model makes of it.

mod artifacts;
mod cancel;
mod compare;
mod create;
mod describe;
mod end;
mod evidence;
mod login;
mod logs;
mod manual;
mod packages;
mod preflight;
mod results;
#[cfg(test)]
mod testing;
mod watch;

use std::io::{self, Write};

pub use manual::complete;

use crate::{
    args::{Args, Command, DryRun},
    cluster::Cluster,
    error::Error,
    model::verdict::Exit,
};

/// Runs the command.
pub async fn run(args: Args) -> Result<Exit, Error> {
    let out = &mut io::stdout();
    let place = args.place;
    let cluster = || Cluster::connect(&place);
    match args.command {
        Command::Run(args) if args.create.dry_run == Some(DryRun::Client) => {
            create::dry_run(&args, place.namespace, out)
        }
        Command::Run(args) => Box::pin(create::run(&cluster().await?, &args, out)).await,
        Command::Rerun(args) => Box::pin(create::rerun(&cluster().await?, &args, out)).await,
        Command::Watch(args) => watch::run(&cluster().await?, &args, out).await,
        Command::Results(args) => results::run(&cluster().await?, &args, out).await,
        Command::Logs(args) => logs::run(&cluster().await?, &args, out).await,
        Command::Artifacts(args) => artifacts::run(&cluster().await?, &args, out).await,
        Command::Cancel(args) => cancel::run(&cluster().await?, &args, out).await,
        Command::Serve(args) => packages::run(&cluster().await?, &args, out).await,
        Command::Compare(args) => compare::run(&cluster().await?, &args, out).await,
        Command::Describe(args) => describe::run(&cluster().await?, &args, out).await,
        Command::Login(args) => login::run(&cluster().await?, &args, out).await,
        Command::Preflight(args) => preflight::run(&cluster().await?, &args, out).await,
        Command::Completion(args) => manual::completion(&args, out),
        Command::Man(args) => manual::man(&args),
    }
}

/// Text with a line's end.
fn say(out: &mut dyn Write, text: &str) -> Result<(), Error> {
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}
