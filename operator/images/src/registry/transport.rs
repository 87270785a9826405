//! Client required: requests to one registry, as whoever the credentials say, until there is an answer that means something.

mod login;

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use backon::{BackoffBuilder as _, ExponentialBuilder, Retryable as _};
use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, HeaderMap},
};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    Access, Error,
    answer::{self, Meaning},
    challenge::{Challenge, challenge},
    content::{Content, url},
    credentials::Login,
    name::Name,
};
use crate::http;

/// Manifests, configurations, lists of tags and tokens are some kilobytes.
const BODY_MAX: usize = 4 << 20;
/// How long what is large may take.
const LARGE: Duration = Duration::from_secs(600);
/// A registry that wants to be left alone for longer than this isn't waited for: that is for the next reconcile.
const PATIENCE: Duration = Duration::from_secs(5);
const TOKENS_MAX: usize = 256;
/// Requests to one registry at a time, whoever makes them.
const AT_A_TIME: usize = 8;

/// An answer, with as much of its body as is needed.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// A good answer to what is large: its body, of which nothing was read.
    pub rest: Option<Response>,
}

/// One registry, spoken to in one way.
pub struct Transport {
    access: Access,
    http: reqwest::Client,
    pauses: Pauses,
    permits: Semaphore,
    /// How the registry wants to be spoken to, or why that can't be found out; empty until the first request.
    base: tokio::sync::Mutex<Option<Result<Base, Failure>>>,
    greetings: AtomicU64,
    tokens: Mutex<Tokens>,
    /// When it may be asked again, if it said so.
    cooldown: Mutex<Option<(Instant, String)>>,
}

/// How long is waited before what passes is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// Between the tries of one question.
    pub between_tries: ExponentialBuilder,
    /// After somebody couldn't reach it: for everybody.
    pub when_unreachable: Duration,
}

/// Why the first request to a registry got no answer that can be used.
#[derive(Clone, Debug)]
enum Failure {
    PlainHttp,
    Away { why: String, retry_after: Option<Duration> },
}

#[derive(Clone, Debug)]
struct Base {
    scheme: &'static str,
    challenge: Challenge,
}

/// What a request is for.
pub(super) struct Asked<'a> {
    pub name: &'a Name,
    pub method: Method,
    /// What follows `/v2/REPOSITORY/`; or what a registry said where to go on: a path of its own host, or a URL.
    pub path: &'a str,
    /// What a token must allow, such as `pull`.
    pub actions: &'static str,
    pub accept: &'static str,
    pub content: Option<&'a Content>,
    /// The body of a good answer may have any size.
    pub is_large: bool,
}

impl<'a> Asked<'a> {
    /// For a blob, by `blobs/DIGEST`.
    pub fn blob(name: &'a Name, path: &'a str) -> Self {
        Self {
            name,
            method: Method::GET,
            path,
            actions: "pull",
            accept: super::ANYTHING,
            content: None,
            is_large: false,
        }
    }
}

/// Tokens, each with the time until which it is good, by login and scope.
type Tokens = HashMap<(Login, Option<String>), (String, Instant)>;

impl Transport {
    /// The connections are those of `http`.
    pub(super) fn new(access: Access, http: reqwest::Client, pauses: Pauses) -> Self {
        Self {
            access,
            http,
            pauses,
            permits: Semaphore::new(AT_A_TIME),
            base: tokio::sync::Mutex::default(),
            greetings: AtomicU64::new(0),
            tokens: Mutex::default(),
            cooldown: Mutex::default(),
        }
    }

    /// The answer to a request. What passes is tried again a few times; then it's an error, as is a refusal.
    pub(super) async fn ask(&self, asked: &Asked<'_>) -> Result<Answer, Error> {
        let answer = (async || self.attempt(asked).await)
            .retry(self.pauses.between_tries.build())
            .when(Error::passes)
            // A registry's `Retry-After` wins over the pause of the backoff.
            .adjust(|error: &Error, pause| match error.retry_after() {
                Some(wanted) if wanted > PATIENCE => None,
                wanted => pause.map(|pause| pause.max(wanted.unwrap_or_default())),
            })
            .await?;
        let (status, codes) = (answer.status, answer::codes(&answer.body));
        if answer::meaning(status, &codes) == Meaning::Denied {
            return Err(self.denied(asked.name, answer::words(status, &codes)).await);
        }
        Ok(answer)
    }

    async fn attempt(&self, asked: &Asked<'_>) -> Result<Answer, Error> {
        let name = asked.name;
        // The semaphore is never closed, so this never fails.
        let _permit = self.permits.acquire().await.ok();
        self.may_be_asked(name)?;
        let base = self.base(name).await?;
        let (login, _) = self.access.keyring.find(&name.host, &name.repository);
        let origin = format!("{}://{}", base.scheme, name.endpoint());
        let (url, is_own) = url(&origin, &name.repository, asked.path)
            .ok_or_else(|| refused(name, "it says to go on at something else than a URL".into()))?;
        let request = || {
            let request = self.http.request(asked.method.clone(), url.clone()).header(ACCEPT, asked.accept);
            let request = if asked.is_large { request.timeout(LARGE) } else { request };
            match asked.content {
                Some(content) => content.add_to(request),
                None => request,
            }
        };
        let scope = format!("repository:{}:{}", name.repository, asked.actions);
        // Credentials are for the registry, and not for whom it names.
        let signed = if is_own {
            self.signed(request(), name, &base.challenge, &login, Some(scope.clone())).await?
        } else {
            request()
        };
        let mut answer = self.read(name, signed, asked.is_large).await?;
        if answer.status == StatusCode::UNAUTHORIZED && is_own {
            // Either the token has expired meanwhile, or the registry asks for credentials on this path only: log in anew, once.
            self.tokens().retain(|(_, of), _| of.as_ref() != Some(&scope));
            let now = challenge(&answer.headers);
            if matches!(now, Challenge::Token { .. }) {
                let signed = self.signed(request(), name, &now, &login, Some(scope)).await?;
                answer = self.read(name, signed, asked.is_large).await?;
            }
        }
        let codes = answer::codes(&answer.body);
        if asked.content.is_some()
            && matches!(answer.status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::INSUFFICIENT_STORAGE)
        {
            return Err(Error::Full { image: name.text.clone(), why: answer::words(answer.status, &codes) });
        }
        if answer::meaning(answer.status, &codes) == Meaning::Passing {
            let retry_after = http::retry_after(&answer.headers, http::now());
            return Err(self.passing(name, answer::words(answer.status, &codes), retry_after));
        }
        Ok(answer)
    }

