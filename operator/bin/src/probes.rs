//! `/healthz` and `/readyz` for the kubelet.
//!
//! The operator is alive as long as its runtime turns, and ready once it has seen its CRDs; both answers are a
//! fixed line, so no web framework is needed.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
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

/// Listens. Where the kernel has no IPv6, every address is every one of IPv4.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && is_without_ipv6(&error) => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        other => other,
    }
}

fn is_without_ipv6(error: &io::Error) -> bool {
    /// `EAFNOSUPPORT`: no such family at all.
    const NO_FAMILY: i32 = 97;
    error.raw_os_error() == Some(NO_FAMILY) || error.kind() == io::ErrorKind::AddrNotAvailable
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Skipped nowhere: without IPv6 the second half of [`listen`] is what is tested.
    #[tokio::test]
    async fn every_address_is_one_of_ipv4_too() {
        let listener = listen("[::]:0".parse().unwrap()).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(serve(listener, Readiness::default()));
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        connection.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }

    #[test]
    fn a_kernel_without_ipv6_is_told_from_other_trouble() {
        assert!(is_without_ipv6(&io::Error::from_raw_os_error(97)));
        assert!(is_without_ipv6(&io::ErrorKind::AddrNotAvailable.into()));
        assert!(!is_without_ipv6(&io::ErrorKind::AddrInUse.into()));
    }
}
