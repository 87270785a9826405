//! TLS, or none, or one that nobody knows.

use super::{
    insecure, registry,
    server::{Content, Server, response},
};
use crate::registry::{Access, Error};

const HASH: &str = "0d97038ad8b1b616d26990abe2eeb603";

fn content() -> (Content, String) {
    let content = Content::default();
    let digest = content.push("team/x", HASH, HASH);
    (content, digest)
}

#[tokio::test]
async fn insecure_is_a_certificate_that_nobody_knows() {
    let (content, digest) = content();
    let server = Server::start_tls(move |request| content.answer(request)).await;
    let image = format!("{}/team/x:{HASH}", server.host);
    assert_eq!(registry(&image, &insecure()).digest(&image).await.unwrap(), Some(digest));
}

#[tokio::test]
async fn insecure_is_plain_http_and_that_is_found_out_once() {
    let (content, digest) = content();
    let server = Server::start(move |request| content.answer(request)).await;
    let image = format!("{}/team/x:{HASH}", server.host);
    let registry = registry(&image, &insecure());
    for _ in 0..3 {
        assert_eq!(registry.digest(&image).await.unwrap().as_ref(), Some(&digest));
    }
    assert_eq!(server.asked().iter().filter(|asked| *asked == "GET /v2/").count(), 1);
}

#[tokio::test]
async fn over_plain_http_too_a_registry_may_ask_to_be_left_alone() {
    for status in [429, 503] {
        let server = Server::start(move |_| response(status).with("Retry-After", "70")).await;
        let image = format!("{}/team/x:{HASH}", server.host);
        let error = registry(&image, &insecure()).digest(&image).await.unwrap_err();
        assert!(matches!(error, Error::Away { .. }), "{error}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        assert_eq!(error.retry_after().unwrap().as_secs(), 70);
        // And it's known to speak no TLS.
        let error = registry(&image, &Access::default()).digest(&image).await.unwrap_err();
        assert!(matches!(error, Error::PlainHttp { .. }), "{error}");
    }
}

#[tokio::test]
async fn who_may_not_greet_over_plain_http_is_refused() {
    let server = Server::start(|_| response(403)).await;
    let image = format!("{}/team/x:{HASH}", server.host);
    let error = registry(&image, &insecure()).digest(&image).await.unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_registry_over_plain_http_is_told_with_its_answer() {
    // 400 is what servers of TLS say to whoever doesn't speak it; 404 says whoever is no registry.
    for status in [400, 404] {
        let server = Server::start(move |_| response(status)).await;
        let image = format!("{}/team/x:{HASH}", server.host);
        let error = registry(&image, &insecure()).digest(&image).await.unwrap_err();
        assert!(matches!(error, Error::Away { .. }), "{error}");
        assert!(error.to_string().contains(&format!("over plain HTTP it answers {status}")), "{error}");
    }
}

#[tokio::test]
async fn plain_http_without_insecure_is_called_so() {
    let (content, _) = content();
    let server = Server::start(move |request| content.answer(request)).await;
    let image = format!("{}/team/x:{HASH}", server.host);
    let error = registry(&image, &Access::default()).digest(&image).await.unwrap_err();
    assert!(matches!(error, Error::PlainHttp { .. }), "{error}");
    assert!(error.to_string().contains("set registry.insecure"), "{error}");
    // Nobody's password went over it.
    assert!(server.requests.lock().unwrap().iter().all(|request| request.header("authorization").is_empty()));
}

#[tokio::test]
async fn a_certificate_that_nobody_knows_is_called_so_with_what_to_do() {
    let (content, _) = content();
    let server = Server::start_tls(move |request| content.answer(request)).await;
    let image = format!("{}/team/x:{HASH}", server.host);
    let error = registry(&image, &Access::default()).digest(&image).await.unwrap_err();
    assert!(error.to_string().contains("registry.caConfigMap"), "{error}");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn who_is_not_there_is_not_asked_for_plain_http() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let image = format!("localhost:1/team/x:{HASH}");
    for access in [Access::default(), insecure()] {
        let error = registry(&image, &access).digest(&image).await.unwrap_err();
        assert!(matches!(error, Error::Away { .. }), "{error}");
        assert!(error.to_string().contains("refused"), "{error}");
    }
}
