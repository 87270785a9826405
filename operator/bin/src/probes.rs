//! `/healthz` and `/readyz` for the kubelet.
//!
//! The operator is alive as long as its runtime turns, and ready once it has seen its CRDs; both answers are a
//! fixed line, so no web framework is needed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Duration, timeout},
};

/// Says that the operator is ready.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// From now on.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Answers probes for ever.
pub async fn serve(listener: TcpListener, readiness: Readiness) {
    loop {
        match listener.accept().await {
            Ok((connection, _)) => {
                let ready = readiness.0.load(Ordering::Relaxed);
                tokio::spawn(answer(connection, ready));
            }
            Err(error) => tracing::warn!(%error, "Failed to accept a probe's connection"),
        }
    }
}

async fn answer(mut connection: TcpStream, ready: bool) {
    let mut request = [0_u8; 1024];
    let read = timeout(Duration::from_secs(5), connection.read(&mut request)).await;
    let Ok(Ok(length)) = read else { return };
    let status = match request.get(..length) {
        Some(line) if line.starts_with(b"GET /healthz ") => "200 OK",
        Some(line) if line.starts_with(b"GET /readyz ") && ready => "200 OK",
        Some(line) if line.starts_with(b"GET /readyz ") => "503 Service Unavailable",
        _ => "404 Not Found",
    };
    let response = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    if let Err(error) = connection.write_all(response.as_bytes()).await {
        tracing::debug!(%error, "Failed to answer a probe");
    }
}
