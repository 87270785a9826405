//! Questions over HTTP to a server that answers as GitHub's API does.

mod faults;
mod github;

use copr_operator_api::v1alpha1::Source;
use copr_operator_kernel::{
    exchange,
    testing::{ApiServer, Exchange, get},
};
use serde_json::{Value, json};

use self::github::GitHub;
use crate::{Error, Forges, Found};

pub const TOKEN: &str = "ghp_hunter2hunter2";
/// What the tests push, what merging it gives, and older commits.
pub const HEAD: &str = "5d37cd838e4b1f6a2c0d9e8f7a6b5c4d3e2f1a0b";
pub const MERGE: &str = "3e7a0c11d2b4c6e8f0a1b2c3d4e5f60718293a4b";
pub const OLD: &str = "15cef8c1d0e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6";
pub const OLDER: &str = "9278b61ab0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5";

/// A source whose packages are looked for there.
fn source(url: &str, changes: &Value) -> Source {
    let mut source = json!({
        "repository": "fedora-copr/copr", "packages": {"apiURL": url, "tokenSecret": {"name": "robot"}},
    });
    for (key, value) in changes.as_object().unwrap() {
        source[key] = value.clone();
    }
    serde_json::from_value(source).unwrap()
}

fn forges() -> Forges {
    // The server that was started has installed TLS for the process.
    Forges::new(exchange::client().unwrap())
}

fn robot() -> Exchange {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    let token = json!({"data": {"token": BASE64_STANDARD.encode(format!("{TOKEN}\n"))}});
    get("/api/v1/namespaces/ci/secrets/robot").answers(token)
}

async fn ask_by(forges: &Forges, source: &Source) -> Result<Found, Error> {
    let api = ApiServer::expects(vec![robot()]);
    forges.ask((&api.client(), "ci"), source, source.packages.as_ref().unwrap()).await
}

async fn ask(github: &GitHub, changes: &Value) -> Result<Found, Error> {
    ask_by(&forges(), &source(&github.server.url, changes)).await
}

/// Packages with their commits, in seven digits each.
fn told(found: &Found) -> Vec<String> {
    let one = |package: &copr_operator_api::v1alpha1::SourcePackage| {
        let commits: Vec<_> = package.commits.iter().map(|commit| &commit[..7]).collect();
        format!("{} ({}): {}", package.name, package.folder, commits.join(" "))
    };
    found.packages.iter().map(one).collect()
}

#[tokio::test]
async fn every_package_of_a_commit_carries_the_last_one_that_touched_its_folder() {
    let github = GitHub::start().await;
    github.touched(HEAD, "backend", HEAD);
    github.touched(HEAD, "cli", OLD);
    github.touched(HEAD, "rpmbuild", OLDER);
    let found = ask(&github, &json!({"commit": HEAD})).await.unwrap();
    assert_eq!(
        told(&found),
        [
            "copr-backend (backend): 5d37cd8",
            "copr-builder (rpmbuild): 9278b61 5d37cd8",
            "copr-cli (cli): 15cef8c 5d37cd8",
            "copr-rpmbuild (rpmbuild): 9278b61 5d37cd8",
        ],
        "of a folder that isn't there nothing is needed"
    );
    assert_eq!((found.commit.as_str(), found.merge_commit), (HEAD, None));
    let asked = github.server.asked();
    assert_eq!(asked.len(), 10, "each folder once: {asked:?}");
    assert_eq!(asked[0], format!("GET /repos/fedora-copr/copr/commits?sha={HEAD}&path=backend&per_page=1"));
    let first = &github.server.requests()[0];
    assert_eq!(first.header("authorization"), format!("Bearer {TOKEN}"));
    assert!(first.header("user-agent").starts_with("copr-operator/"));
}

#[tokio::test]
async fn of_a_pull_request_only_changed_packages_are_needed_at_its_head_or_its_merge() {
    let github = GitHub::start().await;
    github.pull(7, &["cli/copr_cli/main.py", "doc/index.rst"]);
    github.touched(HEAD, "cli", OLD);
    github.touched(MERGE, "cli", OLDER);
    for changes in [json!({"pullRequest": 7}), json!({"pullRequest": 7, "commit": HEAD})] {
        let found = ask(&github, &changes).await.unwrap();
        assert_eq!(told(&found), ["copr-cli (cli): 15cef8c 9278b61 5d37cd8 3e7a0c1"]);
        assert_eq!((found.commit.as_str(), found.merge_commit.as_deref()), (HEAD, Some(MERGE)));
    }
}

