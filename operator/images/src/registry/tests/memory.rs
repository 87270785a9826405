//! What asking costs.

use std::sync::atomic::Ordering;

use futures::future::join_all;

use super::{
    insecure, registries,
    server::{Content, Server},
};

const IMAGES: usize = 11;

/// The questions of a dozen instances that wait for eleven images each, again and again.
async fn ask(host: impl Fn(usize) -> String, rounds: usize) {
    let registries = registries();
    for _ in 0..rounds {
        join_all((0..12 * IMAGES).map(async |number| {
            let (instance, image) = (number / IMAGES, number % IMAGES);
            let image = format!("{}/team-{instance}/copr-{image}:1", host(instance));
            // Whether it's there doesn't matter.
            let _ = registries.of(&image, &insecure()).unwrap().digest(&image).await;
        }))
        .await;
    }
}

#[tokio::test]
async fn all_instances_share_one_client_and_its_connections() {
    let content = Content::default();
    let server = Server::start(move |request| content.answer(request)).await;
    ask(|_| server.host.clone(), 10).await;
    let (connections, questions) = (server.connections.load(Ordering::SeqCst), server.count("HEAD"));
    assert_eq!(questions, 10 * 12 * IMAGES);
    // As many as are asked at a time, and on a busy machine some more: a connection that isn't back yet is not waited for. A client for
    // each instance would need one each in every round.
    assert!(connections < 10 * 12, "{connections} connections");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: cargo test --lib memory -- --ignored --nocapture"]
async fn memory_and_threads() {
    let content = Content::default();
    let server = Server::start(move |request| content.answer(request)).await;
    let print = |when: &str| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let lines = status.lines().filter(|line| line.starts_with("RssAnon") || line.starts_with("Threads"));
        println!("{when}: {}", lines.collect::<Vec<_>>().join(" "));
    };
    print("before");
    for round in 0..3 {
        ask(|_| server.host.clone(), 4).await;
        server.requests.lock().unwrap().clear();
        print(&format!("a registry without the images, {round}"));
    }
    for round in 0..3 {
        ask(|instance| format!("nowhere-{instance}.invalid"), 1).await;
        print(&format!("a dozen registries that don't exist, {round}"));
    }
}

#[tokio::test]
async fn who_can_not_be_reached_is_not_asked_by_everybody_in_turn() {
    // It takes connections and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let image = format!("localhost:{}/team/x:1", listener.local_addr().unwrap().port());
    let accepted = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = accepted.clone();
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let registry = registries().of(&image, &insecure()).unwrap();
    let answers = join_all((0..100).map(|_| registry.digest(&image))).await;
    assert!(answers.iter().all(Result::is_err));
    assert!(accepted.load(Ordering::SeqCst) < 300, "{accepted:?}");
}
