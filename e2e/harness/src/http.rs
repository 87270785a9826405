//! HTTP without TLS: as the registry of the test cluster speaks it, and as this machine speaks it to pods.

use std::{convert::Infallible, net::SocketAddr};

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{ACCEPT, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use k8s_openapi::api::core::v1::Node;
use kube::{Api, api::ListParams};
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

use crate::Context;

/// A web server of this machine, until it's dropped.
pub struct Server {
    /// Where pods reach it.
    pub address: SocketAddr,
    task: AbortHandle,
}

impl Server {
    /// Starts on a free port of the node, which is this machine.
    pub async fn start<F>(
        ctx: &Context,
        answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    ) -> Result<Self>
    where
        F: Future<Output = (StatusCode, Vec<u8>)> + Send + 'static,
    {
        let address = node_address(ctx).await?;
        let listener = TcpListener::bind((address.as_str(), 0)).await.with_context(|| {
            format!("failed to listen on {address}: this test needs the cluster of e2e/kube")
        })?;
        let address = listener.local_addr().context("a listener without an address")?;
        Ok(Self { address, task: tokio::spawn(serve(listener, answer)).abort_handle() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The address of the node, which is this machine: where its pods reach what listens here.
pub async fn node_address(ctx: &Context) -> Result<String> {
    let nodes: Api<Node> = Api::all(ctx.client.clone());
    let nodes = nodes.list(&ListParams::default()).await.context("failed to list nodes")?;
    let statuses = nodes.items.into_iter().filter_map(|node| node.status);
    let mut addresses = statuses.flat_map(|status| status.addresses.unwrap_or_default());
    let internal = addresses.find(|address| address.type_ == "InternalIP");
    Ok(internal.context("no node has an address")?.address)
}

async fn serve<F>(listener: TcpListener, answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static)
where
    F: Future<Output = (StatusCode, Vec<u8>)> + Send + 'static,
{
    // Connections end with the server.
    let mut connections = JoinSet::new();
    // A client that goes away is none of the server's business.
    while let Ok((stream, _)) = listener.accept().await {
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answered = answer(request);
            async move {
                let (status, content) = answered.await;
                let mut response = Response::new(Full::<Bytes>::from(content));
                *response.status_mut() = status;
                Ok::<_, Infallible>(response)
            }
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        while connections.try_join_next().is_some() {}
    }
}

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
