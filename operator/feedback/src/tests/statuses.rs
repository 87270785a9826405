//! Commit statuses on each forge.

use copr_operator_kernel::testing::HttpServer;
use serde_json::json;

use super::{
    COMMIT, TOKEN, failed, forge,
    github::{GitHub, say},
    reply, run,
};

#[tokio::test]
async fn github_gets_a_status_at_the_start_and_one_at_the_end() {
    let github = GitHub::start().await;
    let mut spec = forge(&github.server.url);
    spec["forge"]["detailsURL"] = json!("https://console.example.org/pr-7");
    say(&run(&spec), false).await.unwrap();
    say(&failed(&spec), false).await.unwrap();
    assert_eq!(
        github.statuses(),
        [
            json!({"state": "pending", "context": "copr-operator/sanity", "description": "the run goes on",
                "target_url": "https://console.example.org/pr-7"}),
            json!({"state": "failure", "context": "copr-operator/sanity",
                "description": "1 of 2 tests passed; failed: build-spec", "target_url": "https://console.example.org/pr-7"}),
        ]
    );
    let request = github.server.requests().remove(0);
    assert_eq!(request.line(), format!("POST /repos/fedora-copr/copr/statuses/{COMMIT}"));
    assert!(request.header("user-agent").starts_with("copr-operator/"));
}

#[tokio::test]
async fn the_api_of_a_forge_may_be_below_a_path_and_its_repository_elsewhere() {
    let server = HttpServer::start(|_| reply(201, "{}")).await;
    for (type_, path) in [
        ("Forgejo", format!("POST /api/v1/repos/team/mirror/statuses/{COMMIT}")),
        ("GitLab", format!("POST /api/v1/projects/team%2Fmirror/statuses/{COMMIT}")),
    ] {
        let mut spec = forge(&format!("{}/api/v1/", server.url));
        spec["forge"]["type"] = json!(type_);
        spec["forge"]["repository"] = json!("team/mirror");
        say(&failed(&spec), false).await.unwrap();
        let request = server.requests().pop().unwrap();
        assert_eq!(request.line(), path);
        assert_eq!(request.header("authorization"), format!("Bearer {TOKEN}"));
    }
    assert_eq!(server.requests()[1].json()["name"], "copr-operator/sanity");
    assert_eq!(server.requests()[1].json()["state"], "failed");
}

/// GitLab answers so to a status that the commit has.
#[tokio::test]
async fn a_status_that_gitlab_has_already_is_set() {
    let words = r#"{"message":"Cannot transition status via :run from :running (Reason(s): Status cannot transition via \"run\")"}"#;
    let server = HttpServer::start(move |_| reply(400, words)).await;
    let mut spec = forge(&server.url);
    spec["forge"]["type"] = json!("GitLab");
    say(&run(&spec), false).await.unwrap();
    spec["forge"]["type"] = json!("Forgejo");
    assert!(say(&run(&spec), false).await.is_err());
}

#[tokio::test]
async fn a_repository_that_has_no_owner_is_refused_in_words() {
    let mut spec = forge("http://localhost:1");
    spec["forge"]["repository"] = json!("copr");
    let failure = say(&run(&spec), false).await.unwrap_err();
    assert_eq!(failure.to_string(), "the repository isn't of the form owner/name, such as fedora-copr/copr");
}
