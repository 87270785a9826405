//! A run as one page that needs nothing else: no script, no other file, no network.

use std::collections::BTreeMap;

use askama::Template;
use copr_operator_api::v1alpha1::{CoprTestRun, CoprTestRunStatus, Outcome, Phase, TestStatus};
use copr_operator_kernel::report;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{between, compare, follow, one_line, tables, verdict};

/// What the page is about.
pub struct Subject<'a> {
    pub run: &'a CoprTestRun,
    /// The last one before it that passed.
    pub green: Option<&'a CoprTestRun>,
    /// The ends of the logs of red tests, by their names.
    pub logs: &'a BTreeMap<String, String>,
    pub version: &'a str,
}

#[derive(Template)]
#[template(path = "run.html")]
struct Page<'a> {
    name: &'a str,
    phase: Phase,
    tone: &'static str,
    headline: String,
    summary: String,
    facts: Vec<(&'static str, String)>,
    red: Vec<Red<'a>>,
    green: Option<Green>,
    tests: Vec<Row>,
    spans: Vec<Span>,
    packages: Vec<(&'a str, &'a str)>,
    images: &'a BTreeMap<String, String>,
    version: &'a str,
}

/// A test to look at.
struct Red<'a> {
    name: &'a str,
    outcome: String,
    tone: &'static str,
    about: String,
    message: &'a str,
    parts: Vec<String>,
    log: Option<&'a String>,
}

struct Green {
    name: String,
    when: String,
    lines: Vec<Line>,
}

struct Line {
    what: String,
    then: String,
    now: String,
}

struct Row {
    name: String,
    outcome: String,
    tone: &'static str,
    took: String,
    tries: i32,
    message: String,
}

/// A row of the timeline.
struct Span {
    what: String,
    tone: &'static str,
    after: String,
    took: String,
    /// Of the whole, in percent.
    from: String,
    width: String,
}

pub fn page(subject: &Subject) -> Result<String, askama::Error> {
    let nothing = CoprTestRunStatus::default();
    let status = subject.run.status.as_ref().unwrap_or(&nothing);
    let mut red: Vec<_> = status.tests.iter().filter(|test| test.outcome.is_red()).collect();
    // What says something of Copr is first.
    red.sort_by_key(|test| test.outcome == Outcome::Error);
    let page = Page {
        name: subject.run.metadata.name.as_deref().unwrap_or_default(),
        phase: status.phase,
        tone: match status.phase {
            Phase::Passed => "good",
            Phase::Failed => "bad",
            _ => "none",
        },
        headline: verdict::headline(status),
        summary: follow::summary(status),
        facts: facts(subject.run, status),
        red: red.into_iter().map(|test| self::red(test, subject)).collect(),
        green: subject.green.map(|green| self::green(green, status)),
        tests: status.tests.iter().map(row).collect(),
        spans: spans(subject.run, status),
        packages: status.packages.iter().map(|p| (p.nevra.as_str(), p.repository.as_str())).collect(),
        images: &status.images,
        version: subject.version,
    };
    page.render()
}

fn tone(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "good",
        Outcome::Failed | Outcome::UnexpectedPass => "bad",
        Outcome::Error | Outcome::Flaky => "none",
        Outcome::Pending | Outcome::Running | Outcome::Skipped | Outcome::ExpectedFailure => "soft",
    }
}

fn facts(run: &CoprTestRun, status: &CoprTestRunStatus) -> Vec<(&'static str, String)> {
    let mut facts = tables::facts(run, status);
    let at = |time: &Option<Time>| time.as_ref().map(|time| time.0.to_string());
    facts.extend(at(&status.timestamps.started).map(|time| ("Started", time)));
    facts.extend(at(&status.timestamps.finished).map(|time| ("Finished", time)));
    facts
}

