//! What a webhook of the operator's sends, received where pods reach it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, StatusCode, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use ring::hmac;
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

use crate::{Context, repositories::node_address};

/// What was sent.
#[derive(Clone, Debug)]
pub struct Received {
    /// The body.
    pub body: Bytes,
    /// The header with its signature.
    signature: Option<String>,
}

impl Received {
    /// Whether the signature is that of this key.
    pub fn is_signed_with(&self, key: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let tag = hmac::sign(&key, &self.body);
        let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        self.signature.as_deref() == Some(&format!("sha256={tag}"))
    }
}

#[derive(Default)]
struct State {
    refusals_left: usize,
    accepted: Vec<Received>,
}

/// A web server, until it's dropped.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    server: AbortHandle,
}

impl Receiver {
    /// Starts on a free port of the node, which is this machine. So many requests are answered with 503 at first.
    pub async fn start(ctx: &Context, refusals: usize) -> Result<Self> {
        let address = node_address(ctx).await?;
        let listener = TcpListener::bind((address.as_str(), 0)).await;
        let listener = listener.with_context(|| format!("failed to listen on {address}"))?;
        let address = listener.local_addr().context("a listener without an address")?;
        let state = Arc::new(Mutex::new(State { refusals_left: refusals, ..State::default() }));
        let server = tokio::spawn(serve(listener, Arc::clone(&state))).abort_handle();
        Ok(Self { address, state, server })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What it took, in the order in which it came.
    pub fn accepted(&self) -> Vec<Received> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).accepted.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    // A client that goes away is none of the server's business.
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request: Request<_>| {
            let state = Arc::clone(&state);
            async move { Ok::<_, Infallible>(answer(request, &state).await) }
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(request: Request<hyper::body::Incoming>, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let signature = request.headers().get("x-copr-signature-256");
    let signature = signature.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = match request.into_body().collect().await {
        Ok(body) => take(Received { body: body.to_bytes(), signature }, state),
        Err(_) => StatusCode::BAD_REQUEST,
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn take(received: Received, state: &Mutex<State>) -> StatusCode {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(left) = state.refusals_left.checked_sub(1) {
        state.refusals_left = left;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    state.accepted.push(received);
    StatusCode::ACCEPTED
}
