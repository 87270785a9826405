use std::io;

use copr_operator_kernel::testing::{ApiServer, Exchange, delete, get};
use serde_json::{Value, json};

use super::*;
use crate::{commands::testing, model::fixtures};

const RUNS: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns";
const INSTANCES: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprinstances";

fn args() -> Watch {
    Watch { run: "pr-7".into(), plain: true, followed: Followed::default() }
}

/// Lines without the time of day.
fn lines(text: &str) -> Vec<&str> {
    let is_time = |line: &str| line.as_bytes().get(2) == Some(&b':') && line.as_bytes().get(5) == Some(&b':');
    text.lines().map(|line| if is_time(line) { &line[10..] } else { line }).collect()
}

#[tokio::test]
async fn a_run_that_has_ended_is_told_at_once() {
    let (result, text) =
        testing::run([get(format!("{RUNS}/pr-7")).answers(fixtures::red_object())], async |cluster, out| {
            run(cluster, &args(), out).await
        })
        .await;
    assert_eq!(result.unwrap(), Exit::Failed);
    insta::assert_snapshot!(lines(&text).join("\n"));
}

fn at_phase(phase: &str) -> Value {
    fixtures::run_object("pr-7", fixtures::spec(), json!({"phase": phase}))
}

#[tokio::test]
async fn what_happens_meanwhile_is_told_images_included() {
    let instance = fixtures::instance_object(
        "pr-7",
        json!({"packages": {"specHash": "", "images": [{"component": "base", "state": "Building", "inputHash": ""}]}}),
    );
    let modified = json!({"type": "MODIFIED", "object": fixtures::green_object()}).to_string() + "\n";
    let (result, text) = testing::run(
        [
            get(format!("{RUNS}/pr-7")).answers(at_phase("Building")),
            get(RUNS)
                .query("fieldSelector", "metadata.name=pr-7")
                .answers(testing::list(&[at_phase("Building")])),
            get(INSTANCES).query("fieldSelector", "metadata.name=pr-7").answers(testing::list(&[instance])),
            get(RUNS).query("watch", "true").says(&modified),
            get(INSTANCES).query("watch", "true").is_never_answered(),
        ],
        async |cluster, out| run(cluster, &args(), out).await,
    )
    .await;
    assert_eq!(result.unwrap(), Exit::Fine);
    let lines = lines(&text);
    assert_eq!(lines[..4], ["Building", "  base Building", "Passed", "  project-lifecycle Passed 9s"]);
    assert_eq!(
        lines[lines.len() - 2..],
        ["4 of 5 tests passed, 1 failed as expected.", "Passed: 5 tests passed"]
    );
}

#[tokio::test]
async fn a_run_that_is_deleted_has_no_verdict() {
    let (result, _) = testing::run(
        [get(format!("{RUNS}/pr-7")).answers(at_phase("Running")), get(RUNS).answers(testing::list(&[]))],
        async |cluster, out| run(cluster, &args(), out).await,
    )
    .await;
    assert!(result.unwrap_err().text().contains("was deleted before it ended"));
}

#[tokio::test]
async fn who_may_not_watch_is_told_so() {
    let (result, _) = testing::run(
        [
            get(format!("{RUNS}/pr-7")).answers(at_phase("Running")),
            get(RUNS).refuses(ApiServer::FORBIDDEN, "you may not list coprtestruns"),
        ],
        async |cluster, out| run(cluster, &args(), out).await,
    )
    .await;
    let text = result.unwrap_err().text();
    assert_eq!(text, "failed to watch CoprTestRun pr-7 in the namespace team: you may not list coprtestruns");
}

fn building(nevra: &str) -> Value {
    let image = json!({"component": "backend", "state": "Pushed", "elapsed": "9s", "inputHash": "",
                       "packages": [{"nevra": nevra, "repository": "mine"}]});
    fixtures::instance_object("pr-7", json!({"packages": {"specHash": "", "images": [image]}}))
}

async fn expecting(expect: &[&str], script: Vec<Exchange>) -> (Result<Exit, Error>, String) {
    let expect = expect.iter().map(|text| text.parse().unwrap()).collect();
    let args = Watch { followed: Followed { expect, results: true, ..Followed::default() }, ..args() };
    testing::run(script, async |cluster, out| run(cluster, &args, out).await).await
}

