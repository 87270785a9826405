//! One comment on a pull request, whatever happens to it.

use serde_json::{Value, json};

use super::{
    failed, forge,
    github::{GitHub, ROBOT, SOMEBODY, say},
    reply, run,
};

const CONTEXT: &str = "copr-operator/sanity";

fn commented(github: &GitHub) -> Value {
    let mut spec = forge(&github.server.url);
    spec["forge"]["comment"] = json!(true);
    spec
}

fn of_run_created(at: &str) -> String {
    format!("<!-- copr-operator report {CONTEXT} of a run created at {at} -->\nwhat was said before")
}

#[tokio::test]
async fn the_comment_of_the_start_is_edited_at_the_end() {
    let github = GitHub::start().await;
    github.has_comment(SOMEBODY, "LGTM");
    say(&run(&commented(&github)), true).await.unwrap();
    say(&failed(&commented(&github)), true).await.unwrap();
    let comments = github.comments();
    assert_eq!(comments.len(), 2);
    assert_eq!(comments[1].0, ROBOT);
    assert!(comments[1].1.contains("1 of 2 tests passed"), "{}", comments[1].1);
    assert!(!comments[1].1.contains("goes on"));
}

#[tokio::test]
async fn what_is_said_already_is_not_said_again() {
    let github = GitHub::start().await;
    say(&failed(&commented(&github)), true).await.unwrap();
    say(&failed(&commented(&github)), true).await.unwrap();
    assert_eq!(github.comments().len(), 1);
    assert_eq!(github.server.asked().iter().filter(|line| !line.starts_with("GET")).count(), 1);
}

#[tokio::test]
async fn a_deleted_comment_is_made_again() {
    let github = GitHub::start().await;
    say(&run(&commented(&github)), true).await.unwrap();
    github.deletes_comment(101);
    say(&failed(&commented(&github)), true).await.unwrap();
    assert_eq!(github.comments().len(), 1);
}

#[tokio::test]
async fn so_is_one_that_is_deleted_just_then() {
    let github = GitHub::start().await;
    say(&run(&commented(&github)), true).await.unwrap();
    github.fails_once("PATCH", reply(404, json!({"message": "Not Found"})));
    say(&failed(&commented(&github)), true).await.unwrap();
    assert!(github.comments()[1].1.contains("1 of 2 tests passed"));
}

#[tokio::test]
async fn a_copy_of_somebody_else_stays_theirs() {
    let github = GitHub::start().await;
    let copied = of_run_created("2020-01-01T00:00:00Z");
    github.has_comment(SOMEBODY, &copied);
    say(&failed(&commented(&github)), true).await.unwrap();
    let comments = github.comments();
    assert_eq!(comments[0], (SOMEBODY, copied));
    assert_eq!((comments.len(), comments[1].0), (2, ROBOT));
    say(&run(&commented(&github)), true).await.unwrap();
    assert_eq!(github.comments().len(), 2, "the second one is found behind the copy");
}

#[tokio::test]
async fn a_quoted_comment_is_none() {
    let github = GitHub::start().await;
    github.has_comment(ROBOT, &format!("> {}", of_run_created("2020-01-01T00:00:00Z")));
    say(&failed(&commented(&github)), true).await.unwrap();
    assert_eq!(github.comments().len(), 2);
}

#[tokio::test]
async fn the_comment_is_found_on_the_second_page() {
    let github = GitHub::start().await;
    for number in 0..100 {
        github.has_comment(SOMEBODY, &format!("comment {number}"));
    }
    github.has_comment(ROBOT, &of_run_created("2026-11-20T00:00:00Z"));
    say(&failed(&commented(&github)), true).await.unwrap();
    let comments = github.comments();
    assert_eq!(comments.len(), 101);
    assert!(comments[100].1.contains("1 of 2 tests passed"));
}

/// Two pushes: the run of the first one ends last.
#[tokio::test]
async fn a_later_run_keeps_the_comment() {
    let github = GitHub::start().await;
    let later = of_run_created("2026-11-26T08:05:00Z");
    github.has_comment(ROBOT, &later);
    say(&failed(&commented(&github)), true).await.unwrap();
    assert_eq!(github.comments(), [(ROBOT, later)]);
}

#[tokio::test]
async fn another_name_is_another_comment() {
    let github = GitHub::start().await;
    say(&failed(&commented(&github)), true).await.unwrap();
    let mut other = commented(&github);
    other["forge"]["context"] = json!("copr-operator/sanity-rawhide");
    say(&failed(&other), true).await.unwrap();
    assert_eq!(github.comments().len(), 2);
}
