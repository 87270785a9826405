//! What an earlier plan had.

use super::*;
use crate::testing::{ApiServer, Exchange, delete, get};

const QUERY: &str = "app.kubernetes.io/instance=demo";

fn kinds() -> Vec<ApiResource> {
    vec![ApiResource::erase::<ConfigMap>(&()), ApiResource::erase::<StatefulSet>(&())]
}

/// The list of a kind.
fn listed(folder: &str, items: &[Value]) -> Exchange {
    get(folder).query("labelSelector", QUERY).lists(items)
}

/// Exactly the one that was listed.
fn deleted(folder: &str, name: &str) -> Exchange {
    delete(one(folder, name))
        .body(json!({"preconditions": {"uid": format!("uid of {name}")}, "propagationPolicy": "Background"}))
}

async fn sweep(server: &ApiServer, memory: &Memory) -> Result<usize, Error> {
    let plan = [config_map("demo-wanted", "frontend")];
    delete_orphans(&server.client(), &owner(), QUERY, &kinds(), &plan, memory).await
}

#[tokio::test]
async fn what_is_ours_and_unwanted_goes_and_is_looked_for_once() {
    let mut going = owned_by("u1", "demo-going");
    going["metadata"]["deletionTimestamp"] = "2026-11-26T00:00:00Z".into();
    let there = [
        owned_by("u1", "demo-wanted"),
        owned_by("u1", "demo-left"),
        owned_by("another", "demo-strangers"),
        going,
    ];
    let server = ApiServer::expects([
        listed(CONFIG_MAPS, &there),
        deleted(CONFIG_MAPS, "demo-left"),
        // Another kind may have the name of a wanted one.
        listed(SETS, &[owned_by("u1", "demo-wanted")]),
        deleted(SETS, "demo-wanted"),
    ]);
    let memory = Memory::default();
    assert_eq!(sweep(&server, &memory).await.unwrap(), 2);
    assert_eq!(sweep(&server, &memory).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_gone_already_needs_nothing() {
    let gone = deleted(CONFIG_MAPS, "demo-left").refuses(ApiServer::NOT_FOUND, "there is none");
    let server =
        ApiServer::expects([listed(CONFIG_MAPS, &[owned_by("u1", "demo-left")]), gone, listed(SETS, &[])]);
    assert_eq!(sweep(&server, &Memory::default()).await.unwrap(), 0);
}

#[tokio::test]
async fn after_a_failure_it_is_looked_for_again() {
    let memory = Memory::default();
    let left = || listed(CONFIG_MAPS, &[owned_by("u1", "demo-left")]);
    let server = ApiServer::expects([
        listed(CONFIG_MAPS, &[]).refuses(ApiServer::FORBIDDEN, "configmaps is forbidden"),
        left(),
        deleted(CONFIG_MAPS, "demo-left").refuses(ApiServer::INTERNAL_ERROR, "etcd"),
        left(),
        deleted(CONFIG_MAPS, "demo-left"),
        listed(SETS, &[]),
    ]);
    let said = crate::report::chain(&sweep(&server, &memory).await.unwrap_err());
    assert_eq!(said, "failed to list ConfigMap of the instance: configmaps is forbidden");
    let said = crate::report::chain(&sweep(&server, &memory).await.unwrap_err());
    assert_eq!(said, "failed to delete ConfigMap demo-left, which is no longer wanted: etcd");
    assert_eq!(sweep(&server, &memory).await.unwrap(), 1);
}
