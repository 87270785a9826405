//! HTTP without TLS, as the registry of the test cluster speaks it.

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    header::{ACCEPT, CONTENT_TYPE},
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

/// The answer to a request for a URL. `media_type` is what is sent or what is wanted back.
pub async fn request(
    method: Method,
    url: &str,
    media_type: &str,
    body: Bytes,
) -> Result<(StatusCode, Bytes)> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let header = if method == Method::PUT { CONTENT_TYPE } else { ACCEPT };
    let request = Request::builder().method(method).uri(url).header(header, media_type);
    let request = request.body(Full::new(body)).with_context(|| format!("not a URL: {url}"))?;
    let answer = client.request(request).await.with_context(|| format!("{url} doesn't answer"))?;
    let status = answer.status();
    let body = answer.into_body().collect().await.with_context(|| format!("{url} was cut off"))?;
    Ok((status, body.to_bytes()))
}
