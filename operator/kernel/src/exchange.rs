//! Client required: one request to somebody whom a spec names, and what the answer means.

use std::time::Duration;

use copr_operator_api::v1alpha1::ConfigMapRef;
use jiff::Timestamp;
use reqwest::{
    Client, ClientBuilder, Method, StatusCode, Url,
    header::{HeaderMap, LOCATION},
    redirect::Policy,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    dependency,
    http::{self, asked_pause, innermost},
    report,
};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A page of comments, or of a pull request's files, is a few megabytes at most.
const BODY_MAX: usize = 16 << 20;
const REDIRECTS: usize = 4;
/// Of what a server says.
const WORDS_MAX: usize = 300;
/// After a rate limit that says no more than that it is one: GitHub asks for a minute at least.
const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(60);

/// A request.
#[derive(Debug)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, if it has one.
    pub body: Option<Vec<u8>>,
    /// Whether what the server says in its JSON is for people to read. Not of a URL that can be anything inside the cluster.
    pub quoted: bool,
}

/// A good answer.
#[derive(Debug)]
pub struct Answer {
    /// 2xx, or 304 to a request that named the version that is known.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// What is in it. What can't be read isn't quoted.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let at = (error.line(), error.column());
            Failure::refused(format!("the answer can't be read at line {}, column {}", at.0, at.1))
        })
    }
}

/// Why it wasn't done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It may go by itself.
    #[error("{words}")]
    Passing {
        /// What happened.
        words: String,
        /// How long the server wants to be left alone.
        pause: Option<Duration>,
    },
    /// Somebody has to do something.
    #[error("{words}")]
    Refused {
        /// What happened.
        words: String,
        /// The status, where a server has answered.
        status: Option<StatusCode>,
    },
}

impl Failure {
    /// Somebody has to do something, and no server said so.
    pub fn refused(words: impl Into<String>) -> Self {
        Self::Refused { words: words.into(), status: None }
    }

    /// It may go by itself, and nobody said when.
    pub fn passing(words: impl Into<String>) -> Self {
        Self::Passing { words: words.into(), pause: None }
    }

    /// Whether the server answered that.
    pub fn is(&self, code: StatusCode) -> bool {
        matches!(self, Self::Refused { status: Some(status), .. } if *status == code)
    }

    /// What a Secret or ConfigMap that can't be used means for what it's needed for.
    pub fn unusable(error: &dependency::Error) -> Self {
        let words = report::chain(error);
        match error {
            dependency::Error::Read { .. } => Self::passing(words),
            _ => Self::refused(words),
        }
    }

    /// The same without a secret that the server may have repeated.
    #[must_use]
    pub fn without(mut self, secret: &str) -> Self {
        let (Self::Passing { words, .. } | Self::Refused { words, .. }) = &mut self;
        if !secret.is_empty() {
            *words = words.replace(secret, "***");
        }
        self
    }
}

/// The client: proxies and certificates as everywhere, redirects by [`exchange`].
pub fn client() -> Result<Client, http::Error> {
    made(http::builder(TIMEOUT))
}

/// The same, or one that also trusts the authority in a ConfigMap.
pub async fn client_that_trusts(
    (cluster, namespace): (&kube::Client, &str),
    known: &Client,
    field: &'static str,
    authority: Option<&ConfigMapRef>,
) -> Result<Client, Failure> {
    let Some(authority) = authority else { return Ok(known.clone()) };
    let pem = dependency::authority(cluster, namespace, field, &authority.name, dependency::CA_KEY).await;
    let pem = pem.map_err(|error| Failure::unusable(&error))?;
    client_with(&pem).map_err(|error| Failure::refused(error.to_string()))
}

/// A client that also trusts these certificate authorities, in PEM.
pub fn client_with(authorities: &str) -> Result<Client, http::Error> {
    made(http::builder(TIMEOUT).tls_certs_merge(http::certificates(authorities)?))
}

fn made(builder: ClientBuilder) -> Result<Client, http::Error> {
    let made = builder.redirect(Policy::none()).build();
    made.map_err(|error| http::Error::Setup(innermost(&error)))
}

