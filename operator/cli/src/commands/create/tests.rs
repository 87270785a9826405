//! What is created, and what isn't.

use copr_operator_kernel::testing::{ApiServer, Exchange, get, patch, post};
use serde_json::json;

use super::*;
use crate::{commands::testing, model::fixtures};

const RUNS: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns";

async fn new(create: Create, script: Vec<Exchange>) -> (Result<Exit, Error>, String) {
    let mut args = Run { create, name: Some("pr-6".into()), ..Run::default() };
    args.tested.instance = Some("mine".into());
    testing::run(script, async |cluster, out| run(cluster, &args, out).await).await
}

#[test]
fn a_dry_run_of_the_client_asks_nobody() {
    let mut out = Vec::new();
    let args = Run { name: Some("pr-6".into()), ..Run::default() };
    dry_run(&args, Some("team".into()), &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[tokio::test]
async fn one_of_the_server_is_sent_as_such() {
    let create =
        Create { dry_run: Some(DryRun::Server), output: Some(ObjectFormat::Name), ..Create::default() };
    let sent = post(RUNS).query("dryRun", "All").query("fieldValidation", "Strict");
    let (_, text) = new(create, vec![sent]).await;
    assert_eq!(text, "coprtestrun/pr-6\n");
}

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/team/deployments";

/// A folder with a package, and the name under which it is served.
fn packages() -> (testing::Folder, String) {
    let folder = testing::Folder::new();
    std::fs::write(folder.path().join("copr-backend-9-1.noarch.rpm"), "x").unwrap();
    let name = Found::look(folder.path()).unwrap().name();
    (folder, name)
}

fn with(folder: &testing::Folder, create: Create) -> Run {
    let mut args = Run { create, name: Some("pr-6".into()), ..Run::default() };
    args.tested.packages = Some(folder.path().into());
    args.tested.repo = vec![format!("mine={}", folder.path().display()).parse().unwrap()];
    args
}

fn is_served(name: &str) -> Exchange {
    get(format!("{DEPLOYMENTS}/{name}")).answers(json!({"metadata": {}, "status": {"availableReplicas": 1}}))
}

#[tokio::test]
async fn packages_of_this_machine_are_served_and_expected_and_go_with_the_run() {
    let (folder, name) = packages();
    let args = with(&folder, Create { watch: true, ..Create::default() });
    let url = format!("http://{name}.team.svc:8080/");
    let repositories = json!([{"name": "local", "baseURL": url, "priority": 1}, {"name": "mine", "baseURL": url, "priority": 10}]);
    let body = json!({"spec": {"instance": {"template": {"packages": {"repositories": repositories}}}}});
    let owned = |kind: &str| patch(format!("{kind}/{name}")).query("fieldManager", "kubectl-copr-pr-6");
    let core = "/api/v1/namespaces/team";
    let script = [
        is_served(&name),
        post(RUNS).body(body).answers(fixtures::green_object()),
        is_served(&name),
        owned(&format!("{core}/persistentvolumeclaims")),
        owned(&format!("{core}/services")),
        owned(DEPLOYMENTS),
    ];
    let (exit, _) = testing::run(script, async |cluster, out| run(cluster, &args, out).await).await;
    assert!(exit.unwrap_err().text().contains("in any image: copr-backend-9-1.noarch."));
}

#[tokio::test]
async fn what_others_serve_stays_if_the_run_is_refused() {
    let (folder, name) = packages();
    let mut args = with(&folder, Create::default());
    args.tested.repo.clear();
    let script =
        [is_served(&name), post(RUNS).refuses(ApiServer::INVALID, "spec.suite.timeout: Invalid value")];
    let (exit, _) = testing::run(script, async |cluster, out| run(cluster, &args, out).await).await;
    assert!(exit.unwrap_err().text().ends_with("Invalid value"));
}

#[test]
fn a_dry_run_with_packages_needs_a_namespace() {
    let (folder, name) = packages();
    let args = with(&folder, Create::default());
    let mut out = Vec::new();
    dry_run(&args, Some("team".into()), &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains(&format!("http://{name}.team.svc:8080/")));
    assert!(dry_run(&args, None, &mut Vec::new()).unwrap_err().text().ends_with("add --namespace"));
}

#[tokio::test]
async fn a_run_is_created_and_followed() {
    let created = post(RUNS)
        .query("fieldValidation", "Strict")
        .body(json!({"metadata": {"name": "pr-6"}, "spec": {"instance": {"name": "mine"}}}))
        .answers(fixtures::green_object());
    let (exit, text) = new(Create { watch: true, ..Create::default() }, vec![created]).await;
    assert_eq!(exit.unwrap(), Exit::Fine);
    assert!(text.starts_with("CoprTestRun pr-6 in the namespace team\n"), "{text}");
}

#[tokio::test]
async fn nothing_is_created_if_what_is_wanted_in_the_end_can_t_be_written() {
    let (folder, _) = packages();
    let followed = Followed { artifacts: Some(folder.path().into()), ..Followed::default() };
    let (result, _) = new(Create { watch: true, followed, ..Create::default() }, vec![]).await;
    assert!(result.unwrap_err().text().contains("name a folder that is empty"));
}

#[test]
fn credentials_are_in_no_object_and_in_no_error() {
    let mut args = Run::default();
    args.tested.repo = vec!["pr=https://me:hunter2@r.example/".parse().unwrap()];
    let mut out = Vec::new();
    let error = dry_run(&args, None, &mut out).unwrap_err().text();
    assert!(error.contains("credentialsSecret") && !error.contains("hunter2"), "{error}");
    assert!(out.is_empty());
}

#[tokio::test]
async fn what_is_done_in_the_end_needs_somebody_who_waits_for_it() {
    let followed = Followed { rm: true, ..Followed::default() };
    let (result, _) = new(Create { followed, ..Create::default() }, vec![]).await;
    assert!(result.unwrap_err().text().ends_with("add --watch"));
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let said = async |exchange| new(Create::default(), vec![exchange]).await.0.unwrap_err().text();
    let exists = post(RUNS).refuses(ApiServer::ALREADY_EXISTS, "there is one");
    assert!(said(exists).await.contains("choose another --name"));
    let invalid = post(RUNS).refuses(ApiServer::INVALID, "spec.suite.timeout: Invalid value");
    assert!(said(invalid).await.ends_with("spec.suite.timeout: Invalid value"));
    let unknown = post(RUNS).refuses((400, "BadRequest"), r#"strict decoding error: unknown field "spec.a""#);
    assert!(said(unknown).await.contains(
        r#"doesn't know all that the flags say (strict decoding error: unknown field "spec.a"): update it"#
    ));
    let unnamed = post(RUNS).refuses(ApiServer::NOT_FOUND, "namespaces \"team\" not found");
    assert!(said(unnamed).await.contains("kubectl create namespace team"));
    assert!(said(post(RUNS).is_no_path()).await.contains("install the operator"));
}

async fn again(object: Value, more: Vec<Exchange>) -> (Result<Exit, Error>, String) {
    let args = Rerun { run: "pr-7".into(), failed: true, create: Create::default() };
    let script = std::iter::once(get(format!("{RUNS}/pr-7")).answers(object)).chain(more);
    testing::run(script, async |cluster, out| rerun(cluster, &args, out).await).await
}

#[tokio::test]
async fn of_a_red_run_the_red_tests_are_run_again() {
    let body = json!({"metadata": {"generateName": "pr-7-"}, "spec": {"rerunOf": "pr-7", "suite": {"name": "smoke"}}});
    let (exit, _) = again(fixtures::red_object(), vec![post(RUNS).body(body)]).await;
    assert_eq!(exit.unwrap(), Exit::Fine);
}

#[tokio::test]
async fn packages_that_a_run_had_are_its_reruns_too_if_they_are_there() {
    let mut red = fixtures::red_object();
    red["spec"] = json!({"instance": {"template": {"chroots": ["fedora-44-x86_64"], "packages": {"repositories": [
        {"name": "local", "baseURL": "http://packages-1.team.svc:8080/"}]}}}});
    let deployment = || get(format!("{DEPLOYMENTS}/packages-1"));
    let (result, _) = again(red.clone(), vec![deployment()]).await;
    assert!(result.unwrap_err().text().contains("give them again, with 'kubectl copr run --packages DIR'"));
    let owned = |kind: &str| patch(format!("{kind}/packages-1")).query("fieldManager", "kubectl-copr-pr-6");
    let script = vec![
        deployment().answers(json!({"metadata": {}})),
        post(RUNS).answers(fixtures::green_object()),
        deployment().answers(json!({"metadata": {}})),
        owned("/api/v1/namespaces/team/persistentvolumeclaims"),
        owned("/api/v1/namespaces/team/services"),
        owned(DEPLOYMENTS),
    ];
    assert_eq!(again(red, script).await.0.unwrap(), Exit::Fine);
}

#[tokio::test]
async fn where_there_is_nothing_to_run_again_nothing_is_created() {
    let said = async |object| again(object, vec![]).await.0.unwrap_err().text();
    assert!(said(fixtures::green_object()).await.contains("left no test red"));
    let going_on = fixtures::run_object("pr-7", fixtures::spec(), json!({"phase": "Running"}));
    assert!(said(going_on).await.contains("is Running"));
}
