//! A run in tables.

use std::collections::BTreeMap;

use comfy_table::{Table, presets};
use copr_operator_api::v1alpha1::{
    CoprTestRun, CoprTestRunStatus, ImageState, ImageStatus, InstalledPackage, Outcome,
};
use copr_operator_kernel::report;

use super::{between, description, follow, one_line, verdict};

/// Everything that `results` shows. Of images there is a table where somebody has seen them.
pub fn results(run: &CoprTestRun, seen: &[ImageStatus]) -> String {
    let status = run.status.clone().unwrap_or_default();
    let name = run.metadata.name.as_deref().unwrap_or_default();
    let mut parts = vec![format!("{name}  {}\n", verdict::headline(&status))];
    let facts: Vec<_> =
        facts(run, &status).into_iter().map(|(name, value)| vec![name.into(), value]).collect();
    if !facts.is_empty() {
        parts.push(table(&[], facts));
    }
    if !status.tests.is_empty() {
        parts.push(tests(&status));
        parts.extend(failures(&status));
        parts.push(format!("{}.\n", follow::summary(&status)));
    }
    if seen.is_empty() {
        parts.push(packages(&status));
    } else {
        parts.extend([images(run, seen), images_failed(seen)]);
    }
    parts.push(times(run, &status));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// Columns as kubectl has them: two spaces, and nothing around.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

/// What the run is about.
pub fn facts(run: &CoprTestRun, status: &CoprTestRunStatus) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    let mut row = |name: &'static str, value: Option<String>| rows.extend(value.map(|value| (name, value)));
    row("Tested", description(run));
    row("Instance", status.instance.clone());
    row(
        "Suite",
        status.suite.as_ref().map(|suite| {
            let version = suite.version.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
            let commit = suite.commit.as_ref().map(|c| format!(", commit {c}")).unwrap_or_default();
            format!("{}{version}, {}{commit}", suite.name, suite.image)
        }),
    );
    let source = run.spec.source.clone().unwrap_or_default();
    let told = [
        source.repository,
        source.pull_request.map(|number| format!("pull request {number}")),
        source.commit.map(|commit| format!("commit {commit}")),
    ];
    let told: Vec<_> = told.into_iter().flatten().collect();
    row("Source", (!told.is_empty()).then(|| told.join(", ")));
    row("Rerun of", run.spec.rerun_of.clone());
    row("Evidence", status.evidence.as_ref().and_then(|evidence| evidence.artifact.clone()));
    rows
}

fn tests(status: &CoprTestRunStatus) -> String {
    let dash = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    let rows = status.tests.iter().map(|test| {
        let message = match (&test.message, test.outcome) {
            (Some(message), outcome) if outcome != Outcome::Passed => one_line(message),
            _ => String::new(),
        };
        let message = match test.reason.as_ref().filter(|_| test.outcome == Outcome::Error) {
            Some(reason) if message.is_empty() => reason.clone(),
            Some(reason) => format!("{reason}: {message}"),
            None => message,
        };
        vec![
            test.name.clone(),
            format!("{:?}", test.outcome),
            dash(&test.duration),
            test.attempts.to_string(),
            dash(&test.component),
            report::truncate(message, 200),
        ]
    });
    table(&["TEST", "OUTCOME", "TIME", "TRIES", "COMPONENT", "MESSAGE"], rows)
}

/// The parts of red tests that didn't pass.
fn failures(status: &CoprTestRunStatus) -> Option<String> {
    let mut text = String::new();
    for test in status.tests.iter().filter(|test| test.outcome.is_red() && !test.results.is_empty()) {
        text.extend([format!("{}:\n", test.name)]);
        for result in &test.results {
            let message = result.message.as_ref().map(|m| format!("  {}", one_line(m))).unwrap_or_default();
            text.extend([format!("  {:?}  {}{message}\n", result.outcome, one_line(&result.name))]);
        }
    }
    (!text.is_empty()).then_some(text)
}

