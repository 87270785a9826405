//! What is put into a registry.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::{
    as_user, insecure, registry,
    server::{Content, Server, response},
};
use crate::registry::{Error, Name, digest_of};

const REPOSITORY: &str = "team/copr-evidence";

fn name(server: &Server) -> Name {
    Name::parse(&format!("{}/{REPOSITORY}:tag", server.host)).unwrap()
}

/// Eleven megabytes that don't repeat.
fn large() -> Vec<u8> {
    (0..11_u32 << 18).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

#[tokio::test]
async fn a_large_blob_goes_in_parts_and_a_small_one_at_once() {
    let content = Content::default();
    let kept = content.clone();
    let server = Server::start(move |request| content.answer(request)).await;
    let name = name(&server);
    let registry = registry(&name.text, &insecure());
    let bytes = large();
    let mut upload = registry.upload(&name);
    for piece in bytes.chunks(100_000) {
        upload.write(piece).await.unwrap();
    }
    let blob = upload.finish().await.unwrap();
    assert_eq!((blob.digest.as_str(), blob.size), (digest_of(&bytes).as_str(), 11 << 20));
    assert_eq!(kept.blob(&blob.digest), Some(bytes));
    assert_eq!((server.count("PATCH"), server.count("PUT")), (2, 1));
    let small = registry.push_blob(&name, b"small").await.unwrap();
    assert_eq!(kept.blob(&small.digest).as_deref(), Some(&b"small"[..]));
    assert_eq!((server.count("PATCH"), server.count("PUT"), server.count("POST")), (2, 2, 2));
    registry.push_blob(&name, b"small").await.unwrap();
    assert_eq!(server.count("POST"), 2, "it's there already");
}

#[tokio::test]
async fn a_manifest_has_the_tag_once_its_blobs_are_there() {
    let content = Content::default();
    let kept = content.clone();
    let server = Server::start(move |request| content.answer(request)).await;
    let name = name(&server);
    let registry = registry(&name.text, &insecure());
    let digest = digest_of(b"{}");
    let manifest =
        json!({"schemaVersion": 2, "config": {"digest": digest}, "layers": []}).to_string().into_bytes();
    let error = registry.push_manifest(&name, manifest.clone()).await.unwrap_err();
    assert!(error.to_string().contains("MANIFEST_BLOB_UNKNOWN"), "{error}");
    registry.push_blob(&name, b"{}").await.unwrap();
    assert!(registry.has_blob(&name, &digest).await.unwrap());
    assert_eq!(registry.push_manifest(&name, manifest.clone()).await.unwrap(), digest_of(&manifest));
    assert!(kept.has(REPOSITORY, "tag"));
    assert_eq!(registry.raw_manifest(&name).await.unwrap().unwrap().1, manifest);
}

#[tokio::test]
async fn a_registry_without_room_is_not_asked_again() {
    for status in [413, 507] {
        let content = Content::default();
        let server = Server::start(move |request| match request.method.as_str() {
            "PATCH" | "PUT" => response(status),
            _ => content.answer(request),
        })
        .await;
        let name = name(&server);
        let error = registry(&name.text, &insecure()).push_blob(&name, b"x").await.unwrap_err();
        assert!(matches!(error, Error::Full { .. }), "{error}");
        assert_eq!(server.count("PUT"), 1);
    }
}

#[tokio::test]
async fn who_may_not_push_is_told_whose_credentials_they_were() {
    let content = Content::default();
    let server = Server::start(move |request| match (request.method.as_str(), request.bare_path()) {
        (_, "/v2/") if request.header("authorization").is_empty() => {
            response(401).with("WWW-Authenticate", "Basic realm=\"x\"")
        }
        ("POST", _) => response(403).error("DENIED"),
        _ => content.answer(request),
    })
    .await;
    let name = name(&server);
    let access = as_user(&server.host, "robot", "secret");
    let error = registry(&name.text, &access).push_blob(&name, b"x").await.unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error}");
    assert!(error.to_string().contains("Secret robot (registry.pushSecret)"), "{error}");
}

#[tokio::test]
async fn a_part_that_was_refused_for_a_moment_is_sent_again() {
    let content = Content::default();
    let kept = content.clone();
    let ill = AtomicBool::new(true);
    let server = Server::start(move |request| {
        if request.method == "PATCH" && ill.swap(false, Ordering::SeqCst) {
            return response(503);
        }
        content.answer(request)
    })
    .await;
    let name = name(&server);
    let bytes = large();
    let blob = registry(&name.text, &insecure()).push_blob(&name, &bytes).await.unwrap();
    assert_eq!(kept.blob(&blob.digest), Some(bytes));
    assert_eq!(server.count("PATCH"), 3);
}

#[tokio::test]
async fn credentials_stay_with_the_registry_where_it_names_another_host() {
    let stranger = Server::start(|_| response(201)).await;
    let elsewhere = format!("http://{}/upload/1", stranger.host.replace("localhost", "127.0.0.1"));
    let content = Content::default();
    let server = Server::start(move |request| match (request.method.as_str(), request.bare_path()) {
        (_, "/v2/") if request.header("authorization").is_empty() => {
            response(401).with("WWW-Authenticate", "Basic realm=\"x\"")
        }
        ("POST", _) => response(202).with("Location", elsewhere.clone()),
        _ => content.answer(request),
    })
    .await;
    let name = name(&server);
    let access = as_user(&server.host, "robot", "secret");
    registry(&name.text, &access).push_blob(&name, b"x").await.unwrap();
    let asked = stranger.requests.lock().unwrap().clone();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].header("authorization"), asked[0].body.as_str()), ("", "x"));
    assert!(server.requests.lock().unwrap().iter().any(|request| request.basic().is_some()));
}
