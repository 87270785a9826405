//! Client required: an instance in words.

use std::io::Write;

use super::say;
use crate::{
    args::Describe,
    clock,
    cluster::Cluster,
    error::Error,
    model::{describe, verdict::Exit},
};

pub async fn run(cluster: &Cluster, args: &Describe, out: &mut dyn Write) -> Result<Exit, Error> {
    let instance = cluster.instance(&args.instance).await?;
    say(out, &describe::words(&instance, clock::now()))?;
    Ok(Exit::Fine)
}