/// The packages under test, by the repository that they came from.
fn packages(status: &CoprTestRunStatus) -> String {
    let mut by_repository: BTreeMap<&str, Vec<&InstalledPackage>> = BTreeMap::new();
    for package in &status.packages {
        by_repository.entry(&package.repository).or_default().push(package);
    }
    let rows = by_repository.into_iter().flat_map(|(repository, packages)| {
        packages.into_iter().map(|package| vec![package.nevra.clone(), repository.to_owned()])
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() { String::new() } else { table(&["PACKAGE", "REPOSITORY"], rows) }
}

/// An image a row, with what it has of each repository, in the order of the spec: what lies over others comes first.
fn images(run: &CoprTestRun, images: &[ImageStatus]) -> String {
    let packages = run.spec.instance.template.as_ref().and_then(|template| template.packages.as_ref());
    let order: Vec<_> = packages.iter().flat_map(|p| &p.repositories).map(|r| r.name.as_str()).collect();
    let place = |repository: &str| order.iter().position(|name| *name == repository).unwrap_or(order.len());
    let rows = images.iter().map(|image| {
        let mut by_repository: BTreeMap<(usize, &str), Vec<&str>> = BTreeMap::new();
        for package in &image.packages {
            let short = package.nevra.rsplit_once('.').map_or(package.nevra.as_str(), |(short, _)| short);
            let repository = package.repository.as_str();
            by_repository.entry((place(repository), repository)).or_default().push(short);
        }
        let told = by_repository.iter().map(|((_, name), of_it)| format!("{} ({name})", of_it.join(" ")));
        let told: Vec<_> = told.collect();
        vec![
            image.component.clone(),
            format!("{:?}", image.state),
            image.elapsed.clone().filter(|_| image.state != ImageState::Reused).unwrap_or_else(|| "-".into()),
            if told.is_empty() { "-".into() } else { told.join(", ") },
        ]
    });
    table(&["IMAGE", "STATE", "TIME", "PACKAGES"], rows)
}

/// Why there are none of some.
fn images_failed(images: &[ImageStatus]) -> String {
    let failed = images.iter().filter(|image| image.state == ImageState::Failed);
    let why = |image: &ImageStatus| image.message.as_deref().map_or("no reason was given".into(), lines);
    failed
        .map(|image| format!("Why there is no image of {}:\n{}", image.component, why(image)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The ends of logs, by the names of their tests.
pub fn logs(logs: &BTreeMap<String, String>) -> String {
    logs.iter()
        .map(|(test, log)| format!("The end of the log of {test}:\n{}", lines(log)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// As they are, but for what would move a terminal's cursor, and indented.
fn lines(text: &str) -> String {
    let line = |line: &str| format!("  {}\n", line.replace('\t', "    ").replace(char::is_control, ""));
    text.trim_end().lines().map(line).collect()
}

/// What a run spent its time with.
pub fn spent(run: &CoprTestRun, status: &CoprTestRunStatus) -> Vec<(&'static str, Option<String>)> {
    let t = &status.timestamps;
    let took = |start, end| between(start, end).map(report::duration);
    // Prebuilt images are pulled as the instance needs them: then images and instance overlap.
    let builds = run.spec.instance.template.as_ref().is_some_and(|template| template.packages.is_some());
    let begun = t.admitted.as_ref().or(t.started.as_ref());
    let mut rows = vec![
        ("queue", took(t.started.as_ref(), t.admitted.as_ref()).filter(|took| took != "0s")),
        ("images", took(begun, t.images_ready.as_ref()).filter(|_| builds)),
        ("instance", took(if builds { t.images_ready.as_ref() } else { begun }, t.instance_ready.as_ref())),
        ("first test", took(t.instance_ready.as_ref(), t.first_test.as_ref())),
        ("tests", took(t.first_test.as_ref(), t.finished.as_ref())),
        ("in all", took(t.started.as_ref(), t.finished.as_ref())),
    ];
    rows.retain(|(_, took)| took.is_some());
    rows
}

fn times(run: &CoprTestRun, status: &CoprTestRunStatus) -> String {
    let rows: Vec<_> = spent(run, status)
        .into_iter()
        .map(|(what, took)| vec![what.into(), took.unwrap_or_default()])
        .collect();
    if rows.is_empty() { String::new() } else { table(&["TIME OF", "TOOK"], rows) }
}

#[cfg(test)]
mod tests {
    use super::{super::fixtures, *};

    #[test]
    fn a_red_run() {
        insta::assert_snapshot!(results(&fixtures::red(), &[]));
    }

    #[test]
    fn a_green_run() {
        insta::assert_snapshot!(results(&fixtures::green(), &[]));
    }

    #[test]
    fn a_run_that_nobody_has_looked_at() {
        let run = CoprTestRun { status: None, ..fixtures::green() };
        insta::assert_snapshot!(results(&run, &[]));
    }

    #[test]
    fn images_that_were_seen_and_what_is_in_them() {
        insta::assert_snapshot!(results(&fixtures::described(), &fixtures::images()));
    }

    #[test]
    fn the_end_of_a_log_keeps_its_lines_and_moves_no_cursor() {
        let logs_of = [("webui".to_owned(), "one\n\ttwo\u{1b}[2J\n\n".to_owned())].into();
        assert_eq!(logs(&logs_of), "The end of the log of webui:\n  one\n      two[2J\n");
    }
}
