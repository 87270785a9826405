use copr_operator_kernel::{
    report,
    testing::{ApiServer, Exchange, patch},
};

use super::*;

fn set(name: &str, strategy: &str) -> StatefulSet {
    serde_json::from_value(json!({
        "metadata": {"name": name, "uid": format!("uid of {name}")},
        "spec": {"selector": {}, "template": {}, "serviceName": "", "updateStrategy": {"type": strategy}},
    }))
    .unwrap()
}

fn seen() -> Seen {
    let workloads =
        vec![set("demo-a", "RollingUpdate"), set("demo-b", "OnDelete"), set("demo-c", "RollingUpdate")];
    Seen { workloads, ..Seen::default() }
}

/// Exactly the one that was seen gets another strategy.
fn changed(name: &str) -> Exchange {
    patch(format!("/apis/apps/v1/namespaces/team/statefulsets/{name}")).body(json!({
        "metadata": {"uid": format!("uid of {name}")},
        "spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}},
    }))
}

#[tokio::test]
async fn only_what_rolls_by_itself_is_changed() {
    let server = ApiServer::expects([changed("demo-a"), changed("demo-c")]);
    take_over(&server.client(), "team", &seen()).await.unwrap();
}

#[tokio::test]
async fn one_that_is_gone_or_another_by_now_needs_nothing() {
    let server = ApiServer::expects([
        changed("demo-a").refuses(ApiServer::NOT_FOUND, "there is none"),
        changed("demo-c").refuses(ApiServer::CONFLICT, "the UID in the precondition differs"),
    ]);
    take_over(&server.client(), "team", &seen()).await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_told_with_the_name() {
    let server = ApiServer::expects([changed("demo-a").refuses(ApiServer::FORBIDDEN, "not you")]);
    let error = take_over(&server.client(), "team", &seen()).await.unwrap_err();
    let said = "failed to change the update strategy of StatefulSet demo-a: not you";
    assert_eq!(report::chain(&error), said);
}
