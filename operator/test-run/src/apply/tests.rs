use copr_operator_kernel::testing::{ApiServer, Exchange, delete as deletion, get, patch, post};
use kube::core::Status;
use serde_json::json;

use super::*;
use crate::tests::{openshift::of_suite, world::World};

const COPR: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/ci";
const PODS: &str = "/api/v1/namespaces/ci/pods";
const REPORT: &str = "/api/v1/namespaces/ci/configmaps/pr-7-junit";

/// Two pods.
fn pods() -> Plan {
    let plan = World::named(&["auth", "cancel"]).plan();
    assert_eq!(plan.pods.len(), 2);
    Plan { pods: plan.pods, ..Plan::default() }
}

fn report_alone() -> Plan {
    let owner = json!({"apiVersion": "v1", "kind": "CoprTestRun", "name": "pr-7", "uid": "u1"});
    let junit = json!({"metadata": {"name": "pr-7-junit", "ownerReferences": [owner]}});
    Plan { junit: serde_json::from_value(junit).unwrap(), ..Plan::default() }
}

async fn create_all(plan: &Plan, script: impl IntoIterator<Item = Exchange>) -> Result<Refusals, Error> {
    let server = ApiServer::expects(script);
    create(&server.client(), "ci", plan).await
}

#[tokio::test]
async fn what_an_earlier_reconcile_left_is_not_made_again() {
    let instance = World::template(&["auth"]).plan().instance.unwrap();
    let plan = Plan { instance: Some(instance), ..pods() };
    let there = |exchange: Exchange| exchange.refuses(ApiServer::ALREADY_EXISTS, "there is one");
    let instance = post(format!("{COPR}/coprinstances"));
    let refusals = create_all(&plan, [there(instance), there(post(PODS)), post(PODS)]).await.unwrap();
    assert_eq!(refusals, Refusals::default());
}

#[tokio::test]
async fn a_pod_that_is_refused_is_told_and_holds_back_no_other() {
    let refused = post(PODS).refuses(ApiServer::FORBIDDEN, "exceeded quota: team");
    let refusals = create_all(&pods(), [refused, post(PODS)]).await.unwrap();
    let why: Vec<_> = refusals.pods.values().map(String::as_str).collect();
    assert_eq!(why, ["exceeded quota: team"]);
    assert!(refusals.any());
}

#[tokio::test]
async fn a_test_as_root_has_its_right_before_its_pod() {
    const ACCOUNT: &str = "/api/v1/namespaces/ci/serviceaccounts/pr-7-tests";
    const BINDING: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/ci/rolebindings/pr-7-tests";
    let plan = of_suite(true, true).plan();
    let account = || [get(ACCOUNT), patch(ACCOUNT).query("fieldManager", "copr-operator")];
    let binding = || patch(BINDING).query("fieldManager", "copr-operator");
    let granted = account().into_iter().chain([get(BINDING), binding(), post(PODS)]);
    assert_eq!(create_all(&plan, granted).await.unwrap(), Refusals::default());

    // Without the overlay there is nothing to give, and a pod would be refused in other words.
    let not_there = binding()
        .refuses(ApiServer::NOT_FOUND, "clusterroles.rbac.authorization.k8s.io \"copr-test-scc\" not found");
    let refusals = create_all(&plan, account().into_iter().chain([get(BINDING), not_there])).await.unwrap();
    let why = refusals.pods.values().next().unwrap();
    assert!(why.contains("-k manifests/openshift") && why.contains("\"copr-test-scc\" not found"), "{why}");

    let said = "pods \"pr-7-a-1\" is forbidden: failed to retrieve the required SCC \"copr-test\": not found";
    let refused = post(PODS).refuses(ApiServer::FORBIDDEN, said);
    let script = account().into_iter().chain([get(BINDING), binding(), refused]);
    let refusals = create_all(&plan, script).await.unwrap();
    let why = refusals.pods.values().next().unwrap();
    assert!(why.contains("-k manifests/openshift") && why.contains("required SCC"), "{why}");

    let cut_off = account().into_iter().chain([get(BINDING).is_cut_off()]);
    assert!(matches!(create_all(&plan, cut_off).await, Err(Error::Grant(_))));
}

