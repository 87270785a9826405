//! Logging.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// A log filter that can't be parsed.
#[derive(Debug, thiserror::Error)]
#[error("failed to parse the log filter {filter:?}")]
pub struct Error {
    filter: String,
    #[source]
    source: tracing_subscriber::filter::ParseError,
}

/// Starts logging to standard error.
pub fn init(filter: &str, json: bool) -> Result<(), Error> {
    let parsed = EnvFilter::try_new(filter).map_err(|source| Error { filter: filter.to_owned(), source })?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(std::io::stderr)
        // In a pod's log the codes of colours are noise.
        .with_ansi(std::io::stderr().is_terminal());
    if json {
        subscriber.json().init();
    } else {
        subscriber.init();
    }
    Ok(())
}