fn red<'a>(test: &'a TestStatus, subject: &Subject<'a>) -> Red<'a> {
    let about = [
        test.reason.clone().filter(|_| test.outcome == Outcome::Error),
        test.component.as_ref().map(|component| format!("look at {component}")),
        (test.attempts > 1).then(|| format!("{} attempts", test.attempts)),
        was_so(test, subject.green).then(|| "it was so in the last green run, too".to_owned()),
    ];
    Red {
        name: &test.name,
        outcome: format!("{:?}", test.outcome),
        tone: tone(test.outcome),
        about: about.into_iter().flatten().collect::<Vec<_>>().join(", "),
        message: test.message.as_deref().unwrap_or_default(),
        parts: test
            .results
            .iter()
            .map(|part| {
                let message =
                    part.message.as_ref().map(|m| format!(" ({})", one_line(m))).unwrap_or_default();
                format!("{:?}: {}{message}", part.outcome, part.name)
            })
            .collect(),
        log: subject.logs.get(&test.name),
    }
}

/// An expected failure of then may be an unexpected one of now.
fn was_so(test: &TestStatus, green: Option<&CoprTestRun>) -> bool {
    let tests = green.and_then(|green| green.status.as_ref()).map(|status| &status.tests);
    let before = tests.and_then(|tests| tests.iter().find(|before| before.name == test.name));
    before.is_some_and(|before| before.fingerprint.is_some() && before.fingerprint == test.fingerprint)
}

fn green(green: &CoprTestRun, status: &CoprTestRunStatus) -> Green {
    let before = green.status.clone().unwrap_or_default();
    let difference = compare::difference(&before, status);
    let lists = [("", difference.packages), ("image ", difference.images), ("suite's ", difference.suite)];
    let lines = lists.into_iter().flat_map(|(what, pairs)| {
        pairs.into_iter().map(move |pair| Line {
            what: format!("{what}{}", pair.name),
            then: pair.before.unwrap_or_else(|| "-".into()),
            now: pair.after.unwrap_or_else(|| "-".into()),
        })
    });
    Green {
        name: green.metadata.name.clone().unwrap_or_default(),
        when: before.timestamps.finished.as_ref().map(|time| time.0.to_string()).unwrap_or_default(),
        lines: lines.collect(),
    }
}

fn row(test: &TestStatus) -> Row {
    Row {
        name: test.name.clone(),
        outcome: format!("{:?}", test.outcome),
        tone: tone(test.outcome),
        took: test.duration.clone().unwrap_or_else(|| "-".into()),
        tries: test.attempts,
        message: test
            .message
            .as_deref()
            .filter(|_| test.outcome != Outcome::Passed)
            .map(one_line)
            .unwrap_or_default(),
    }
}

/// The phases, then the tests, each with its part of the whole.
fn spans(run: &CoprTestRun, status: &CoprTestRunStatus) -> Vec<Span> {
    let t = &status.timestamps;
    let (Some(begin), Some(end)) = (&t.started, &t.finished) else { return Vec::new() };
    let whole = end.0.duration_since(begin.0).as_secs_f64().max(1.0);
    let span = |what: &str, tone, from: Option<&Time>, to: Option<&Time>| {
        let took = between(from, to)?;
        let after = between(Some(begin), from)?;
        // A clock may have been set back.
        let percent = |part: f64| format!("{:.1}", (100.0 * part / whole).clamp(0.0, 100.0));
        Some(Span {
            what: what.to_owned(),
            tone,
            after: report::duration(after),
            took: report::duration(took),
            from: percent(after.as_secs_f64()),
            width: percent(took.as_secs_f64()),
        })
    };
    let admitted = t.admitted.as_ref().or(Some(begin));
    let builds = run.spec.instance.template.as_ref().is_some_and(|template| template.packages.is_some());
    let images = t.images_ready.as_ref().filter(|_| builds);
    let phases = [
        span("Queue", "", Some(begin), admitted).filter(|span| span.took != "0s"),
        span("Images", "", admitted, images),
        span("Instance", "", images.or(admitted), t.instance_ready.as_ref()),
        span("Tests", "", t.first_test.as_ref(), Some(end)),
    ];
    let tests = status.tests.iter().map(|test| {
        span(&test.name, tone(test.outcome), test.started_at.as_ref(), test.finished_at.as_ref())
    });
    phases.into_iter().chain(tests).flatten().collect()
}