#[tokio::test]
async fn so_is_that_the_api_server_is_unwell() {
    for refusal in [ApiServer::INTERNAL_ERROR, (429, "TooManyRequests")] {
        let refusals = create_all(&pods(), [post(PODS).refuses(refusal, "no"), post(PODS)]).await.unwrap();
        assert_eq!(refusals.pods.len(), 1);
    }
}

#[tokio::test]
async fn who_was_not_answered_or_is_not_known_any_more_has_nothing_to_tell() {
    for trouble in [post(PODS).is_cut_off(), post(PODS).refuses((401, "Unauthorized"), "no")] {
        let error = create_all(&pods(), [trouble]).await.unwrap_err();
        assert!(matches!(error, Error::Create { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_report_that_is_refused_leaves_the_run_its_verdict() {
    let applied = || patch(REPORT).query("fieldManager", "copr-operator");
    create_all(&report_alone(), [get(REPORT), applied()]).await.unwrap();
    let refused = applied().refuses(ApiServer::INVALID, "data: Too long");
    let refusals = create_all(&report_alone(), [get(REPORT), refused]).await.unwrap();
    assert_eq!(refusals.junit.as_deref(), Some("failed to apply ConfigMap pr-7-junit: data: Too long"));
    // That is nothing to be tried again.
    assert!(!refusals.any());
    let foreign = get(REPORT).answers(json!({"metadata": {"name": "pr-7-junit", "uid": "a stranger's"}}));
    let refusals = create_all(&report_alone(), [foreign]).await.unwrap();
    assert!(refusals.junit.is_some_and(|why| why.contains("belongs to somebody else")));
    assert!(matches!(create_all(&report_alone(), [get(REPORT).is_cut_off()]).await, Err(Error::Report(_))));
}

fn doomed(name: &str) -> Doomed {
    Doomed { name: name.into(), uid: Some(format!("uid of {name}")) }
}

fn everything() -> Deletions {
    Deletions { pods: vec![doomed("a"), doomed("b")], instance: Some(doomed("i")), run: Some(doomed("r")) }
}

/// Exactly the one that was seen.
fn deleted(folder: &str, name: &str) -> Exchange {
    deletion(format!("{folder}/{name}"))
        .body(json!({"preconditions": {"uid": format!("uid of {name}")}, "propagationPolicy": "Background"}))
}

#[tokio::test]
async fn the_run_goes_last() {
    let server = ApiServer::expects([
        deleted(PODS, "a").refuses(ApiServer::NOT_FOUND, "there is none"),
        deleted(PODS, "b").refuses(ApiServer::CONFLICT, "the UID in the precondition differs"),
        deleted(&format!("{COPR}/coprinstances"), "i"),
        deleted(&format!("{COPR}/coprtestruns"), "r"),
    ]);
    delete(&server.client(), "ci", &everything()).await.unwrap();
}

#[tokio::test]
async fn while_something_can_not_be_deleted_the_run_stays() {
    let server =
        ApiServer::expects([deleted(PODS, "a"), deleted(PODS, "b").refuses(ApiServer::FORBIDDEN, "not you")]);
    let error = delete(&server.client(), "ci", &everything()).await.unwrap_err();
    assert_eq!(report::chain(&error), "failed to delete Pod b: not you");
}

#[test]
fn what_the_api_server_says_is_told_and_who_may_not_ask_tries_again() {
    let answer = |code| Status { code, ..Status::failure("failed calling webhook", "InternalError") };
    for told in [400, 403, 404, 422, 429, 500, 503, 504] {
        assert!(is_told(&answer(told)), "{told}");
    }
    // Who isn't known any more writes no status, either; and a conflict is over with the next look.
    for passing in [401, 408, 409] {
        assert!(!is_told(&answer(passing)), "{passing}");
    }
}
