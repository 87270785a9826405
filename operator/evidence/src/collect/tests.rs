//! What ends up in the registry, and what is said where it doesn't.

use std::{
    io::Read as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use copr_operator_images::testing::{Content, Request, Response, Server, response};
use copr_operator_kernel::testing::{ApiServer, Exchange, get};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use super::*;
use crate::scrub::Secrets;

const REPOSITORY: &str = "team/copr-evidence";
const TAG: &str = "ci-pr-7-5d37cd83";
const PODS: &str = "/api/v1/namespaces/ci/pods";

fn run(phase: &str, evidence: &Value) -> CoprTestRun {
    serde_json::from_value(json!({
        "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprTestRun",
        "metadata": {"name": "pr-7", "namespace": "ci", "uid": "5d37cd83-0000-4000-8000-000000000001"},
        "spec": {"instance": {"name": "copr"}, "evidence": evidence},
        "status": {"phase": phase, "instance": "copr", "junit": "pr-7-junit"},
    }))
    .unwrap()
}

/// The pod of a test's first attempt, with what the container that keeps its folder says.
fn pod(test: &str, message: &str) -> Value {
    json!({
        "metadata": {
            "name": format!("pr-7-{test}-1"),
            "labels": {labels::TEST: test, labels::ATTEMPT: "1", labels::COMPONENT: "sanity"},
        },
        "status": {"initContainerStatuses": [{
            "name": "evidence", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"terminated": {"exitCode": 0, "message": message}},
        }]},
    })
}

fn junit() -> Exchange {
    get("/api/v1/namespaces/ci/configmaps/pr-7-junit")
        .answers(json!({"data": {"junit.xml": "<testsuites/>"}}))
}

fn pods(items: &[Value]) -> Exchange {
    get(PODS).query("labelSelector", labels::run_query("pr-7")).lists(items)
}

fn log(pod: &str, container: &str) -> Exchange {
    get(format!("{PODS}/{pod}/log")).query("container", container)
}

async fn collect(
    script: Vec<Exchange>,
    run: &CoprTestRun,
    registry: &Server,
    time: Duration,
) -> Result<EvidenceStatus, Error> {
    let api = ApiServer::expects(script);
    let mut secrets = Secrets::default();
    secrets.add("token", "tokentoken");
    Collector {
        client: &api.client(),
        run,
        instance: None,
        registries: &Registries::default(),
        access: &Access { insecure: true, ..Access::default() },
        url: &format!("{}/team", registry.host),
        scrubber: &secrets.scrubber().unwrap(),
        now: "2026-11-26T09:00:00Z".parse().unwrap(),
        until: Instant::now() + time,
    }
    .collect()
    .await
}

const MINUTES: Duration = Duration::from_secs(180);

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut unpacked).unwrap();
    unpacked
}

/// The content of a part by its title.
fn part(content: &Content, title: &str) -> Vec<u8> {
    let manifest = content.manifest(REPOSITORY, TAG).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    let layer = layers.iter().find(|l| l["annotations"]["org.opencontainers.image.title"] == title).unwrap();
    content.blob(layer["digest"].as_str().unwrap()).unwrap()
}

fn titles(content: &Content) -> Vec<String> {
    let manifest = content.manifest(REPOSITORY, TAG).unwrap();
    let layers = manifest["layers"].as_array().unwrap().iter();
    layers.map(|l| l["annotations"]["org.opencontainers.image.title"].as_str().unwrap().to_owned()).collect()
}

async fn start(answer: impl Fn(&Content, &Request) -> Response + Send + Sync + 'static) -> (Content, Server) {
    let content = Content::default();
    let served = content.clone();
    (content, Server::start(move |request| answer(&served, request)).await)
}