    /// How the registry wants to be spoken to. Requests that come while this is being found out wait, and get the same answer.
    async fn base(&self, name: &Name) -> Result<Base, Error> {
        let before = self.greetings.load(Ordering::Acquire);
        let mut base = self.base.lock().await;
        let known = match &*base {
            Some(Ok(known)) => Ok(known.clone()),
            Some(Err(failure)) if self.greetings.load(Ordering::Acquire) != before => Err(failure.clone()),
            _ => {
                let greeted = self.greet(name).await;
                self.greetings.fetch_add(1, Ordering::Release);
                base.insert(greeted).clone()
            }
        };
        known.map_err(|failure| match failure {
            Failure::PlainHttp => Error::PlainHttp { image: name.text.clone() },
            Failure::Away { why, retry_after } => self.passing(name, why, retry_after),
        })
    }

    /// Finds out whether the registry speaks TLS, and how its clients authenticate.
    async fn greet(&self, name: &Name) -> Result<Base, Failure> {
        let ping = async |scheme| {
            let request = self.http.get(format!("{scheme}://{}/v2/", name.endpoint()));
            request.send().await.map(|answer| (answer.status(), answer.headers().clone()))
        };
        let greeted = |scheme, (status, headers): (StatusCode, HeaderMap)| {
            if answer::meaning(status, &[]) == Meaning::Passing {
                let retry_after = http::retry_after(&headers, http::now());
                return Err(Failure::Away { why: answer::words(status, &[]), retry_after });
            }
            let challenge =
                if status == StatusCode::UNAUTHORIZED { challenge(&headers) } else { Challenge::Open };
            Ok(Base { scheme, challenge })
        };
        // The answers that only a registry gives. A server that expects TLS answers plain HTTP with 400 or 404, and isn't to be
        // taken for a registry without TLS.
        let is_registry = |status: StatusCode| {
            matches!(answer::meaning(status, &[]), Meaning::Fine | Meaning::Denied | Meaning::Passing)
        };
        let away = |why| Failure::Away { why, retry_after: None };
        let error = match ping("https").await {
            Ok(answer) => return greeted("https", answer),
            Err(error) => error,
        };
        if !self.access.insecure && !http::is_no_tls(&error) {
            return Err(away(unreachable(&error)));
        }
        match ping("http").await {
            Ok(answer) if is_registry(answer.0) && self.access.insecure => greeted("http", answer),
            Ok((status, _)) if is_registry(status) => Err(Failure::PlainHttp),
            Ok((status, _)) => {
                Err(away(format!("{}; over plain HTTP it answers {status}", unreachable(&error))))
            }
            Err(_) => Err(away(unreachable(&error))),
        }
    }

    async fn read(&self, name: &Name, request: RequestBuilder, is_large: bool) -> Result<Answer, Error> {
        let answer = request.send().await.map_err(|error| self.unreachable(name, &error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        if is_large && status.is_success() {
            return Ok(Answer { status, headers, body: Vec::new(), rest: Some(answer) });
        }
        match http::capped(answer, BODY_MAX).await {
            Ok(Some(body)) => Ok(Answer { status, headers, body, rest: None }),
            Ok(None) => Err(refused(name, format!("its answer is larger than {BODY_MAX} bytes"))),
            Err(error) => Err(self.unreachable(name, &error)),
        }
    }

    fn may_be_asked(&self, name: &Name) -> Result<(), Error> {
        let cooldown = self.cooldown.lock().unwrap_or_else(PoisonError::into_inner);
        match cooldown.as_ref().map(|(until, why)| (until.saturating_duration_since(Instant::now()), why)) {
            Some((left, why)) if !left.is_zero() => {
                Err(Error::Away { image: name.text.clone(), why: why.clone(), retry_after: Some(left) })
            }
            _ => Ok(()),
        }
    }

    fn passing(&self, name: &Name, why: String, retry_after: Option<Duration>) -> Error {
        if let Some(pause) = retry_after.filter(|pause| !pause.is_zero()) {
            // The pause counts for all instances that use this registry.
            let mut cooldown = self.cooldown.lock().unwrap_or_else(PoisonError::into_inner);
            *cooldown = Some((Instant::now() + pause, why.clone()));
        }
        Error::Away { image: name.text.clone(), why, retry_after }
    }

    fn unreachable(&self, name: &Name, error: &reqwest::Error) -> Error {
        self.passing(name, unreachable(error), Some(self.pauses.when_unreachable))
    }
}

/// The error for an answer that can't be used.
pub(super) fn refused(name: &Name, why: String) -> Error {
    Error::Refused { image: name.text.clone(), why }
}

fn unreachable(error: &reqwest::Error) -> String {
    let why = http::innermost(error);
    let hint = if http::is_distrusted(&why) {
        "; give the authority that signed it in registry.caConfigMap, or set registry.insecure"
    } else {
        ""
    };
    format!("can't be reached: {why}{hint}")
}
