//! Client required: questions to the API of a forge.

use reqwest::{
    Client, Method, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::exchange::{Answer, Failure, Outgoing, exchange};

/// Where the API of GitHub is.
pub const GITHUB: &str = "https://api.github.com";

/// An API, and as whom it's asked.
#[derive(Clone, Copy, Debug)]
pub struct Api<'a> {
    /// The client.
    pub http: &'a Client,
    /// Where the API starts.
    pub base: &'a Url,
    /// Who asks. None: nobody in particular.
    pub token: Option<&'a SecretString>,
    /// The block of the spec that all this is from, for messages.
    pub field: &'static str,
}

impl Api<'_> {
    /// A URL below the API's. A slash within a segment is no slash of the path.
    pub fn url(&self, segments: &[&str]) -> Result<Url, Failure> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut path) => drop(path.pop_if_empty().extend(segments)),
            Err(()) => return Err(Failure::refused(format!("{}.apiURL is no URL with a path", self.field))),
        }
        Ok(url)
    }

    /// Asks. The answer, good or bad, never has the token.
    pub async fn ask(&self, method: Method, url: Url, body: Option<Value>) -> Result<Answer, Failure> {
        self.send(method, url, body, HeaderMap::new()).await
    }

    /// Asks for what is other than in the version that is known by this ETag. If nothing is, the answer is 304.
    pub async fn ask_for_news(&self, url: Url, known: Option<&HeaderValue>) -> Result<Answer, Failure> {
        let headers = known.map(|known| (IF_NONE_MATCH, known.clone())).into_iter().collect();
        self.send(Method::GET, url, None, headers).await
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<Value>,
        mut headers: HeaderMap,
    ) -> Result<Answer, Failure> {
        if let Some(token) = self.token {
            headers.insert(AUTHORIZATION, self.authorization(token)?);
        }
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
        answer.map_err(|failure| match self.token {
            Some(token) => failure.without(token.expose_secret()),
            None => failure,
        })
    }

    /// All three forges know this form, and HTTP clients know that it isn't for other hosts.
    fn authorization(&self, token: &SecretString) -> Result<HeaderValue, Failure> {
        let value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()));
        let mut value = value.map_err(|_| {
            Failure::refused(format!(
                "{}.tokenSecret: its token has characters that no header may have",
                self.field
            ))
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}
