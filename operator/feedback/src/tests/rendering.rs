//! What people and programs read.

use copr_operator_api::v1alpha1::{ForgeType, Phase};
use serde_json::{Value, json};

use super::{changed, failed, report, run};
use crate::{news, render};

fn commented() -> Value {
    json!({"forge": {"tokenSecret": {"name": "robot"}, "comment": true, "detailsURL": "https://console.example.org/pr-7"}})
}

fn comment(run: &copr_operator_api::v1alpha1::CoprTestRun) -> String {
    render::comment(&news::news(run).unwrap(), report(run).forge.as_ref().unwrap())
}

/// Every outcome, and the words of somebody who means ill.
fn mixed() -> Value {
    json!({
        "phase": "Failed",
        "timestamps": {"started": "2026-11-26T08:00:00Z", "finished": "2026-11-26T09:00:05Z"},
        "summary": {"total": 4, "passed": 1, "failed": 1, "skipped": 1, "error": 1},
        "tests": [
            {"name": "auth", "outcome": "Passed", "duration": "3s", "message": "not shown"},
            {"name": "chroots", "outcome": "Skipped", "message": "no second chroot"},
            {"name": "build-srpm", "outcome": "Error", "reason": "BuilderRefused", "component": "backend", "message": "exceeded quota"},
            {"name": "@all", "outcome": "Failed", "duration": "41s", "component": "keygen",
             "message": "</code> | @fedora-copr/team\n![x](https://evil.example.org/x.png) <!-- copr-operator -->"},
        ],
    })
}

#[test]
fn the_comment_has_failing_tests_first_and_no_markup_of_theirs() {
    insta::assert_snapshot!(comment(&changed(&commented(), mixed())));
}

#[test]
fn the_comment_of_the_start() {
    insta::assert_snapshot!(comment(&run(&commented())));
}

#[test]
fn a_run_without_tests_says_why() {
    let status = json!({
        "phase": "Error",
        "timestamps": {"started": "2026-11-26T08:00:00Z", "finished": "2026-11-26T08:00:00Z"},
        "conditions": [{"type": "Succeeded", "status": "False", "reason": "Error", "message": "there is no image of the suite",
            "lastTransitionTime": "2026-11-26T08:00:00Z"}],
    });
    insta::assert_snapshot!(comment(&changed(&commented(), status)));
}

#[test]
fn a_comment_is_as_long_as_github_takes_it() {
    let mut status = mixed();
    let failing = json!({"name": "ä".repeat(200), "outcome": "Failed", "message": "|".repeat(4000)});
    status["tests"] = Value::from(vec![failing; 1000]);
    let text = comment(&changed(&commented(), status));
    let characters = text.chars().count();
    assert!((62_000..=65_535).contains(&characters), "{characters}");
    let (rows, rest) = (text.matches("❌ failed").count(), text.lines().last().unwrap());
    assert_eq!(rest, format!("{} more tests are in the run's status.", 1000 - rows));
}

#[test]
fn a_comment_tells_which_run_it_is_about() {
    let text = comment(&run(&commented()));
    let created = render::created(&text, "copr-operator/sanity").unwrap();
    assert_eq!(created.to_string(), "2026-11-26T07:59:58Z");
    assert_eq!(render::created(&text, "copr-operator"), None);
}

#[test]
fn events() {
    insta::assert_yaml_snapshot!("started", render::event(&news::news(&run(&commented())).unwrap()));
    insta::assert_yaml_snapshot!("finished", render::event(&news::news(&failed(&commented())).unwrap()));
}

#[test]
fn no_verdict_is_never_a_success() {
    for (phase, github, gitlab) in [
        (Phase::Passed, "success", "success"),
        (Phase::Failed, "failure", "failed"),
        (Phase::Error, "error", "failed"),
        (Phase::Cancelled, "error", "canceled"),
    ] {
        let run = changed(&commented(), {
            let mut status = mixed();
            status["phase"] = json!(phase);
            status
        });
        let news = news::news(&run).unwrap();
        let status = render::commit_status(&news, report(&run).forge.as_ref().unwrap());
        assert_eq!(status.body(ForgeType::GitHub)["state"], github);
        assert_eq!(status.body(ForgeType::Forgejo)["state"], github);
        assert_eq!(status.body(ForgeType::GitLab)["state"], gitlab);
        assert_eq!(status.body(ForgeType::GitHub)["target_url"], "https://console.example.org/pr-7");
    }
}

#[test]
fn a_description_is_as_long_as_github_takes_it() {
    let mut status = mixed();
    let test = |n: i32| json!({"name": format!("tést-{n}"), "outcome": "Error"});
    status["phase"] = json!("Error");
    status["tests"] = (0..50).map(test).collect();
    let run = changed(&commented(), status);
    let news = news::news(&run).unwrap();
    let status = render::commit_status(&news, report(&run).forge.as_ref().unwrap());
    let body = status.body(ForgeType::GitHub);
    let description = body["description"].as_str().unwrap();
    assert_eq!(description.chars().count(), 140);
    assert!(
        description.starts_with("no verdict; 1 of 4 tests passed; without a verdict: tést-0, "),
        "{description}"
    );
}
