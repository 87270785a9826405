//! Client required: HTTP as the operator speaks it to repositories and registries.

use std::time::Duration;

use reqwest::{Certificate, RequestBuilder, header::RETRY_AFTER};

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
    let setup = |error: reqwest::Error| Error::Setup(innermost(&error));
    let more =
        authority.map(|pem| Certificate::from_pem_bundle(pem.as_bytes())).transpose().map_err(setup)?;
    reqwest::Client::builder()
        .tls_certs_merge(more.unwrap_or_default())
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
    let mut answer = request.send().await.map_err(unreachable)?;
    if !answer.status().is_success() {
        let retry_after =
            answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(pause);
        return Err(Error::Status { url: url.to_owned(), status: answer.status(), retry_after });
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > max {
            return Err(Error::TooLarge { url: url.to_owned(), max });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The cause at the end of the chain: "connection refused" rather than "error sending request".
pub fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
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
