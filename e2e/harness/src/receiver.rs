//! What a webhook of the operator's sends, received where pods reach it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use http_body_util::BodyExt as _;
use hyper::{
    Request, StatusCode,
    body::{Bytes, Incoming},
};
use ring::hmac;

use crate::{Context, http::Server};

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
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    /// Starts on a free port of the node, which is this machine. So many requests are answered with 503 at first.
    pub async fn start(ctx: &Context, refusals: usize) -> Result<Self> {
        let state = Arc::new(Mutex::new(State { refusals_left: refusals, ..State::default() }));
        let received = Arc::clone(&state);
        let server = Server::start(ctx, move |request| answer(request, Arc::clone(&received))).await?;
        Ok(Self { server, state })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.server.address)
    }

    /// What it took, in the order in which it came.
    pub fn accepted(&self) -> Vec<Received> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).accepted.clone()
    }
}

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>) -> (StatusCode, Vec<u8>) {
    let signature = request.headers().get("x-copr-signature-256");
    let signature = signature.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let status = match request.into_body().collect().await {
        Ok(body) => take(Received { body: body.to_bytes(), signature }, &state),
        Err(_) => StatusCode::BAD_REQUEST,
    };
    (status, Vec::new())
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
