//! An HTTP server, with or without TLS, whose answers a test gives.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// What was asked.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    pub method: String,
    /// As it was sent: encoded, and with the query.
    pub path: String,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// As text.
    pub body: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl HttpRequest {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Method and path.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The path without the query.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// `user:password`.
    pub fn basic(&self) -> Option<String> {
        let decoded = BASE64_STANDARD.decode(self.header("authorization").strip_prefix("Basic ")?).ok()?;
        String::from_utf8(decoded).ok()
    }

    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization").strip_prefix("Bearer ")
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// An empty answer.
pub fn response(status: u16) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body: Vec::new() }
}

impl HttpResponse {
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// The body of a registry that refuses, after the OCI Distribution Specification.
    #[must_use]
    pub fn error(self, code: &str) -> Self {
        self.body(json!({"errors": [{"code": code, "message": "a secret of the registry"}]}).to_string())
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Answer(HttpResponse),
    /// The connection stays, and nothing comes.
    Never,
    /// The connection ends instead.
    CutOff,
}

/// An answer with that body.
pub fn reply(status: u16, body: impl Display) -> Reply {
    Reply::Answer(response(status).body(body.to_string()))
}

impl Reply {
    #[must_use]
    pub fn with(self, name: &'static str, value: impl Display) -> Self {
        match self {
            Self::Answer(response) => Self::Answer(response.with(name, value)),
            other => other,
        }
    }
}

impl From<HttpResponse> for Reply {
    fn from(response: HttpResponse) -> Self {
        Self::Answer(response)
    }
}

/// A server that runs as long as the test.
#[derive(Clone)]
pub struct HttpServer {
    /// Name and port.
    pub host: String,
    /// The same with its scheme.
    pub url: String,
    /// Its certificate in PEM, which nobody knows; empty without TLS.
    pub certificate: String,
    /// What was asked, in the order of the answers.
    pub requests: Arc<Mutex<Vec<HttpRequest>>>,
    /// How many connections were made.
    pub connections: Arc<AtomicUsize>,
}

impl HttpServer {
    pub async fn start<R: Into<Reply>>(handler: impl Fn(&HttpRequest) -> R + Send + Sync + 'static) -> Self {
        Self::start_with(None, handler).await
    }

    /// With TLS.
    pub async fn start_tls<R: Into<Reply>>(
        handler: impl Fn(&HttpRequest) -> R + Send + Sync + 'static,
    ) -> Self {
        let _ = ring::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let certificates = vec![made.cert.der().clone()];
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
        Self::start_with(Some((TlsAcceptor::from(Arc::new(config)), made.cert.pem())), handler).await
    }

    async fn start_with<R: Into<Reply>>(
        tls: Option<(TlsAcceptor, String)>,
        handler: impl Fn(&HttpRequest) -> R + Send + Sync + 'static,
    ) -> Self {
        let _ = ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("localhost:{}", listener.local_addr().unwrap().port());
        let (scheme, tls, certificate) = match tls {
            Some((tls, certificate)) => ("https", Some(tls), certificate),
            None => ("http", None, String::new()),
        };
        let url = format!("{scheme}://{host}");
        let server = Self { host, url, certificate, requests: Arc::default(), connections: Arc::default() };
        let (requests, connections) = (server.requests.clone(), server.connections.clone());
        let handler = Arc::new(move |request: &HttpRequest| handler(request).into());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (handler, requests, tls) = (handler.clone(), requests.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => talk(stream, handler, requests).await,
                        // A client that doesn't trust it ends the handshake.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                talk(stream, handler, requests).await;
                            }
                        }
                    }
                });
            }
        });
        server
    }

    /// What was asked.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap().clone()
    }

    /// Method and path of everything that was asked.
    pub fn asked(&self) -> Vec<String> {
        self.requests().iter().map(HttpRequest::line).collect()
    }

    /// How often something was asked of which that is a part.
    pub fn count(&self, what: &str) -> usize {
        self.asked().iter().filter(|asked| asked.contains(what)).count()
    }
}

/// The end of a connection, as hyper wants to hear it.
#[derive(Debug)]
struct CutOff;

impl Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut off")
    }
}

impl std::error::Error for CutOff {}

/// Answers until the client goes away, which is no failure of a test.
async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    handler: Arc<impl Fn(&HttpRequest) -> Reply + Send + Sync>,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
) {
    let service = service_fn(|request: hyper::Request<Incoming>| async {
        let request = read(request).await.ok_or(CutOff)?;
        let reply = handler(&request);
        requests.lock().unwrap().push(request);
        match reply {
            Reply::Answer(answer) => Ok(render(answer)),
            Reply::Never => std::future::pending().await,
            Reply::CutOff => Err(CutOff),
        }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn read(request: hyper::Request<Incoming>) -> Option<HttpRequest> {
    let (head, body) = request.into_parts();
    let bytes = body.collect().await.ok()?.to_bytes().to_vec();
    let headers = head.headers.iter();
    Some(HttpRequest {
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
        bytes,
    })
}

fn render(answer: HttpResponse) -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Full::from(answer.body)).unwrap()
}
