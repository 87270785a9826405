//! An HTTP server on a socket, whose answers a test gives.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write as _},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// As it was sent: encoded, and with the query.
    pub path: String,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: String,
}

impl Request {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Method and path.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum Reply {
    /// An answer.
    Answer {
        /// Status.
        status: u16,
        /// Headers.
        headers: Vec<(&'static str, String)>,
        /// Body.
        body: Vec<u8>,
    },
    /// The connection stays, and nothing comes.
    Never,
    /// The connection ends instead.
    CutOff,
}

/// An answer without headers of its own.
pub fn reply(status: u16, body: impl Display) -> Reply {
    Reply::Answer { status, headers: Vec::new(), body: body.to_string().into_bytes() }
}

impl Reply {
    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_string()));
        }
        self
    }
}

/// A server that runs as long as the test.
#[derive(Clone)]
pub struct Server {
    /// Where it is.
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts one.
    pub async fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, handler).await
    }

    /// With a certificate that nobody knows, which comes with it.
    pub async fn start_tls(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (Self, String) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(config));
        (Self::start_with(Some(tls), handler).await, made.cert.pem())
    }

    async fn start_with(
        tls: Option<TlsAcceptor>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port());
        let server = Self { url, requests: Arc::default() };
        let (requests, handler) = (server.requests.clone(), Arc::new(handler));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (handler, requests, tls) = (handler.clone(), requests.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => talk(stream, handler, requests).await,
                        Some(tls) => talk(tls.accept(stream).await.ok()?, handler, requests).await,
                    }
                });
            }
        });
        server
    }

    /// Everything that was asked.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Method and path of everything that was asked.
    pub fn asked(&self) -> Vec<String> {
        self.requests().iter().map(Request::line).collect()
    }
}

/// One request each connection.
async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    handler: Arc<impl Fn(&Request) -> Reply>,
    requests: Arc<Mutex<Vec<Request>>>,
) -> Option<()> {
    let mut buffer = Vec::new();
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        stream.read_buf(&mut buffer).await.ok().filter(|read| *read > 0)?;
    };
    let head = String::from_utf8(buffer[..end].to_vec()).ok()?;
    let headers: BTreeMap<_, _> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < end + length {
        stream.read_buf(&mut buffer).await.ok().filter(|read| *read > 0)?;
    }
    let mut words = head.split(' ');
    let request = Request {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        headers,
        body: String::from_utf8(buffer[end..end + length].to_vec()).ok()?,
    };
    let reply = handler(&request);
    requests.lock().unwrap().push(request);
    match reply {
        Reply::Answer { status, headers, body } => {
            let mut text =
                format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                write!(text, "{name}: {value}\r\n").unwrap();
            }
            text.push_str("\r\n");
            stream.write_all(text.as_bytes()).await.ok()?;
            stream.write_all(&body).await.ok()?;
            stream.shutdown().await.ok()
        }
        Reply::Never => std::future::pending().await,
        Reply::CutOff => None,
    }
}
