//! The words in which a run is told. Pure.

mod comment;
mod commit_status;
mod event;
mod markdown;

pub use comment::{comment, created};
pub use commit_status::{CommitStatus, commit_status};
pub use event::event;

use std::fmt::Write as _;

use copr_operator_api::v1alpha1::{Outcome, Phase, TestStatus};

use crate::news::News;

/// The run in a sentence: "7 of 9 tests passed; failed: build-spec, cancel".
fn summary(news: &News<'_>) -> String {
    let mut text = counts(news);
    if news.finished.is_none() {
        return text;
    }
    for (outcome, lead) in [(Outcome::Failed, "failed"), (Outcome::Error, "without a verdict")] {
        let names: Vec<_> = of(&news.status.tests, outcome).map(|test| test.name.as_str()).collect();
        if !names.is_empty() {
            // Writing into a String cannot fail.
            let _ = write!(text, "; {lead}: {}", names.join(", "));
        }
    }
    text
}

/// The same without names of tests, which are a stranger's words.
fn counts(news: &News<'_>) -> String {
    let lead = match (news.finished, news.status.phase) {
        (None, _) => return "the run goes on".into(),
        (_, Phase::Cancelled) => "cancelled",
        (_, Phase::Error) => "no verdict",
        _ => "",
    };
    let counts = news.status.summary.unwrap_or_default();
    match (lead, counts.total) {
        (lead, 0) => lead.into(),
        ("", total) => format!("{} of {total} tests passed", counts.passed),
        (lead, total) => format!("{lead}; {} of {total} tests passed", counts.passed),
    }
}

fn of(tests: &[TestStatus], outcome: Outcome) -> impl Iterator<Item = &TestStatus> {
    tests.iter().filter(move |test| test.outcome == outcome)
}

/// The first so many characters.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}
