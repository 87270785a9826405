use std::{cell::RefCell, fs, os::unix::fs::PermissionsExt as _};

use copr_operator_kernel::testing::{ApiServer, Exchange, delete, get, patch};
use serde_json::json;

use super::*;
use crate::{commands::testing, model::fixtures};

const CLAIMS: &str = "/api/v1/namespaces/team/persistentvolumeclaims";
const SERVICES: &str = "/api/v1/namespaces/team/services";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/team/deployments";
const PODS: &str = "/api/v1/namespaces/team/pods";

/// Takes what is sent, or says no.
#[derive(Default)]
struct Pods {
    says_no: RefCell<Vec<SendError>>,
    got: RefCell<Vec<(String, usize)>>,
}

impl Sender for Pods {
    async fn send(&self, pod: &str, repository: &Repository) -> Result<(), SendError> {
        self.got.borrow_mut().push((pod.to_owned(), repository.files.len()));
        self.says_no.borrow_mut().pop().map_or(Ok(()), Err)
    }
}

struct Here {
    folder: testing::Folder,
    found: Found,
    name: String,
}

fn here() -> Here {
    let folder = testing::Folder::new();
    fs::write(folder.path().join("a-1-1.noarch.rpm"), "a").unwrap();
    let createrepo = folder.path().join("createrepo");
    fs::write(
        &createrepo,
        "#!/bin/sh\nfor last; do :; done; mkdir $last/repodata; echo >$last/repodata/repomd.xml\n",
    )
    .unwrap();
    fs::set_permissions(&createrepo, fs::Permissions::from_mode(0o755)).unwrap();
    let found = Found::look(folder.path()).unwrap();
    let name = found.name();
    Here { folder, found, name }
}

async fn serve_in(here: &Here, pods: &Pods, script: Vec<Exchange>) -> Result<(), String> {
    let createrepo = here.folder.path().join("createrepo");
    let settings = Settings { image: "python", pull_secret: None, createrepo: createrepo.to_str().unwrap() };
    let serve = async |cluster: &Cluster, _: &mut dyn std::io::Write| {
        serve(cluster, &here.found, &settings, pods, &Made::default()).await.map_err(|error| error.text())
    };
    testing::run_for(Duration::from_secs(3600), script, serve).await.0
}

fn one(folder: &str, name: &str) -> String {
    format!("{folder}/{name}")
}

fn served() -> Value {
    json!({"metadata": {"name": "x"}, "status": {"availableReplicas": 1}})
}

/// Everything is made.
fn made(name: &str) -> Vec<Exchange> {
    let applied =
        |folder| patch(one(folder, name)).query("fieldManager", "kubectl-copr").query("force", "true");
    vec![
        get(one(DEPLOYMENTS, name)),
        get(one(CLAIMS, name)),
        get(one(SERVICES, name)),
        get(one(DEPLOYMENTS, name)),
        get("/apis").answers(json!({"kind": "APIGroupList", "groups": []})),
        applied(CLAIMS).body(json!({"spec": {"resources": {"requests": {"storage": "129Mi"}}}})),
        applied(SERVICES),
        applied(DEPLOYMENTS),
    ]
}

fn runs(name: &str) -> Exchange {
    let status = json!({"name": "http", "ready": false, "restartCount": 0, "image": "", "imageID": "", "state": {"running": {}}});
    get(PODS)
        .query("labelSelector", format!("app.kubernetes.io/instance={name}"))
        .lists(&[json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [status]}})])
}

/// Nothing runs yet.
fn waits(name: &str, claim: Value) -> Vec<Exchange> {
    vec![
        get(PODS).lists(&[]),
        get(one(DEPLOYMENTS, name)).answers(json!({"metadata": {}})),
        get(one(CLAIMS, name)).answers(claim),
    ]
}

#[tokio::test(start_paused = true)]
async fn packages_go_into_the_pod_as_soon_as_it_runs() {
    let here = here();
    let mut script = made(&here.name);
    script.extend(waits(
        &here.name,
        json!({"spec": {"storageClassName": "a"}, "status": {"phase": "Pending"}}),
    ));
    script.push(runs(&here.name));
    script.push(get(one(DEPLOYMENTS, &here.name)).answers(json!({"metadata": {}})));
    script.push(get(one(DEPLOYMENTS, &here.name)).answers(served()));
    let pods = Pods::default();
    assert_eq!(serve_in(&here, &pods, script).await, Ok(()));
    assert_eq!(*pods.got.borrow(), [("p".to_owned(), 2)]);
}

