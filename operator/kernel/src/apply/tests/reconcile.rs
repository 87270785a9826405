//! Objects that are what the plan says.

use super::*;
use crate::testing::{ApiServer, Exchange, get, patch};

/// By server-side apply, with force.
fn applied(folder: &str, name: &str) -> Exchange {
    patch(one(folder, name))
        .query("fieldManager", FIELD_MANAGER)
        .query("force", "true")
        .body(json!({"metadata": {"name": name}}))
        .answers(owned_by("u1", name))
}

#[tokio::test]
async fn what_was_applied_is_not_written_again_until_it_or_the_plan_changes() {
    let name = "demo-conf";
    let memory = Memory::default();
    let plan = [config_map(name, "frontend")];
    let server = ApiServer::expects([
        get(one(CONFIG_MAPS, name)),
        applied(CONFIG_MAPS, name),
        applied(CONFIG_MAPS, name),
    ]);
    let apply = async || apply_all(&server.client(), &owner(), &plan, &memory).await.result().unwrap();
    assert_eq!(apply().await, 1);
    assert_eq!(apply().await, 0);
    let other = json!({"name": name, "uid": format!("uid of {name}"), "resourceVersion": "6"});
    let other = serde_json::from_value(other).unwrap();
    memory.saw("team", "demo", ("ConfigMap".into(), name.into()), &other);
    assert_eq!(apply().await, 1);
    assert_eq!(apply().await, 0);
}

#[tokio::test]
async fn a_strangers_object_is_left_alone_and_holds_back_only_what_would_mount_it() {
    let plan = [
        claim("demo-database", "database"),
        stateful_set("demo-database", "database"),
        stateful_set("demo-redis", "redis"),
    ];
    let server = ApiServer::expects([
        get(one(CLAIMS, "demo-database")).answers(owned_by("another", "demo-database")),
        get(one(SETS, "demo-redis")).answers(owned_by("u1", "demo-redis")),
        applied(SETS, "demo-redis"),
    ]);
    let outcome = apply_all(&server.client(), &owner(), &plan, &Memory::default()).await;
    assert_eq!(outcome.written, 1);
    assert_eq!(outcome.incomplete, BTreeSet::from(["database".to_owned()]));
    assert!(matches!(&outcome.failures[..], [Error::NameTaken { name, .. }] if name == "demo-database"));
    assert!(outcome.failures[0].is_final());
}

#[tokio::test]
async fn what_is_refused_holds_back_nothing_else_and_is_tried_again() {
    let plan = [config_map("demo-a", "frontend"), config_map("demo-b", "backend")];
    let memory = Memory::default();
    let refused = || {
        [
            get(one(CONFIG_MAPS, "demo-a")),
            applied(CONFIG_MAPS, "demo-a").refuses(ApiServer::INVALID, "metadata.labels: Invalid value"),
        ]
    };
    let other = [get(one(CONFIG_MAPS, "demo-b")), applied(CONFIG_MAPS, "demo-b")];
    let server = ApiServer::expects(refused().into_iter().chain(other).chain(refused()));
    for written in [1, 0] {
        let outcome = apply_all(&server.client(), &owner(), &plan, &memory).await;
        assert_eq!(outcome.written, written);
        assert_eq!(outcome.incomplete, BTreeSet::from(["frontend".to_owned()]));
        let said = crate::report::chain(&outcome.failures[0]);
        assert_eq!(said, "failed to apply ConfigMap demo-a: metadata.labels: Invalid value");
        assert!(outcome.failures[0].is_final());
    }
}

#[tokio::test]
async fn an_api_server_that_is_unwell_is_no_refusal() {
    let plan = [config_map("demo-a", "frontend")];
    let asked = || get(one(CONFIG_MAPS, "demo-a"));
    let written = || applied(CONFIG_MAPS, "demo-a");
    let conversations: [Vec<Exchange>; 5] = [
        vec![asked().refuses(ApiServer::INTERNAL_ERROR, "etcd")],
        vec![asked().is_cut_off()],
        vec![asked(), written().refuses(ApiServer::INTERNAL_ERROR, "etcd")],
        vec![asked(), written().refuses(ApiServer::CONFLICT, "changed meanwhile")],
        vec![asked(), written().is_cut_off()],
    ];
    for script in conversations {
        let server = ApiServer::expects(script);
        let outcome = apply_all(&server.client(), &owner(), &plan, &Memory::default()).await;
        assert_eq!(outcome.written, 0);
        assert!(!outcome.failures[0].is_final(), "{:?}", outcome.failures);
    }
}

#[tokio::test]
async fn a_volume_that_can_not_be_changed_is_mounted_as_before() {
    let plan = [claim("demo-database", "database"), stateful_set("demo-database", "database")];
    let server = ApiServer::expects([
        get(one(CLAIMS, "demo-database")).answers(owned_by("u1", "demo-database")),
        applied(CLAIMS, "demo-database").refuses(ApiServer::FORBIDDEN, "only dynamically provisioned pvc"),
        get(one(SETS, "demo-database")),
        applied(SETS, "demo-database"),
    ]);
    let outcome = apply_all(&server.client(), &owner(), &plan, &Memory::default()).await;
    assert_eq!((outcome.written, outcome.failures.len()), (1, 1));
    assert!(outcome.incomplete.is_empty());
}
