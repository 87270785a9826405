//! Client required: HTTP as the operator speaks it to repositories and registries.

use std::time::Duration;

use reqwest::{Certificate, RequestBuilder, Response, header::RETRY_AFTER};

/// What went wrong. Never the content of an answer: whoever writes a URL into a spec must not read through the operator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client couldn't be made, for instance because of a bad certificate.
    #[error("failed to set up HTTP: {0}")]
    Setup(String),
    /// No answer.
    #[error("{url} can't be reached: {why}")]
    Unreachable {
        /// The URL.
        url: String,
        /// The innermost cause.
        why: String,
    },
    /// An answer that isn't the wanted one.
    #[error("{url} answered {status}")]
    Status {
        /// The URL.
        url: String,
        /// The status line.
        status: reqwest::StatusCode,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// More than was asked for.
    #[error("{url} is larger than {max} bytes")]
    TooLarge {
        /// The URL.
        url: String,
        /// The limit.
        max: usize,
    },
}

impl Error {
    /// How long the server wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// The longest pause that a server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// From the header's value in seconds. A date says nothing to whose clock differs.
fn pause(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(Duration::from_secs).map(|pause| pause.min(LONGEST_PAUSE))
}

/// A client that trusts the certificate authorities of the system and the given ones.
pub fn client(authority: Option<&str>, timeout: Duration) -> Result<reqwest::Client, Error> {
    client_that_trusts(authority, false, timeout)
}

/// The same, or one that trusts `anybody`. The time is that of a whole request, from its first byte to its answer's last.
pub fn client_that_trusts(
    authority: Option<&str>,
    anybody: bool,
    timeout: Duration,
) -> Result<reqwest::Client, Error> {
    let setup = |error: reqwest::Error| Error::Setup(innermost(&error));
    let more =
        authority.map(|pem| Certificate::from_pem_bundle(pem.as_bytes())).transpose().map_err(setup)?;
    reqwest::Client::builder()
        .tls_certs_merge(more.unwrap_or_default())
        .tls_danger_accept_invalid_certs(anybody)
        .connect_timeout(Duration::from_secs(5))
        .timeout(timeout)
        .user_agent(concat!("copr-operator/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(setup)
}

/// Sends the request; returns the body of a good answer, if it isn't too large.
pub async fn body(request: RequestBuilder, url: &str, max: usize) -> Result<Vec<u8>, Error> {
    let unreachable =
        |error: reqwest::Error| Error::Unreachable { url: url.to_owned(), why: innermost(&error) };
    let answer = request.send().await.map_err(unreachable)?;
    if !answer.status().is_success() {
        let retry_after =
            answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(pause);
        return Err(Error::Status { url: url.to_owned(), status: answer.status(), retry_after });
    }
    let body = capped(answer, max).await.map_err(unreachable)?;
    body.ok_or_else(|| Error::TooLarge { url: url.to_owned(), max })
}

/// The body of an answer; nothing if it's larger. No more of it than that is ever held.
pub async fn capped(mut answer: Response, max: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > max {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Whether somebody answered who doesn't speak TLS.
pub fn is_no_tls(error: &reqwest::Error) -> bool {
    error.is_connect() && chain(error).any(is_corrupt)
}

/// An I/O error isn't the source of what it wraps, so it's opened.
fn is_corrupt(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::{Error, ErrorKind};

    if let Some(io) = error.downcast_ref::<Error>() {
        // A server that closes the connection because it can't make sense of what it was sent is one, too.
        return matches!(io.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
            || io.get_ref().is_some_and(|inner| is_corrupt(inner));
    }
    matches!(error.downcast_ref(), Some(rustls::Error::InvalidMessage(_)))
}

fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// The cause at the end of the chain: "connection refused" rather than "error sending request".
pub fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    chain(error).last().unwrap_or(error).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_left_alone_as_long_as_it_says_but_not_for_ever() {
        assert_eq!(pause(" 7"), Some(Duration::from_secs(7)));
        assert_eq!(pause("86400"), Some(LONGEST_PAUSE));
        assert_eq!(pause("Fri, 31 Dec 1999 23:59:59 GMT"), None);
    }
}