#[tokio::test]
async fn what_is_served_already_is_not_sent_again() {
    let here = here();
    let pods = Pods::default();
    let there = get(one(DEPLOYMENTS, &here.name)).answers(served());
    assert_eq!(serve_in(&here, &pods, vec![there]).await, Ok(()));
    assert!(pods.got.borrow().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_cut_is_tried_again_and_a_refusal_is_not() {
    let here = here();
    let cut = || SendError::Failed("the connection was cut".into());
    let sent = |errors: Vec<SendError>, tries: usize, end: Option<Exchange>| {
        let script = made(&here.name).into_iter().chain((0..tries).map(|_| runs(&here.name))).chain(end);
        let pods = Pods { says_no: RefCell::new(errors), ..Pods::default() };
        (script.collect::<Vec<_>>(), pods)
    };
    let end = get(one(DEPLOYMENTS, &here.name)).answers(served());
    let (script, pods) = sent(vec![cut(), cut()], 3, Some(end));
    assert_eq!(serve_in(&here, &pods, script).await, Ok(()));
    let (script, pods) = sent(vec![cut(), cut(), cut()], 3, None);
    let error = serve_in(&here, &pods, script).await.unwrap_err();
    assert_eq!(error, "the packages can't be sent into the pod p: the connection was cut");
    let (script, pods) = sent(vec![SendError::Forbidden], 1, None);
    assert!(serve_in(&here, &pods, script).await.unwrap_err().contains("the ClusterRole edit allows"));
}

#[tokio::test(start_paused = true)]
async fn what_stays_in_the_way_is_told_after_half_a_minute() {
    let here = here();
    let mut script = made(&here.name);
    script.extend((0..31).flat_map(|_| waits(&here.name, json!({"status": {"phase": "Pending"}}))));
    let error = serve_in(&here, &Pods::default(), script).await.unwrap_err();
    assert!(error.contains("the cluster has no default StorageClass"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_never_runs_is_not_waited_for_for_ever() {
    let here = here();
    let mut script = made(&here.name);
    script.extend((0..301).flat_map(|_| waits(&here.name, json!({"status": {"phase": "Bound"}}))));
    let error = serve_in(&here, &Pods::default(), script).await.unwrap_err();
    assert!(error.contains("its pod doesn't run after 300 seconds; 'kubectl describe pods"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn those_of_before_are_gone_before_the_same_are_made_again() {
    let here = here();
    let going = json!({"metadata": {"name": "x", "deletionTimestamp": "2026-11-26T10:00:00Z"}});
    let looks =
        |claim: Exchange, deployment: Exchange| vec![claim, get(one(SERVICES, &here.name)), deployment];
    let (claim, deployment) = (|| get(one(CLAIMS, &here.name)), || get(one(DEPLOYMENTS, &here.name)));
    let mut script = vec![deployment().answers(going.clone())];
    script.extend(looks(claim().answers(going.clone()), deployment().answers(going.clone())));
    script.extend(looks(claim().answers(going), deployment()));
    script.extend(made(&here.name).into_iter().skip(1));
    script.extend([runs(&here.name), deployment().answers(served())]);
    assert_eq!(serve_in(&here, &Pods::default(), script).await, Ok(()));
}

#[tokio::test]
async fn a_quota_is_told_with_what_to_do() {
    let here = here();
    let mut script = made(&here.name);
    script.truncate(5);
    script.push(patch(one(CLAIMS, &here.name)).refuses(ApiServer::FORBIDDEN, "exceeded quota: small"));
    let error = serve_in(&here, &Pods::default(), script).await.unwrap_err();
    assert_eq!(
        error,
        "failed to make what serves the packages: exceeded quota: small; make room in the ResourceQuota of the namespace, or name another \
         one with --namespace"
    );
}

#[tokio::test]
async fn a_run_becomes_the_owner_by_a_manager_of_its_own() {
    let given = |folder| {
        patch(one(folder, "packages-1"))
            .query("fieldManager", "kubectl-copr-pr-7")
            .body(json!({"metadata": {"ownerReferences": [{"kind": "CoprTestRun", "name": "pr-7", "uid": "0b1d"}]}}))
    };
    let there =
        |labels: Value| get(one(DEPLOYMENTS, "packages-1")).answers(json!({"metadata": {"labels": labels}}));
    let stays = json!({"copr.fedorainfracloud.org/stays": "true"});
    let free = vec![there(json!({})), given(CLAIMS), given(SERVICES), given(DEPLOYMENTS)];
    for script in [free, vec![there(stays)]] {
        testing::run(script, async |cluster, _| {
            give(cluster, &["packages-1".into()], &fixtures::red()).await;
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_served_by_itself_belongs_to_no_run() {
    let here = here();
    let kept = |folder| {
        let stays = json!({"copr.fedorainfracloud.org/stays": "true"});
        patch(one(folder, &here.name)).body(json!({"metadata": {"labels": stays, "ownerReferences": null}}))
    };
    let there = get(one(DEPLOYMENTS, &here.name)).answers(served());
    let script = [there, kept(CLAIMS), kept(SERVICES), kept(DEPLOYMENTS)];
    let args = Serve { dir: here.folder.path().into(), packages_image: "python".into(), pull_secret: None };
    let (exit, text) = testing::run(script, async |cluster, out| run(cluster, &args, out).await).await;
    assert_eq!(exit.unwrap(), Exit::Fine);
    assert_eq!(text, format!("http://{}.team.svc:8080/\n", here.name));
}

#[tokio::test]
async fn only_what_no_run_has_is_discarded() {
    let gone = |script: Vec<Exchange>| {
        testing::run(script, async |cluster: &Cluster, _: &mut dyn std::io::Write| {
            discard(cluster, &Made(vec!["packages-1".into()].into())).await;
        })
    };
    let deployment = || get(one(DEPLOYMENTS, "packages-1"));
    let deletions = || {
        let not_there = delete(one(CLAIMS, "packages-1")).refuses(ApiServer::NOT_FOUND, "gone");
        vec![delete(one(DEPLOYMENTS, "packages-1")), delete(one(SERVICES, "packages-1")), not_there]
    };
    gone([vec![deployment().answers(json!({"metadata": {}}))], deletions()].into_iter().flatten().collect())
        .await;
    // Interrupted between the first object and the last.
    gone([vec![deployment()], deletions()].into_iter().flatten().collect()).await;
    let owner = json!({"apiVersion": "v1", "kind": "X", "name": "pr-6", "uid": "1"});
    gone(vec![deployment().answers(json!({"metadata": {"ownerReferences": [owner]}}))]).await;
    let labels = json!({"copr.fedorainfracloud.org/stays": "true"});
    gone(vec![deployment().answers(json!({"metadata": {"labels": labels}}))]).await;
}
