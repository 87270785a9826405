//! The comment on a pull request.

use std::fmt::Write as _;

use copr_operator_api::v1alpha1::{ForgeReport, Outcome, Phase, TestStatus};
use copr_operator_kernel::{conditions, report};
use jiff::Timestamp;

use super::{counts, cut, markdown, of};
use crate::news::News;

/// GitHub takes no more characters, and Forgejo no fewer.
const COMMENT_MAX: usize = 65_535;
/// Of what a test says. It is in full in the run's status.
const MESSAGE_MAX: usize = 500;
/// What is worth the most first.
const ORDER: [Outcome; 9] = [
    Outcome::Failed,
    Outcome::UnexpectedPass,
    Outcome::Error,
    Outcome::Flaky,
    Outcome::ExpectedFailure,
    Outcome::Running,
    Outcome::Pending,
    Outcome::Skipped,
    Outcome::Passed,
];

/// The beginning of a comment of that name, by which it is found again. Invisible.
fn marker(context: &str) -> String {
    format!("<!-- copr-operator report {context} of a run created at ")
}

/// When the run was created that a comment is about, if it is a comment of that name.
pub fn created(body: &str, context: &str) -> Option<Timestamp> {
    let (created, _) = body.strip_prefix(&marker(context))?.split_once(" -->")?;
    created.parse().ok()
}

/// The comment.
pub fn comment(news: &News<'_>, forge: &ForgeReport) -> String {
    let commit = news.source.commit.as_deref().unwrap_or_default();
    let run = markdown::code(&format!("{}/{}", news.namespace, news.name));
    let run = match &forge.details_url {
        Some(url) => format!("[{run}](<{url}>)"),
        None => run,
    };
    let mut text = format!(
        "{}{} -->\n### {} {}: {}\n\nCommit {commit}, run {run}",
        marker(&forge.context),
        news.created,
        icon(news),
        forge.context,
        counts(news),
    );
    if let Some(finished) = news.finished {
        // Writing into a String cannot fail.
        let _ = write!(text, ", {}", report::duration(finished.duration_since(news.started)));
    }
    text.push_str(".\n");
    if news.finished.is_some() {
        table(&mut text, news);
    }
    text
}

fn table(text: &mut String, news: &News<'_>) {
    let tests = &news.status.tests;
    if tests.is_empty() {
        if let Some(condition) = conditions::get(&news.status.conditions, "Succeeded") {
            let _ = write!(text, "\n{}\n", markdown::code(&condition.message));
        }
        return;
    }
    text.push_str("\n| | Test | Time | Look at | Message |\n|---|---|---|---|---|\n");
    let ordered: Vec<_> = ORDER.into_iter().flat_map(|outcome| of(tests, outcome)).collect();
    let mut size = text.chars().count();
    for (index, test) in ordered.iter().enumerate() {
        let row = row(test);
        let rest = format!("\n{} more tests are in the run's status.\n", ordered.len() - index);
        size += row.chars().count();
        if size + rest.chars().count() > COMMENT_MAX {
            text.push_str(&rest);
            return;
        }
        text.push_str(&row);
    }
}

fn row(test: &TestStatus) -> String {
    let cell = |words: Option<&String>| match words {
        Some(words) if !words.is_empty() => markdown::code(&cut(words, MESSAGE_MAX)),
        _ => String::new(),
    };
    let reason = test.reason.as_ref().filter(|_| test.outcome == Outcome::Error);
    let message = test.message.as_ref().filter(|_| test.outcome != Outcome::Passed);
    format!(
        "| {} | {} | {} | {} | {} |\n",
        outcome(test.outcome),
        markdown::code(&test.name),
        test.duration.as_deref().unwrap_or_default(),
        cell(reason.or(test.component.as_ref()).filter(|_| test.outcome != Outcome::Passed)),
        cell(message),
    )
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Failed => "❌ failed",
        Outcome::UnexpectedPass => "❌ passed unexpectedly",
        Outcome::Error => "⚠️ no verdict",
        Outcome::Flaky => "⚠️ flaky",
        Outcome::ExpectedFailure => "➖ failed as expected",
        Outcome::Skipped => "➖ skipped",
        Outcome::Passed => "✅ passed",
        Outcome::Running => "⏳ running",
        Outcome::Pending => "⏳ not started",
    }
}

fn icon(news: &News<'_>) -> &'static str {
    match (news.finished, news.status.phase) {
        (None, _) => "⏳",
        (_, Phase::Passed) => "✅",
        (_, Phase::Failed) => "❌",
        _ => "⚠️",
    }
}