#[tokio::test]
async fn of_a_run_that_failed_everything_is_in_one_artifact() {
    let (content, server) = start(Content::answer).await;
    // What the container of the test's pod has pushed.
    let folder = content.push_manifest("any", "any", b"folder".to_vec());
    let kept = format!(r#"{{"digest":"{folder}","size":6}}"#);
    let tests = [pod("auth", &kept), pod("build-spec", "{}")];
    let backend = json!({
        "metadata": {"name": "copr-backend-0"},
        "status": {"containerStatuses": [{
            "name": "logs", "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}},
        }]},
    });
    let event =
        |name: &str| json!({"metadata": {}, "involvedObject": {"name": name}, "message": "tokentoken"});
    let script = vec![
        junit(),
        pods(&tests),
        log("pr-7-auth-1", "test").says("in auth: tokentoken\n"),
        log("pr-7-build-spec-1", "test").says("in build-spec\n"),
        get(PODS).query("labelSelector", labels::instance_query("copr")).lists(&[backend]),
        pods(&tests),
        get("/api/v1/namespaces/ci/events").lists(&[event("copr-backend-0"), event("another")]),
        log("copr-backend-0", "logs").says("a worker has died\n"),
        pods(&tests),
    ];
    let status = collect(script, &run("Failed", &json!({})), &server, MINUTES).await.unwrap();
    assert_eq!(
        titles(&content),
        [
            "auth-1.log.gz",
            "auth-1.tar.gz",
            "build-spec-1.log.gz",
            "instance.tar.gz",
            "junit.xml",
            "status.json"
        ]
    );
    assert_eq!(unpacked(&part(&content, "auth-1.log.gz")), b"in auth: **********\n");
    assert_eq!(part(&content, "auth-1.tar.gz"), b"folder");
    let tar = unpacked(&part(&content, "instance.tar.gz"));
    let mut archive = tar::Archive::new(&tar[..]);
    let files: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.path().unwrap().display().to_string(), text)
        })
        .collect();
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["pods.json", "events.json", "logs/copr-backend-0/logs.log"]);
    assert!(files[1].1.contains("\"**********\"") && !files[1].1.contains("another"), "{}", files[1].1);
    assert_eq!(files[2].1, "a worker has died\n");
    assert!(!status.truncated, "{status:?}");
    assert!(status.artifact.unwrap().starts_with(&format!("{}/{REPOSITORY}@sha256:", server.host)));
    assert_eq!(status.expires_at.unwrap().0, "2026-12-26T09:00:00Z".parse().unwrap());
}

#[tokio::test]
async fn a_part_tells_its_test_by_the_name_that_no_label_can_hold() {
    let (content, server) = start(Content::answer).await;
    let mut odd = pod("sanity-a-0f0f0f", "{}");
    odd["metadata"]["annotations"] = json!({annotations::TEST: "Sanity/a"});
    let script = vec![
        junit(),
        pods(&[odd.clone()]),
        log("pr-7-sanity-a-0f0f0f-1", "test").says("fine\n"),
        pods(&[odd]),
    ];
    collect(script, &run("Passed", &json!({"keep": "Always"})), &server, MINUTES).await.unwrap();
    let manifest = content.manifest(REPOSITORY, TAG).unwrap();
    let told = &manifest["layers"][0]["annotations"];
    assert_eq!(told[crate::manifest::TEST], "Sanity/a");
    let title = told["org.opencontainers.image.title"].as_str().unwrap();
    assert!(title.starts_with("Sanity_a-") && title.ends_with("-1.log.gz"), "{title}");
}

#[tokio::test]
async fn of_a_run_that_passed_the_instance_has_no_story() {
    let (content, server) = start(Content::answer).await;
    let tests = [pod("auth", "{}")];
    let script = vec![junit(), pods(&tests), log("pr-7-auth-1", "test").says("fine\n"), pods(&tests)];
    collect(script, &run("Passed", &json!({"keep": "Always"})), &server, MINUTES).await.unwrap();
    assert_eq!(titles(&content), ["auth-1.log.gz", "junit.xml", "status.json"]);
}