/// Sends the request, and reads the answer. A redirect is followed only within the same host, and if nothing is lost on the way: a POST
/// that becomes a GET would succeed without having done anything.
pub async fn exchange(http: &Client, outgoing: &Outgoing) -> Result<Answer, Failure> {
    let mut url = outgoing.url.clone();
    for _ in 0..=REDIRECTS {
        let mut request =
            http.request(outgoing.method.clone(), url.clone()).headers(outgoing.headers.clone());
        if let Some(body) = &outgoing.body {
            request = request.body(body.clone());
        }
        let answer = request.send().await.map_err(|error| unreachable(&url, error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            url = redirected(&outgoing.method, &url, status, &headers)?;
            continue;
        }
        let body = http::capped(answer, BODY_MAX).await.map_err(|error| unreachable(&url, error))?;
        let body = body.ok_or_else(|| {
            Failure::refused(format!("the answer of {} is larger than {BODY_MAX} bytes", host(&url)))
        })?;
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(Answer { status, headers, body });
        }
        let said = if outgoing.quoted { said(&body) } else { None };
        return Err(failure(&url, status, &headers, said.as_deref(), http::now()));
    }
    Err(Failure::refused(format!("{} redirects more than {REDIRECTS} times", host(&url))))
}

fn redirected(method: &Method, url: &Url, status: StatusCode, headers: &HeaderMap) -> Result<Url, Failure> {
    let refused = |words| Failure::Refused { words, status: Some(status) };
    let target = headers.get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
    let Some(target) = target else {
        return Err(refused(format!("{} answered {status} without saying whereto", host(url))));
    };
    if target.origin() != url.origin() {
        let (from, to) = (host(url), host(&target));
        return Err(refused(format!(
            "{from} redirects to {to}, which isn't followed: give its URL in the spec"
        )));
    }
    let keeps_method = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    if *method != Method::GET && !keeps_method {
        return Err(refused(format!(
            "{} answered {status} to a {method}: give the URL that it redirects to",
            host(url)
        )));
    }
    Ok(target)
}

fn failure(
    url: &Url,
    status: StatusCode,
    headers: &HeaderMap,
    said: Option<&str>,
    now: Timestamp,
) -> Failure {
    let limited = is_limited(status, headers, said);
    let words = match said {
        Some(said) => format!("{} answered {status}: {said}", host(url)),
        None => format!("{} answered {status}", host(url)),
    };
    let passes = limited || status.is_server_error() || matches!(status.as_u16(), 408 | 425);
    if !passes {
        return Failure::Refused { words, status: Some(status) };
    }
    let pause = asked_pause(headers, now)
        .or_else(|| limit_reset(headers, now))
        .or_else(|| limited.then_some(RATE_LIMIT_PAUSE));
    Failure::Passing { words, pause }
}

/// Whether too much was asked. GitHub says so of both its limits with 403, too.
fn is_limited(status: StatusCode, headers: &HeaderMap, said: Option<&str>) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::FORBIDDEN
            && (headers.contains_key("retry-after")
                || number(headers, "x-ratelimit-remaining") == Some(0)
                || said.is_some_and(|said| said.to_lowercase().contains("rate limit")))
}

/// When the limit is lifted, if it was reached.
fn limit_reset(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    number(headers, "x-ratelimit-remaining").filter(|left| *left == 0)?;
    let reset = Timestamp::from_second(number(headers, "x-ratelimit-reset")?).ok()?;
    Some(Duration::try_from(reset.duration_since(now)).unwrap_or_default())
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The message of an error in JSON: GitHub, Forgejo and GitLab have one.
fn said(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let text =
        ["message", "error_description", "error"].into_iter().find_map(|key| answer.get(key)?.as_str())?;
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Some(report::truncate(line.trim().to_owned(), WORDS_MAX)).filter(|line| !line.is_empty())
}

fn unreachable(url: &Url, error: reqwest::Error) -> Failure {
    // A URL may have a secret in its path.
    let error = error.without_url();
    Failure::passing(format!("{} can't be reached: {}", host(url), innermost(&error)))
}

/// Host and port, and nothing else: paths of webhooks are often secrets.
pub fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    }
}