#[tokio::test]
async fn an_earlier_commit_of_a_pull_request_has_no_merge() {
    let github = GitHub::start().await;
    github.pull(7, &["cli/main.py"]);
    github.touched(OLD, "cli", OLD);
    let found = ask(&github, &json!({"pullRequest": 7, "commit": OLD})).await.unwrap();
    assert_eq!(told(&found), ["copr-cli (cli): 15cef8c"]);
    assert_eq!((found.commit.as_str(), found.merge_commit), (OLD, None));
}

#[tokio::test]
async fn a_pull_request_that_can_not_be_merged_has_its_head_only() {
    let github = GitHub::start().await;
    github.pull(7, &["cli/main.py"]);
    github.change_pull(7, "mergeable", &json!(false));
    github.touched(HEAD, "cli", OLD);
    let found = ask(&github, &json!({"pullRequest": 7})).await.unwrap();
    assert_eq!(
        (told(&found), found.merge_commit),
        (vec!["copr-cli (cli): 15cef8c 5d37cd8".to_owned()], None)
    );
    // One that was merged has the commit that this made.
    github.change_pull(7, "state", &json!("closed"));
    github.touched(MERGE, "cli", MERGE);
    let found = ask(&github, &json!({"pullRequest": 7})).await.unwrap();
    assert_eq!(told(&found), ["copr-cli (cli): 15cef8c 3e7a0c1 5d37cd8"]);
}

#[tokio::test]
async fn a_merge_that_github_has_not_tried_yet_is_waited_for() {
    let github = GitHub::start().await;
    github.pull(7, &["cli/main.py"]);
    github.change_pull(7, "mergeable", &Value::Null);
    let error = ask(&github, &json!({"pullRequest": 7})).await.unwrap_err();
    assert_eq!(error.reason(), "ForgeUnavailable");
    assert!(error.to_string().contains("its merge commit isn't known"), "{error}");
}

#[tokio::test]
async fn a_pull_request_that_touches_no_package_needs_none() {
    let github = GitHub::start().await;
    github.pull(7, &["README", "doc/cli/index.rst", "cli-extra/x"]);
    assert_eq!(ask(&github, &json!({"pullRequest": 7})).await.unwrap().packages, []);
}

#[tokio::test]
async fn files_are_read_page_by_page_with_the_names_that_they_had_before() {
    let github = GitHub::start().await;
    let many: Vec<_> = (0..150).map(|n| format!("doc/{n}")).collect();
    let mut files: Vec<_> = many.iter().map(String::as_str).collect();
    files.push("frontend/x <- cli/x");
    github.pull(7, &files);
    for (from, folder) in [(HEAD, "cli"), (HEAD, "frontend"), (MERGE, "cli")] {
        github.touched(from, folder, from);
    }
    let found = ask(&github, &json!({"pullRequest": 7})).await.unwrap();
    assert_eq!(told(&found).len(), 2, "{:?}", found.packages);
    let pages = github.server.asked().into_iter().filter(|line| line.contains("/files?")).count();
    assert_eq!(pages, 2);
}

#[tokio::test]
async fn of_more_files_than_github_tells_every_package_may_be_changed() {
    let github = GitHub::start().await;
    let many: Vec<_> = (0..3000).map(|n| format!("doc/{n}")).collect();
    github.pull(7, &many.iter().map(String::as_str).collect::<Vec<_>>());
    github.touched(HEAD, "cli", HEAD);
    github.touched(MERGE, "cli", MERGE);
    let mut changes = json!({"pullRequest": 7});
    changes["packages"] = json!({"apiURL": github.server.url, "tokenSecret": {"name": "robot"}, "folders": {"copr-cli": "cli"}});
    assert_eq!(told(&ask(&github, &changes).await.unwrap()), ["copr-cli (cli): 5d37cd8 3e7a0c1"]);
}

#[tokio::test]
async fn another_repository_has_folders_of_its_own_and_may_need_no_token() {
    let github = GitHub::start().await;
    github.touched(HEAD, "src/tool", OLD);
    let source: Source = serde_json::from_value(json!({
        "repository": "me/tool", "commit": HEAD,
        "packages": {"apiURL": github.server.url, "folders": {"my-tool": "src/tool"}},
    }))
    .unwrap();
    let api = ApiServer::expects(Vec::new());
    let packages = source.packages.as_ref().unwrap();
    let found = forges().ask((&api.client(), "ci"), &source, packages).await.unwrap();
    assert_eq!(told(&found), ["my-tool (src/tool): 15cef8c 5d37cd8"]);
    let asked = &github.server.requests()[0];
    assert_eq!(asked.line(), format!("GET /repos/me/tool/commits?sha={HEAD}&path=src%2Ftool&per_page=1"));
    assert_eq!(asked.header("authorization"), "");
}