#[tokio::test]
async fn packages_that_no_image_has_are_named_and_the_images_are_in_the_results() {
    let modified = json!({"type": "MODIFIED", "object": fixtures::green_object()}).to_string() + "\n";
    let script = vec![
        get(format!("{RUNS}/pr-7")).answers(at_phase("Building")),
        get(RUNS).answers(testing::list(&[at_phase("Building")])),
        get(INSTANCES).answers(testing::list(&[building("copr-backend-1:3-1.noarch")])),
        get(RUNS).query("watch", "true").says(&modified),
        get(INSTANCES).query("watch", "true").is_never_answered(),
    ];
    let (result, text) =
        expecting(&["mine=copr-backend-3-1.noarch", "mine=copr-mocks-3-1.noarch"], script).await;
    assert_eq!(result.unwrap(), Exit::Fine);
    assert!(text.contains("Not tested, because no image installs them: copr-mocks-3-1.noarch"), "{text}");
    assert!(text.contains("backend  Pushed  9s    copr-backend-1:3-1 (mine)"), "{text}");
    assert_eq!(text.lines().last(), Some("Passed: 5 tests passed"));
}

#[tokio::test]
async fn a_run_without_any_of_the_packages_that_are_to_be_tested_has_no_verdict() {
    let building = vec![
        get(format!("{RUNS}/pr-7")).answers(at_phase("Building")),
        get(RUNS).answers(testing::list(&[at_phase("Building")])),
        get(INSTANCES).answers(testing::list(&[building("copr-backend-2-1.noarch")])),
    ];
    let ended = vec![get(format!("{RUNS}/pr-7")).answers(fixtures::green_object())];
    for script in [building, ended] {
        let (result, _) = expecting(&["mine=copr-backend-3-1.noarch"], script).await;
        assert!(result.unwrap_err().text().starts_with("none of the packages that are to be tested"));
    }
}

/// All that can be wanted in the end, of the run pr-6.
fn everything(folder: &testing::Folder) -> Watch {
    let artifacts = Some(folder.path().join("out"));
    let followed = Followed { results: true, artifacts, rm: true, ..Followed::default() };
    Watch { run: "pr-6".into(), plain: true, followed }
}

#[tokio::test]
async fn in_the_end_everything_is_shown_and_written_and_the_run_goes() {
    let mut green = fixtures::green_object();
    green["metadata"]["annotations"] = json!({"kubernetes.io/description": "mine"});
    let here = || format!("{RUNS}/pr-6");
    let no_log = |test: &str| {
        get(format!("/api/v1/namespaces/team/pods/pr-6-{test}-1/log")).refuses(ApiServer::NOT_FOUND, "gone")
    };
    let map = json!({"metadata": {"name": "pr-6-junit"}, "data": {"junit.xml": "<testsuites/>\n"}});
    let mut script = vec![
        get(here()).answers(green.clone()),
        get(here()).answers(green),
        get("/api/v1/namespaces/team/configmaps/pr-6-junit").answers(map),
    ];
    script.extend(["project-lifecycle", "build-spec", "build-srpm", "webui"].map(no_log));
    script.extend([
        get(RUNS).lists(&[]),
        get(format!("{INSTANCES}/pr-6")).refuses(ApiServer::NOT_FOUND, "gone"),
        get("/api/v1/namespaces/team/events").lists(&[]),
        get("/api/v1/namespaces/team/pods").lists(&[]),
        delete(here()),
        get(here()).refuses(ApiServer::NOT_FOUND, "gone"),
    ]);
    let folder = testing::Folder::new();
    let args = everything(&folder);
    let (result, text) = testing::run(script, async |cluster, out| run(cluster, &args, out).await).await;
    assert_eq!(result.unwrap(), Exit::Fine);
    assert!(text.contains("TEST ") && text.contains("wrote "), "{text}");
    assert_eq!(text.lines().last(), Some("Passed: 5 tests passed (mine)"));
    assert!(folder.path().join("out/junit.xml").exists());
}

