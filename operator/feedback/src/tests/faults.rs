//! What forges answer when they don't do it.

use copr_operator_kernel::testing::{HttpServer, Reply};
use std::time::{Duration, Instant};

use copr_operator_kernel::http;
use reqwest::{Method, header::HeaderMap};
use serde_json::json;

use super::{
    TOKEN, failed, forge,
    github::{GitHub, say},
    reply, run,
};
use crate::{
    exchange::{Failure, Outgoing, exchange},
    now,
};

/// What comes of a request that is answered so.
async fn after(how: Reply) -> Failure {
    let github = GitHub::start().await;
    github.fails_once("POST", how);
    let failure = say(&failed(&forge(&github.server.url)), false).await.unwrap_err();
    assert_eq!(github.server.asked().len(), 1, "one try is one request");
    assert_eq!(github.statuses(), [] as [serde_json::Value; 0]);
    failure
}

fn pause(failure: &Failure) -> Option<u64> {
    match failure {
        Failure::Passing { pause, .. } => pause.map(|pause| pause.as_secs()),
        Failure::Refused { .. } => panic!("it may pass: {failure}"),
    }
}

#[tokio::test]
async fn a_limit_is_kept_as_long_as_the_server_says() {
    let limited = json!({"message": "API rate limit exceeded"});
    assert_eq!(pause(&after(reply(429, &limited).with("Retry-After", 1800)).await), Some(1800));
    assert_eq!(pause(&after(reply(503, "").with("Retry-After", 7)).await), Some(7));
    // Of the secondary limit of GitHub, with and without a header.
    let secondary =
        json!({"message": "You have exceeded a secondary rate limit. Please wait a few minutes."});
    assert_eq!(pause(&after(reply(403, &secondary).with("Retry-After", 90)).await), Some(90));
    assert_eq!(pause(&after(reply(403, &secondary)).await), Some(60));
    assert_eq!(pause(&after(reply(429, "")).await), Some(60));
    // Of the primary one.
    let exhausted = reply(403, &limited)
        .with("X-RateLimit-Remaining", 0)
        .with("X-RateLimit-Reset", now().as_second() + 1200);
    let left = pause(&after(exhausted).await).unwrap();
    assert!((1190..=1200).contains(&left), "{left}");
}

#[tokio::test]
async fn a_server_that_is_unwell_may_be_well_a_moment_later() {
    for status in [500, 502, 503, 504, 408] {
        let failure = after(reply(status, "<html>internal</html>")).await;
        assert_eq!(pause(&failure), None);
        let told = failure.to_string();
        assert!(told.starts_with("localhost:") && told.contains(&status.to_string()), "{told}");
        assert!(!told.contains("internal"), "{told}");
    }
    assert_eq!(pause(&after(Reply::CutOff).await), None);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for() {
    let server = HttpServer::start(|_| Reply::Never).await;
    let http = http::builder(Duration::from_millis(300)).build().unwrap();
    let url = format!("{}/hidden-path", server.url).parse().unwrap();
    let outgoing =
        Outgoing { method: Method::GET, url, headers: HeaderMap::default(), body: None, quoted: true };
    let began = Instant::now();
    let failure = exchange(&http, &outgoing).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(pause(&failure), None);
    let told = failure.to_string();
    assert!(told.contains("can't be reached") && !told.contains("hidden-path"), "{told}");
}

#[tokio::test]
async fn a_refusal_is_told_in_the_words_of_the_server() {
    for (status, said, expected) in [
        (401, json!({"message": "Bad credentials"}), "answered 401 Unauthorized: Bad credentials"),
        (
            403,
            json!({"message": "Resource not accessible by integration"}),
            "answered 403 Forbidden: Resource not",
        ),
        (422, json!({"message": "No commit found for SHA"}), "answered 422 Unprocessable Entity: No commit"),
        (404, json!({"error": "404 Project\n Not Found"}), "answered 404 Not Found: 404 Project  Not Found"),
        (404, json!("internal"), "answered 404 Not Found"),
    ] {
        let failure = after(reply(status, &said)).await;
        assert!(matches!(failure, Failure::Refused { .. }), "{failure:?}");
        let told = failure.to_string();
        assert!(told.contains(expected) && !told.contains("internal"), "{told}");
    }
}

#[tokio::test]
async fn a_token_is_never_told() {
    let echo = json!({"message": format!("no such token: {TOKEN}")});
    let failure = after(reply(401, &echo)).await;
    assert!(failure.to_string().ends_with("no such token: ***"), "{failure}");
    assert!(!format!("{failure:?}").contains(TOKEN));
}

#[tokio::test]
async fn no_answer_is_read_without_a_limit() {
    let github = GitHub::start().await;
    let mut spec = forge(&github.server.url);
    spec["forge"]["comment"] = json!(true);
    github.fails_once("comments", reply(200, "[".repeat(17 << 20)));
    let failure = say(&run(&spec), true).await.unwrap_err();
    assert!(failure.to_string().ends_with("is larger than 16777216 bytes"), "{failure}");
}

#[tokio::test]
async fn a_redirect_to_another_host_gets_nothing() {
    let elsewhere = HttpServer::start(|_| reply(201, "{}")).await;
    let to = format!("{}/repos", elsewhere.url);
    for status in [301, 302, 307, 308] {
        let failure = after(reply(status, "").with("Location", &to)).await;
        assert!(failure.to_string().contains("which isn't followed"), "{failure}");
    }
    assert_eq!(elsewhere.asked(), [""; 0]);
}

/// As GitHub redirects to a repository that was renamed.
#[tokio::test]
async fn a_redirect_within_the_host_is_followed_if_it_keeps_the_method() {
    let renamed = |status| {
        HttpServer::start(move |request| match request.path.as_str() {
            "/repositories/1/statuses" => reply(201, "{}"),
            _ => reply(status, "").with("Location", "/repositories/1/statuses"),
        })
    };
    let server = renamed(307).await;
    say(&failed(&forge(&server.url)), false).await.unwrap();
    let moved = server.requests().remove(1);
    assert_eq!(moved.line(), "POST /repositories/1/statuses");
    assert_eq!(moved.json()["state"], "failure");
    assert_eq!(moved.header("authorization"), format!("Bearer {TOKEN}"));

    let server = renamed(301).await;
    let failure = say(&failed(&forge(&server.url)), false).await.unwrap_err();
    assert!(failure.to_string().contains("answered 301"), "{failure}");
    let circle = HttpServer::start(|request| reply(307, "").with("Location", &request.path)).await;
    let failure = say(&failed(&forge(&circle.url)), false).await.unwrap_err();
    assert!(failure.to_string().ends_with("redirects more than 4 times"), "{failure}");
    assert_eq!(circle.asked().len(), 5);
}
