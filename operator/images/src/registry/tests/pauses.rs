//! What passes is tried again, and a registry that wants to be left alone is.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use super::{
    insecure, registries, registry,
    server::{Content, Response, Server, response},
};
use crate::registry::Error;

const HASH: &str = "0d97038ad8b1b616d26990abe2eeb603";

/// Answers so many questions for a manifest otherwise.
async fn failing(times: usize, how: impl Fn() -> Response + Send + Sync + 'static) -> Server {
    let (content, failed) = (Content::default(), AtomicUsize::new(0));
    content.push("team/x", HASH, HASH);
    Server::start(move |request| {
        if request.path.contains("manifests") && failed.fetch_add(1, Ordering::SeqCst) < times {
            return how();
        }
        content.answer(request)
    })
    .await
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    for status in [429, 500, 502, 503, 504, 408] {
        let server = failing(2, move || response(status)).await;
        let image = format!("{}/team/x:{HASH}", server.host);
        assert!(registry(&image, &insecure()).digest(&image).await.unwrap().is_some(), "{status}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_reported_and_not_asked_for_ever() {
    let server = failing(99, || response(503)).await;
    let image = format!("{}/team/x:{HASH}", server.host);
    let error = registry(&image, &insecure()).digest(&image).await.unwrap_err();
    assert!(error.passes() && error.to_string().contains("503"), "{error}");
    assert_eq!(server.count("manifests"), 4);
}

#[tokio::test]
async fn a_short_pause_is_waited_for() {
    let server = failing(1, || response(429).with("Retry-After", "1").error("TOOMANYREQUESTS")).await;
    let image = format!("{}/team/x:{HASH}", server.host);
    let before = tokio::time::Instant::now();
    assert!(registry(&image, &insecure()).digest(&image).await.unwrap().is_some());
    assert!(before.elapsed() >= Duration::from_millis(900));
    assert_eq!(server.count("manifests"), 2);
}

#[tokio::test]
async fn a_long_one_is_kept_by_everybody() {
    let server = failing(99, || response(429).with("Retry-After", "120")).await;
    let (image, registries) = (format!("{}/team/x:{HASH}", server.host), registries());
    for _ in 0..3 {
        let error = registries.of(&image, &insecure()).unwrap().digest(&image).await.unwrap_err();
        assert!(error.retry_after() > Some(Duration::from_secs(110)), "{error}");
        assert!(matches!(error, Error::Away { .. }));
    }
    assert_eq!(server.count("manifests"), 1);
}
