//! Client required: questions to the API of a forge.

use reqwest::{
    Client, Method, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::exchange::{Answer, Failure, Outgoing, exchange};

/// An API, and as whom it's asked.
#[derive(Clone, Copy)]
pub struct Api<'a> {
    pub http: &'a Client,
    pub base: &'a Url,
    pub token: &'a SecretString,
}

impl Api<'_> {
    /// A URL below the API's. A slash within a segment is no slash of the path.
    pub fn url(&self, segments: &[&str]) -> Result<Url, Failure> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut path) => drop(path.pop_if_empty().extend(segments)),
            Err(()) => return Err(Failure::refused("report.forge.apiURL is no URL with a path")),
        }
        Ok(url)
    }

    /// Asks. The answer, good or bad, never has the token.
    pub async fn ask(&self, method: Method, url: Url, body: Option<Value>) -> Result<Answer, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.authorization()?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // Others than GitHub don't mind.
        let version = HeaderName::from_static("x-github-api-version");
        headers.insert(version, HeaderValue::from_static("2022-11-28"));
        if body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let body = body.map(|body| body.to_string().into_bytes());
        let outgoing = Outgoing { method, url, headers, body, quoted: true };
        let answer = exchange(self.http, &outgoing).await;
        answer.map_err(|failure| failure.without(self.token.expose_secret()))
    }

    /// All three forges know this form, and HTTP clients know that it isn't for other hosts.
    fn authorization(&self) -> Result<HeaderValue, Failure> {
        let value = HeaderValue::from_str(&format!("Bearer {}", self.token.expose_secret()));
        let mut value = value.map_err(|_| {
            Failure::refused("report.forge.tokenSecret: its token has characters that no header may have")
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}
