//! The commands: each reads what it needs of the cluster, and writes what the model makes of it.

mod cancel;
mod describe;
mod logs;
mod results;
#[cfg(test)]
mod testing;
mod watch;

use std::io::{self, Write};

use crate::{
    args::{Args, Command},
    cluster::Cluster,
    error::Error,
    model::verdict::Exit,
};

/// Runs the command.
pub async fn run(args: Args) -> Result<Exit, Error> {
    let out = &mut io::stdout();
    let cluster = Cluster::connect(&args.place).await?;
    match args.command {
        Command::Watch(args) => watch::run(&cluster, &args, out).await,
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
