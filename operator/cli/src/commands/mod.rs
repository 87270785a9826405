//! The commands: each reads what it needs of the cluster, and writes what the model makes of it.

mod artifacts;
mod cancel;
mod compare;
mod create;
mod describe;
mod login;
mod logs;
mod manual;
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
    match &args.command {
        Command::Run(run) if run.create.dry_run == Some(DryRun::Client) => {
            return create::dry_run(run, args.place.namespace, out);
        }
        Command::Completion(args) => return manual::completion(args, out),
        Command::Man(args) => return manual::man(args),
        _ => {}
    }
    let cluster = Cluster::connect(&args.place).await?;
    match args.command {
        Command::Run(args) => create::run(&cluster, &args, out).await,
        Command::Rerun(args) => create::rerun(&cluster, &args, out).await,
        Command::Compare(args) => compare::run(&cluster, &args, out).await,
        Command::Login(args) => login::run(&cluster, &args, out).await,
        Command::Watch(args) => watch::run(&cluster, &args, out).await,
        Command::Artifacts(args) => artifacts::run(&cluster, &args, out).await,
        Command::Results(args) => results::run(&cluster, &args, out).await,
        Command::Logs(args) => logs::run(&cluster, &args, out).await,
        Command::Cancel(args) => cancel::run(&cluster, &args, out).await,
        Command::Describe(args) => describe::run(&cluster, &args, out).await,
        _ => Err(Error::Said("not yet".into())),
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
