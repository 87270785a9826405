//! Client required: who a request is from, and why somebody was refused.

use std::sync::{MutexGuard, PoisonError};

use reqwest::{RequestBuilder, header::CONTENT_TYPE};
use tokio::time::Instant;

use super::{TOKENS_MAX, Tokens, Transport, refused};
use crate::{
    http,
    registry::{
        Error,
        answer::{self, Meaning},
        challenge::{Challenge, token_url},
        credentials::Login,
        name::Name,
        token::{self, Granted},
    },
};

impl Transport {
    /// The request, with what the challenge asks for.
    pub(super) async fn signed(
        &self,
        request: RequestBuilder,
        name: &Name,
        challenge: &Challenge,
        login: &Login,
        scope: Option<String>,
    ) -> Result<RequestBuilder, Error> {
        Ok(match (challenge, login) {
            (Challenge::Open, _) | (Challenge::Basic, Login::Anonymous | Login::Identity(_)) => request,
            (_, Login::Bearer(token)) => request.bearer_auth(token),
            (Challenge::Basic, Login::Basic(user, password)) => request.basic_auth(user, Some(password)),
            (Challenge::Token { realm, service }, _) => {
                match self.token(name, (realm, service.as_deref()), login, scope).await? {
                    Granted::Token(token) => request.bearer_auth(token),
                    Granted::Refused(words) => return Err(self.denied(name, words).await),
                }
            }
        })
    }

    async fn token(
        &self,
        name: &Name,
        (realm, service): (&str, Option<&str>),
        login: &Login,
        scope: Option<String>,
    ) -> Result<Granted, Error> {
        let key = (login.clone(), scope);
        if let Some((token, until)) = self.tokens().get(&key)
            && Instant::now() < *until
        {
            return Ok(Granted::Token(token.clone()));
        }
        let url = token_url(realm, service, key.1.as_deref())
            .ok_or_else(|| refused(name, "its token service has no URL".into()))?;
        let request = match login {
            Login::Identity(identity) => {
                let (url, form) = token::exchange(&url, identity);
                self.http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
            }
            Login::Basic(user, password) => self.http.get(url).basic_auth(user, Some(password)),
            Login::Anonymous | Login::Bearer(_) => self.http.get(url),
        };
        let answer = self.read(name, request, false).await?;
        let codes = answer::codes(&answer.body);
        let words = || format!("its token service answered {}", answer::words(answer.status, &codes));
        match answer::meaning(answer.status, &codes) {
            Meaning::Fine => {}
            Meaning::Passing => {
                return Err(self.passing(name, words(), http::retry_after(&answer.headers, http::now())));
            }
            Meaning::Denied | Meaning::NotThere | Meaning::Other => return Ok(Granted::Refused(words())),
        }
        let (token, life) = token::parse(&answer.body)
            .ok_or_else(|| refused(name, "its token service answered something else than a token".into()))?;
        let mut tokens = self.tokens();
        if tokens.len() >= TOKENS_MAX {
            tokens.clear();
        }
        tokens.insert(key, (token.clone(), Instant::now() + life));
        Ok(Granted::Token(token))
    }

    /// Why somebody was refused: because of who it is, or because of what was asked for.
    pub(super) async fn denied(&self, name: &Name, why: String) -> Error {
        let (login, asked) = self.access.keyring.find(&name.host, &name.repository);
        match Box::pin(self.knows(name, &login)).await {
            Ok(true) => {
                Error::Denied { image: name.text.clone(), why, asked, anonymous: login == Login::Anonymous }
            }
            Ok(false) => Error::Credentials { host: name.host.clone(), why, asked },
            Err(error) => error,
        }
    }

    /// Whether the registry takes user and password at all, as `docker login` finds out.
    async fn knows(&self, name: &Name, login: &Login) -> Result<bool, Error> {
        let base = self.base(name).await?;
        if *login == Login::Anonymous {
            return Ok(true);
        }
        if let (Challenge::Token { realm, service }, Login::Basic(..) | Login::Identity(_)) =
            (&base.challenge, login)
        {
            return Ok(match self.token(name, (realm, service.as_deref()), login, None).await? {
                Granted::Token(_) => true,
                Granted::Refused(_) => false,
            });
        }
        let request = self.http.get(format!("{}://{}/v2/", base.scheme, name.endpoint()));
        let answer = self.read(name, plainly_signed(request, login), false).await?;
        Ok(answer::meaning(answer.status, &answer::codes(&answer.body)) != Meaning::Denied)
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        // Each change is one insertion or removal, so the map is whole even if a thread panicked while it held the lock.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn plainly_signed(request: RequestBuilder, login: &Login) -> RequestBuilder {
    match login {
        Login::Basic(user, password) => request.basic_auth(user, Some(password)),
        Login::Bearer(token) => request.bearer_auth(token),
        Login::Anonymous | Login::Identity(_) => request,
    }
}
