//! A small HTTP server, with or without TLS.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// With the query.
    pub path: String,
    pub authorization: String,
    /// Which bytes of a whole they are, if it's said.
    pub range: String,
    pub body: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

pub fn response(status: u16) -> Response {
    Response { status, headers: Vec::new(), body: Vec::new() }
}

impl Response {
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    #[must_use]
    pub fn error(self, code: &str) -> Self {
        self.body(json!({"errors": [{"code": code, "message": "a secret of the registry"}]}).to_string())
    }
}

impl Request {
    pub fn basic(&self) -> Option<String> {
        let decoded = BASE64_STANDARD.decode(self.authorization.strip_prefix("Basic ")?).ok()?;
        String::from_utf8(decoded).ok()
    }

    pub fn bearer(&self) -> Option<&str> {
        self.authorization.strip_prefix("Bearer ")
    }

    /// What was asked for, without the query.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }
}

/// A server that runs as long as the test.
#[derive(Clone)]
pub struct Server {
    pub host: String,
    pub requests: Arc<Mutex<Vec<Request>>>,
    pub connections: Arc<AtomicUsize>,
}

impl Server {
    pub async fn start(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self::start_with(None, handler).await
    }

    /// With a certificate that nobody knows.
    pub async fn start_tls(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Self::start_with(Some(TlsAcceptor::from(Arc::new(config))), handler).await
    }

    async fn start_with(
        tls: Option<TlsAcceptor>,
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("localhost:{}", listener.local_addr().unwrap().port());
        let server = Self { host, requests: Arc::default(), connections: Arc::default() };
        let (requests, connections) = (server.requests.clone(), server.connections.clone());
        let handler = Arc::new(handler);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (handler, requests, tls) = (handler.clone(), requests.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => talk(stream, &*handler, &requests).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => talk(stream, &*handler, &requests).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        server
    }

    /// `METHOD PATH` of everything that was asked.
    pub fn asked(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    pub fn count(&self, what: &str) -> usize {
        self.asked().iter().filter(|asked| asked.contains(what)).count()
    }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    handler: &(impl Fn(&Request) -> Response + ?Sized),
    requests: &Mutex<Vec<Request>>,
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk).await.ok()? {
                0 => return None,
                // As web servers say it to somebody who speaks TLS to them.
                n if buffer.is_empty() && chunk[0] == 0x16 => {
                    let _ = n;
                    stream
                        .write_all(
                            b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                        )
                        .await
                        .ok()?;
                    return None;
                }
                n => buffer.extend_from_slice(&chunk[..n]),
            }
        };
        let head = String::from_utf8(buffer[..end].to_vec()).ok()?;
        let header = |name: &str| {
            let found = head
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(':'))
                .find(|(n, _)| n.eq_ignore_ascii_case(name));
            found.map_or("", |(_, value)| value.trim()).to_owned()
        };
        let length: usize = header("content-length").parse().unwrap_or(0);
        while buffer.len() < end + length {
            let mut chunk = vec![0; 1 << 16];
            let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
            buffer.extend_from_slice(&chunk[..n]);
        }
        let mut words = head.split(' ');
        let request = Request {
            method: words.next()?.to_owned(),
            path: words.next()?.to_owned(),
            authorization: header("authorization"),
            range: header("content-range"),
            body: String::from_utf8_lossy(&buffer[end..end + length]).into_owned(),
            bytes: buffer[end..end + length].to_vec(),
        };
        buffer.drain(..end + length);
        let answer = handler(&request);
        let is_head = request.method == "HEAD";
        requests.lock().unwrap().push(request);
        let mut text = format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            text.extend([*name, ": ", value.as_str(), "\r\n"]);
        }
        text.push_str("\r\n");
        stream.write_all(text.as_bytes()).await.ok()?;
        if !is_head {
            stream.write_all(&answer.body).await.ok()?;
        }
    }
}