/// The end of a log as a page can show it: without what moves a terminal's cursor or colours its text.
pub fn log_end(log: &str) -> String {
    let mut text = String::new();
    let mut rest = log.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' if rest.peek() == Some(&'[') => {
                // Up to the letter that ends it.
                rest.by_ref().skip(1).find(|c| ('@'..='~').contains(c));
            }
            '\n' | '\t' => text.push(c),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text.trim_end().to_owned()
}

/// The last run before it that passed, of the same suite and about the same repository.
pub fn last_green<'a>(run: &CoprTestRun, all: &'a [CoprTestRun]) -> Option<&'a CoprTestRun> {
    let started = |run: &CoprTestRun| run.status.as_ref()?.timestamps.started.as_ref().map(|time| time.0);
    let finished = |run: &CoprTestRun| run.status.as_ref()?.timestamps.finished.as_ref().map(|time| time.0);
    let about = |run: &CoprTestRun| {
        let suite =
            run.status.as_ref().and_then(|status| status.suite.as_ref()).map(|suite| suite.name.clone());
        (suite, run.spec.source.as_ref().and_then(|source| source.repository.clone()))
    };
    let begin = started(run)?;
    all.iter()
        .filter(|other| other.status.as_ref().is_some_and(|status| status.phase == Phase::Passed))
        // A rerun of some tests says nothing of the others.
        .filter(|other| other.spec.rerun_of.is_none() && about(other) == about(run))
        .filter_map(|other| Some((finished(other)?, other)))
        .filter(|(end, _)| *end <= begin)
        .max_by_key(|(end, _)| *end)
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::fixtures, *};

    fn page_of(run: &CoprTestRun, green: Option<&CoprTestRun>) -> String {
        let log = log_end("Building hello\n\u{1b}[31merror:\u{1b}[0m <script>alert(1)</script>\r\n");
        let logs = [("build-spec".to_owned(), log)].into();
        page(&Subject { run, green, logs: &logs, version: "0.1.0" }).unwrap()
    }

    /// `operator/cli/tests/page/check` looks at these in a browser.
    #[test]
    fn pages() {
        let page = page_of(&fixtures::red(), Some(&fixtures::green()));
        assert!(!page.contains("<script"));
        insta::assert_binary_snapshot!("red.html", page.into_bytes());
        insta::assert_binary_snapshot!("green.html", page_of(&fixtures::green(), None).into_bytes());
        insta::assert_binary_snapshot!("no-tests.html", page_of(&fixtures::no_images(), None).into_bytes());
    }

    #[test]
    fn a_log_has_no_more_colours() {
        assert_eq!(log_end("a\u{1b}[1;31mb\u{1b}[Kc\u{7}\r\n\td\n\n"), "abc\n\td");
        assert_eq!(log_end("cut off \u{1b}["), "cut off");
    }

    #[test]
    fn the_last_green_run_is_the_one_before_of_the_same_suite_and_repository() {
        let run = |name: &str, phase: &str, end: i64, change: &[(&str, Value)]| -> CoprTestRun {
            let mut object = fixtures::green_object();
            object["metadata"]["name"] = name.into();
            object["status"]["phase"] = phase.into();
            object["status"]["timestamps"] = json!({"started": fixtures::at(end - 5).to_string(), "finished": fixtures::at(end).to_string()});
            for (path, value) in change {
                *object.pointer_mut(path).unwrap() = value.clone();
            }
            serde_json::from_value(object).unwrap()
        };
        let all = vec![
            run("older", "Passed", -100, &[]),
            run("last", "Passed", -50, &[]),
            run("red", "Failed", -40, &[]),
            run("other-suite", "Passed", -30, &[("/status/suite/name", "upstream".into())]),
            run("other-repository", "Passed", -20, &[("/spec/source/repository", "you/copr".into())]),
            run("later", "Passed", 900, &[]),
        ];
        let found = last_green(&fixtures::red(), &all).unwrap();
        assert_eq!(found.metadata.name.as_deref(), Some("last"));
    }
}