#[tokio::test]
async fn what_is_missing_is_named_and_the_rest_is_kept() {
    let (content, server) = start(Content::answer).await;
    let lost =
        r#"{"digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":6}"#;
    let tests = [pod("auth", lost), pod("cancel", r#"{"error":"Denied: 403"}"#), pod("chroots", "<html>")];
    let script = vec![
        junit().refuses(ApiServer::NOT_FOUND, "gone"),
        pods(&tests),
        log("pr-7-auth-1", "test").refuses(ApiServer::NOT_FOUND, "pods \"pr-7-auth-1\" not found"),
        log("pr-7-cancel-1", "test").says("x"),
        log("pr-7-chroots-1", "test").says("x"),
        pods(&tests),
    ];
    let status = collect(script, &run("Passed", &json!({"keep": "Always"})), &server, MINUTES).await.unwrap();
    assert_eq!(titles(&content), ["cancel-1.log.gz", "chroots-1.log.gz", "status.json"]);
    assert!(status.truncated);
    let message = status.message.unwrap();
    for missing in [
        "junit.xml: the ConfigMap pr-7-junit is gone",
        "auth-1.log.gz: pods \"pr-7-auth-1\" not found",
        "auth-1.tar.gz: the registry doesn't have it any more",
        "cancel-1.tar.gz: Denied: 403",
        "chroots-1.tar.gz: its container ended with 0 and no report",
    ] {
        assert!(message.contains(missing), "{message}");
    }
}

#[tokio::test]
async fn a_registry_that_is_away_for_a_moment_is_asked_again() {
    let away = AtomicUsize::new(6);
    let (content, server) = start(move |content, request| {
        let is_away =
            away.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if is_away { response(503) } else { content.answer(request) }
    })
    .await;
    let script = vec![junit(), pods(&[]), pods(&[])];
    let status = collect(script, &run("Passed", &json!({"keep": "Always"})), &server, MINUTES).await.unwrap();
    assert_eq!(titles(&content), ["junit.xml", "status.json"]);
    assert!(!status.truncated);
}

#[tokio::test]
async fn why_a_registry_takes_nothing_is_a_reason() {
    for (status, code, reason) in [
        (401, "UNAUTHORIZED", "Denied"),
        (413, "SIZE_INVALID", "Full"),
        (507, "", "Full"),
        (400, "X", "RegistryRefused"),
    ] {
        let (_, server) = start(move |content, request| match request.method.as_str() {
            "POST" | "PUT" => response(status).error(code),
            _ => content.answer(request),
        })
        .await;
        let error = collect(vec![], &run("Failed", &json!({})), &server, MINUTES).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
    }
}

#[tokio::test]
async fn when_the_time_is_up_the_artifact_has_what_there_is() {
    let (content, server) = start(Content::answer).await;
    let tests = [pod("auth", "{}")];
    let script = vec![junit(), pods(&tests), log("pr-7-auth-1", "test").is_never_answered()];
    let time = LAST + Duration::from_secs(2);
    let status = collect(script, &run("Failed", &json!({})), &server, time).await.unwrap();
    assert_eq!(titles(&content), ["junit.xml", "status.json"]);
    assert!(status.message.unwrap().contains("the time was up"));
}

#[tokio::test]
async fn a_registry_that_is_slow_from_the_beginning_has_nothing() {
    let (_, server) =
        start(
            |content, request| {
                if request.bare_path() == "/v2/" { content.answer(request) } else { response(503) }
            },
        )
        .await;
    let error = collect(vec![], &run("Failed", &json!({})), &server, LAST).await.unwrap_err();
    assert!(matches!(error.reason(), "TooSlow" | "RegistryUnreachable"), "{error}");
}

#[tokio::test]
async fn what_does_not_fit_is_left_out() {
    let (content, server) = start(Content::answer).await;
    let folder = content.push_manifest("any", "any", b"folder".to_vec());
    let tests = [pod("auth", &format!(r#"{{"digest":"{folder}","size":5000000}}"#))];
    let script = vec![junit(), pods(&tests), log("pr-7-auth-1", "test").says("x"), pods(&tests)];
    let evidence = json!({"keep": "Always", "maxSize": "4Mi"});
    let status = collect(script, &run("Passed", &evidence), &server, MINUTES).await.unwrap();
    assert_eq!(titles(&content), ["auth-1.log.gz", "junit.xml", "status.json"]);
    assert_eq!(status.message.as_deref(), Some("auth-1.tar.gz: no room"));
}
