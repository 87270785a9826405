//! What becomes of answers that don't say it.

use std::time::Duration;

use copr_operator_kernel::{
    http, report,
    testing::{ApiServer, Reply, assert_hides, get, reply},
};
use serde_json::json;

use super::*;

/// What comes of a first request that is answered so.
async fn after(how: Reply) -> Error {
    let github = GitHub::start().await;
    github.touched(HEAD, "backend", HEAD);
    github.fails_once("GET", how);
    let error = ask(&github, &json!({"commit": HEAD})).await.unwrap_err();
    assert_eq!(github.server.asked().len(), 1, "one try ends with the first bad answer");
    assert_hides(&[TOKEN], &error);
    error
}

#[tokio::test]
async fn each_bad_answer_has_a_reason_and_the_words_of_the_forge() {
    let limit = json!({"message": "API rate limit exceeded for user ID 1."});
    let reset = http::now().as_second() + 1200;
    let exhausted = || reply(403, &limit).with("X-RateLimit-Remaining", 0).with("X-RateLimit-Reset", reset);
    for (how, reason, pause, words) in [
        (
            reply(401, json!({"message": "Bad credentials"})),
            "ForgeRefused",
            None,
            "401 Unauthorized: Bad cred",
        ),
        (
            reply(403, json!({"message": "Forbidden by SSO"})),
            "ForgeRefused",
            None,
            "403 Forbidden: Forbidden by",
        ),
        (reply(404, json!({"message": "Not Found"})), "SourceNotFound", None, "the token may not see it"),
        (reply(422, json!({"message": "No commit found"})), "SourceNotFound", None, "No commit found"),
        (exhausted(), "ForgeUnavailable", Some(1200), "rate limit exceeded"),
        (reply(429, &limit).with("Retry-After", 90), "ForgeUnavailable", Some(90), "429 Too Many Requests"),
        (reply(500, "<html>secret"), "ForgeUnavailable", None, "500 Internal Server Error"),
        (reply(502, ""), "ForgeUnavailable", None, "502 Bad Gateway"),
        (reply(503, "").with("Retry-After", 7), "ForgeUnavailable", Some(7), "503 Service Unavailable"),
        (Reply::CutOff, "ForgeUnavailable", None, "can't be reached"),
        (reply(200, "<html>"), "ForgeRefused", None, "the answer can't be read"),
        (reply(200, json!([{"sha": "main; rm"}])), "ForgeRefused", None, "no hash of a commit"),
        (reply(304, ""), "ForgeUnavailable", None, "named no version"),
        (reply(200, "[".repeat(17 << 20)), "ForgeRefused", None, "larger than"),
    ] {
        let error = after(how).await;
        let told = report::chain(&error);
        assert_eq!(error.reason(), reason, "{told}");
        assert!(told.contains(words) && !told.contains("secret"), "{told}");
        // The clock goes on between the answer and its reading.
        let paused = error.pause().map(|pause| pause.as_secs());
        assert!(
            paused == pause || paused.map(|paused| paused + 1) == pause || paused.map(|p| p + 2) == pause,
            "{paused:?}"
        );
    }
}

#[tokio::test]
async fn a_forge_that_never_answers_is_not_waited_for_without_end() {
    let github = GitHub::start().await;
    github.fails_once("GET", Reply::Never);
    let quick = Forges::new(http::builder(Duration::from_millis(300)).build().unwrap());
    let error = ask_by(&quick, &source(&github.server.url, &json!({"commit": HEAD}))).await.unwrap_err();
    assert_eq!(error.reason(), "ForgeUnavailable");
    assert!(error.to_string().contains("can't be reached"), "{error}");
}

#[tokio::test]
async fn what_was_answered_before_a_failure_is_asked_for_by_its_version() {
    let github = GitHub::start().await;
    github.pull(7, &["cli/main.py"]);
    github.touched(HEAD, "cli", OLD);
    github.touched(MERGE, "cli", MERGE);
    github.fails_once("path=cli", reply(502, ""));
    let (forges, source) = (forges(), source(&github.server.url, &json!({"pullRequest": 7})));
    ask_by(&forges, &source).await.unwrap_err();
    let found = ask_by(&forges, &source).await.unwrap();
    assert_eq!(told(&found), ["copr-cli (cli): 15cef8c 3e7a0c1 5d37cd8"]);
    let versions: Vec<_> =
        github.server.requests().iter().map(|request| !request.header("if-none-match").is_empty()).collect();
    assert_eq!(versions, [false, false, false, true, true, false, false]);
    // A version that isn't the present one any more is no answer.
    github.touched(HEAD, "cli", OLDER);
    assert_eq!(told(&ask_by(&forges, &source).await.unwrap()), ["copr-cli (cli): 9278b61 3e7a0c1 5d37cd8"]);
}

#[tokio::test]
async fn what_one_token_may_read_is_not_told_to_another() {
    let github = GitHub::start().await;
    github.touched(HEAD, "cli", OLD);
    let forges = forges();
    let mut changes = json!({"commit": HEAD});
    changes["packages"] = json!({"apiURL": github.server.url, "tokenSecret": {"name": "robot"}, "folders": {"copr-cli": "cli"}});
    let source = source(&github.server.url, &changes);
    ask_by(&forges, &source).await.unwrap();
    let mut other = source.clone();
    other.packages.as_mut().unwrap().token_secret = None;
    let api = ApiServer::expects(Vec::new());
    github.fails_once("GET", reply(404, json!({"message": "Not Found"})));
    let asked = forges.ask((&api.client(), "ci"), &other, other.packages.as_ref().unwrap()).await;
    assert_eq!(asked.unwrap_err().reason(), "SourceNotFound");
    let requests = github.server.requests();
    assert_eq!(requests[1].header("if-none-match"), "", "the version is that of another");
}

#[tokio::test]
async fn a_secret_that_can_not_be_used_says_so_and_nobody_is_asked() {
    let github = GitHub::start().await;
    let secret = || get("/api/v1/namespaces/ci/secrets/robot");
    for (exchange, reason) in [
        (secret(), "SecretNotFound"),
        (secret().answers(json!({"data": {}})), "SecretInvalid"),
        (secret().refuses(ApiServer::FORBIDDEN, "no"), "DependencyUnreadable"),
    ] {
        let api = ApiServer::expects(vec![exchange]);
        let source = source(&github.server.url, &json!({"commit": HEAD}));
        let asked = forges().ask((&api.client(), "ci"), &source, source.packages.as_ref().unwrap()).await;
        assert_eq!(asked.unwrap_err().reason(), reason);
    }
    assert_eq!(github.server.asked(), [""; 0]);
}
