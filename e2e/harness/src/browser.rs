//! As much of a browser as a login takes: cookies, redirects and forms, without TLS. Hosts that end in `.test` are where the
//! cluster's Ingress controller listens, as if a DNS said so.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, StatusCode, Uri,
    body::Bytes,
    header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE},
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

use crate::{Context, http::node_address};

const REDIRECTS: usize = 10;

/// What was found in the end.
#[derive(Debug)]
pub struct Page {
    /// Where.
    pub url: String,
    /// How it was answered.
    pub status: StatusCode,
    /// The text.
    pub text: String,
}

impl Page {
    /// The value of the form's field of that name.
    pub fn field(&self, name: &str) -> Result<&str> {
        let after = self.text.split_once(&format!("name=\"{name}\"")).map(|(_, after)| after);
        let value = after.and_then(|after| after.split_once("value=\"")?.1.split_once('"'));
        Ok(value.with_context(|| format!("no field {name} in {self:?}"))?.0)
    }
}

/// Keeps cookies by host. Requests for hosts in `.test` go to `server`.
pub struct Browser {
    server: String,
    headers: Vec<(&'static str, String)>,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Browser {
    /// One without cookies.
    pub async fn new(ctx: &Context) -> Result<Self> {
        Ok(Self::behind(node_address(ctx).await?, Vec::new()))
    }

    /// One without cookies behind a proxy, which sends on each request to this address with these headers.
    pub fn behind(server: String, headers: Vec<(&'static str, String)>) -> Self {
        Self { server, headers, cookies: BTreeMap::new() }
    }

    /// Goes to a URL, and on to where it leads.
    pub async fn get(&mut self, url: &str) -> Result<Page> {
        self.go(Method::GET, url, Bytes::new()).await
    }

    /// Submits a form.
    pub async fn submit(&mut self, url: &str, fields: &[(&str, &str)]) -> Result<Page> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.go(Method::POST, url, body.into()).await
    }

    async fn go(&mut self, mut method: Method, url: &str, mut body: Bytes) -> Result<Page> {
        let mut url = url.to_owned();
        for _ in 0..REDIRECTS {
            let (page, location) = self.once(&method, &url, body).await?;
            let Some(location) = location else { return Ok(page) };
            url = resolved(&url, &location)?;
            method = Method::GET;
            body = Bytes::new();
        }
        bail!("{url}: more than {REDIRECTS} redirects")
    }

    async fn once(&mut self, method: &Method, url: &str, body: Bytes) -> Result<(Page, Option<String>)> {
        let uri: Uri = url.parse().with_context(|| format!("not a URL: {url}"))?;
        let host = uri.authority().with_context(|| format!("no host in {url}"))?.to_string();
        ensure!(uri.scheme_str() == Some("http"), "{url}: this browser knows no TLS");
        let server = if host.rsplit('.').next() == Some("test") { &self.server } else { &host };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request =
            Request::builder().method(method).uri(format!("http://{server}{path}")).header(HOST, &host);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if *method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let cookies = self.cookies.entry(host).or_default();
        if !cookies.is_empty() {
            let all: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, all.join("; "));
        }
        let request = request.body(Full::new(body)).with_context(|| format!("not a request: {url}"))?;
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let answer = client.request(request).await.with_context(|| format!("{url} doesn't answer"))?;
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().with_context(|| format!("{url}: a cookie that is no text"))?;
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.with_context(|| format!("{url}: not a cookie: {cookie}"))?;
            cookies.insert(name.trim().to_owned(), value.trim().to_owned());
        }
        let status = answer.status();
        let location = answer.headers().get(LOCATION).filter(|_| status.is_redirection());
        let location = location.map(|location| location.to_str().map(str::to_owned)).transpose();
        let location = location.with_context(|| format!("{url}: a location that is no text"))?;
        let body = answer.into_body().collect().await.with_context(|| format!("{url} was cut off"))?;
        let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok((Page { url: url.to_owned(), status, text }, location))
    }
}

/// Where a location leads from a URL.
fn resolved(from: &str, location: &str) -> Result<String> {
    if location.starts_with("http") {
        return Ok(location.to_owned());
    }
    ensure!(location.starts_with('/'), "{from} leads to {location}, which this browser can't follow");
    let uri: Uri = from.parse().with_context(|| format!("not a URL: {from}"))?;
    let host = uri.authority().with_context(|| format!("no host in {from}"))?;
    Ok(format!("http://{host}{location}"))
}