/// The node of a pod is down, the API server goes away, and then it refuses: the verdict is the same.
#[tokio::test(start_paused = true)]
async fn what_can_t_be_written_changes_no_verdict_and_the_run_stays_for_it() {
    let here = || format!("{RUNS}/pr-6");
    let log = || get("/api/v1/namespaces/team/pods/pr-6-build-spec-1/log");
    let mut red = fixtures::green_object();
    red["status"] = json!({
        "phase": "Failed",
        "tests": [{"name": "build-spec", "outcome": "Failed", "attempts": 1, "pod": "pr-6-build-spec-1"}],
        "conditions": [{"type": "EvidenceKept", "status": "False", "reason": "NotAsked", "message": "",
                        "lastTransitionTime": "2026-11-26T10:00:00Z"}],
    });
    let down = || log().refuses(ApiServer::INTERNAL_ERROR, "dial tcp: no route to host");
    let asked = || get(here()).answers(red.clone());
    let runs = || get(RUNS);
    let script = [
        asked(),
        // The ends of logs.
        down(),
        // The artifacts, twice.
        asked(),
        down(),
        runs().is_cut_off(),
        asked(),
        down(),
        runs().refuses(ApiServer::FORBIDDEN, "you may not"),
        down(),
        get("/api/v1/namespaces/team/events").refuses((400, "BadRequest"), "what?"),
    ];
    let folder = testing::Folder::new();
    let args = everything(&folder);
    let (result, text) = testing::run_for(Duration::from_secs(600), script, async |cluster, out| {
        run(cluster, &args, out).await
    })
    .await;
    assert_eq!(result.unwrap(), Exit::Failed, "{text}");
    assert!(text.contains("no route to host") && text.ends_with("Failed\n"), "{text}");
    assert!(folder.path().join("out/results.html").exists());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_an_api_server_that_is_starting_is_not_believed_at_once() {
    let refused = || get(RUNS).query("watch", "true").refuses(ApiServer::FORBIDDEN, "RBAC: not found");
    let modified = json!({"type": "MODIFIED", "object": fixtures::green_object()}).to_string() + "\n";
    let script = [
        get(format!("{RUNS}/pr-7")).answers(at_phase("Running")),
        get(RUNS).answers(testing::list(&[at_phase("Running")])),
        refused(),
        refused(),
        get(RUNS).query("watch", "true").says(&modified),
    ];
    let (result, _) = testing::run(script, async |cluster, out| run(cluster, &args(), out).await).await;
    assert_eq!(result.unwrap(), Exit::Fine);
}

#[tokio::test]
async fn a_folder_that_can_t_be_written_is_said_at_once_and_nothing_is_lost() {
    let folder = testing::Folder::new();
    std::fs::write(folder.path().join("mine"), "").unwrap();
    let script = [get(format!("{RUNS}/pr-7")).answers(at_phase("Building"))];
    let followed = Followed { artifacts: Some(folder.path().into()), rm: true, ..Followed::default() };
    let args = Watch { followed, ..args() };
    let (result, _) = testing::run(script, async |cluster, out| run(cluster, &args, out).await).await;
    assert!(result.unwrap_err().text().contains("name a folder that is empty"));
}

/// A terminal that was closed, or `head` that has enough.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_run_goes_although_nobody_reads_of_it_any_longer() {
    let server = ApiServer::expects([
        get(format!("{RUNS}/pr-7")).answers(at_phase("Running")),
        delete(format!("{RUNS}/pr-7")),
        get(format!("{RUNS}/pr-7")).refuses(ApiServer::NOT_FOUND, "gone"),
    ]);
    let cluster = Cluster { client: server.client(), namespace: "team".into() };
    let args = Watch { followed: Followed { rm: true, ..Followed::default() }, ..args() };
    assert!(run(&cluster, &args, &mut Closed).await.unwrap_err().is_broken_pipe());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_nobody_looks_after_is_not_waited_for_for_ever() {
    let server = ApiServer::expects([
        get(format!("{RUNS}/pr-7")).answers(at_phase("Running")),
        get(RUNS).answers(testing::list(&[at_phase("Running")])),
        get(RUNS).query("watch", "true").is_never_answered(),
    ]);
    let cluster = Cluster { client: server.client(), namespace: "team".into() };
    let text = run(&cluster, &args(), &mut Vec::new()).await.unwrap_err().text();
    assert!(text.contains("is Running and has not ended within all of its limits (2h25m0s)"), "{text}");
}

#[test]
fn a_test_of_any_name_can_be_pasted_into_a_shell() {
    assert_eq!(shell("build-spec"), "build-spec");
    assert_eq!(shell("it's; rm"), r"'it'\''s; rm'");
}
