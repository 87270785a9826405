use copr_operator_api::labels::COMPONENT;
use copr_operator_kernel::{
    report,
    testing::{ApiServer, Exchange, delete, patch},
};

use super::*;
use crate::{
    build::{self, RENDERER, TEMPLATE_HASH},
    fixtures::{MINIMAL, minimal, parse},
};

fn wanted() -> Vec<StatefulSet> {
    build::build(&minimal()).stateful_sets
}

/// The pod of a component, ready, as it is wanted but for these annotations.
fn pod(component: &str, changes: &[&str]) -> Pod {
    let name = format!("demo-{component}");
    let set = wanted().into_iter().find(|set| set.name_any() == name).unwrap();
    let mut annotations = set.spec.unwrap().template.metadata.unwrap().annotations.unwrap();
    annotations.extend(changes.iter().map(|key| ((*key).to_owned(), "before".to_owned())));
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("{name}-0"), "uid": format!("uid of {component}"),
            "labels": {COMPONENT: component}, "annotations": annotations,
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }))
    .unwrap()
}

fn one(component: &str) -> String {
    format!("/api/v1/namespaces/team/pods/demo-{component}-0")
}

/// Exactly the one that was seen.
fn deleted(component: &str) -> Exchange {
    delete(one(component)).body(json!({"preconditions": {"uid": format!("uid of {component}")}}))
}

/// Brings these pods up to date on behalf of an instance whose spec was applied up to that generation; nothing is built.
async fn run(
    server: &ApiServer,
    pods: &[Pod],
    (applied, incomplete, quiet): (i64, &[&str], bool),
) -> Result<Replaced, Error> {
    let mut instance = parse(MINIMAL);
    instance.status.get_or_insert_default().applied_generation = Some(applied);
    let incomplete = incomplete.iter().map(|&component| component.to_owned()).collect();
    let seen = Seen { pods: pods.to_vec(), ..Seen::default() };
    let situation = Situation::new(spec_was_applied(&instance), &seen.pods, quiet);
    replace(&server.client(), &instance, (&wanted(), &incomplete), &seen, situation).await
}

#[tokio::test]
async fn a_pod_as_wanted_is_not_touched() {
    let server = ApiServer::expects([]);
    let pods = [pod("frontend", &[]), pod("backend", &[])];
    assert_eq!(run(&server, &pods, (3, &[], true)).await.unwrap().done, 0);
}

#[tokio::test]
async fn one_that_the_spec_wants_otherwise_is_deleted_by_its_uid() {
    let server = ApiServer::expects([deleted("frontend")]);
    let pods = [pod("frontend", &[TEMPLATE_HASH]), pod("backend", &[])];
    assert_eq!(run(&server, &pods, (2, &[], true)).await.unwrap().done, 1);
}

#[tokio::test]
async fn one_that_another_version_made_is_annotated_and_goes_on() {
    let adopted = patch(one("frontend")).body(json!({"metadata": {"uid": "uid of frontend"}}));
    let server = ApiServer::expects([adopted]);
    let pods = [pod("frontend", &[TEMPLATE_HASH, RENDERER])];
    assert_eq!(run(&server, &pods, (3, &[], true)).await.unwrap().done, 1);
    let annotations = &server.requests()[0].body["metadata"]["annotations"];
    assert_eq!(annotations, &json!(pod("frontend", &[]).metadata.annotations));
}

#[tokio::test]
async fn one_that_is_gone_or_another_by_now_needs_nothing() {
    for refusal in [ApiServer::NOT_FOUND, ApiServer::CONFLICT] {
        let server = ApiServer::expects([deleted("frontend").refuses(refusal, "not that one")]);
        run(&server, &[pod("frontend", &[TEMPLATE_HASH])], (2, &[], true)).await.unwrap();
        let server = ApiServer::expects([patch(one("frontend")).refuses(refusal, "not that one")]);
        run(&server, &[pod("frontend", &[TEMPLATE_HASH, RENDERER])], (3, &[], true)).await.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_the_pod() {
    let server = ApiServer::expects([deleted("frontend").refuses(ApiServer::FORBIDDEN, "not you")]);
    let error = run(&server, &[pod("frontend", &[TEMPLATE_HASH])], (2, &[], true)).await.unwrap_err();
    assert_eq!(report::chain(&error), "failed to delete pod demo-frontend-0: not you");
}

#[tokio::test]
async fn what_was_applied_in_part_or_builds_stays() {
    let server = ApiServer::expects([]);
    let pods = [pod("frontend", &[TEMPLATE_HASH]), pod("backend", &[TEMPLATE_HASH])];
    let replaced = run(&server, &pods, (2, &["frontend"], false)).await.unwrap();
    assert_eq!((replaced.done, replaced.waiting.len()), (0, 1));
    assert!(replaced.waiting[0].contains("demo-backend-0"), "{:?}", replaced.waiting);
}
