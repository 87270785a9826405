//! Client required: HTTP as the operator speaks it to everything but the API server.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{
    Certificate, ClientBuilder, RequestBuilder, Response,
    header::{HeaderMap, RETRY_AFTER},
};

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

/// How long an answer asks to be left alone: seconds, or a date. No longer than is reasonable.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    asked_pause(headers, now).map(|wanted| wanted.min(LONGEST_PAUSE))
}

/// The same, however long it is.
pub fn asked_pause(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

/// The moment at which an answer came.
#[expect(clippy::disallowed_methods, reason = "a server may say by a date when it's to be asked again")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The certificates of a file in PEM, of which it has at least one.
pub fn certificates(pem: &str) -> Result<Vec<Certificate>, Error> {
    let found = Certificate::from_pem_bundle(pem.as_bytes());
    let found = found.map_err(|error| Error::Setup(innermost(&error)))?;
    if found.is_empty() {
        return Err(Error::Setup("there is no certificate in PEM".into()));
    }
    Ok(found)
}

/// Whether a text is a file of certificates in PEM with at least one. Pure.
pub fn is_authority(pem: &str) -> Result<(), Error> {
    certificates(pem).map(drop)
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
    let more = authority.map(certificates).transpose()?;
    builder(timeout)
        .tls_certs_merge(more.unwrap_or_default())
        .tls_danger_accept_invalid_certs(anybody)
        .build()
        .map_err(setup)
}

/// What every client has: the time of a whole request, and the operator's name. Proxies are those of the environment.
pub fn builder(timeout: Duration) -> ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(5))
        .timeout(timeout)
        .user_agent(concat!("copr-operator/", env!("CARGO_PKG_VERSION")))
}

/// Sends the request; returns the body of a good answer, if it isn't too large.
pub async fn body(request: RequestBuilder, url: &str, max: usize) -> Result<Vec<u8>, Error> {
    let unreachable =
        |error: reqwest::Error| Error::Unreachable { url: url.to_owned(), why: innermost(&error) };
    let answer = request.send().await.map_err(unreachable)?;
    if !answer.status().is_success() {
        let retry_after = retry_after(answer.headers(), now());
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

/// Whether the server answered, but not by TLS.
pub fn is_no_tls(error: &reqwest::Error) -> bool {
    error.is_connect() && chain(error).any(is_corrupt)
}

/// Whether an error means that the other side doesn't speak TLS. `source()` of an I/O error skips the error that it wraps, so that
/// one is looked into here.
fn is_corrupt(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::{Error, ErrorKind};

    if let Some(io) = error.downcast_ref::<Error>() {
        // A server that expects plain HTTP may also close the connection, since it can't make sense of TLS.
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

/// Whether nobody that is trusted has signed the server's certificate, or it is another server's.
pub fn is_distrusted(why: &str) -> bool {
    why.contains("invalid peer certificate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_left_alone_as_long_as_it_says_but_not_for_ever() {
        let now: Timestamp = "2015-10-21T07:27:00Z".parse().unwrap();
        let pause = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(pause(" 7"), Some(Duration::from_secs(7)));
        assert_eq!(pause("86400"), Some(LONGEST_PAUSE));
        assert_eq!(pause("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(pause("Wed, 21 Oct 2015 07:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(pause("Sat, 21 Oct 2215 07:28:00 GMT"), Some(LONGEST_PAUSE));
        assert_eq!(pause("soon"), None);
    }
}
