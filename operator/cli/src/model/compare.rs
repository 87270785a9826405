//! Two runs, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use copr_operator_api::v1alpha1::{CoprTestRun, CoprTestRunStatus, Outcome, TestStatus};

use super::{count, one_line, tables, verdict};

/// What is different.
#[derive(Debug, Default)]
pub struct Difference {
    pub got_red: Vec<Change>,
    pub got_green: Vec<Change>,
    pub still_red: Vec<Change>,
    /// Were red, and have no verdict now: skipped, or not run.
    pub untold: Vec<Change>,
    /// Packages by name: before, after.
    pub packages: Vec<Pair>,
    pub images: Vec<Pair>,
    pub suite: Vec<Pair>,
}

/// A test that is, or was, red.
#[derive(Debug)]
pub struct Change {
    pub name: String,
    pub before: Option<Outcome>,
    pub after: Option<Outcome>,
    pub message: String,
    /// The same failure as before, as far as one can tell.
    pub alike: bool,
}

/// Something that is another one now; absent where there was, or is, none.
#[derive(Debug, PartialEq, Eq)]
pub struct Pair {
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

pub fn difference(before: &CoprTestRunStatus, after: &CoprTestRunStatus) -> Difference {
    let mut difference = Difference {
        packages: pairs(&packages(before), &packages(after)),
        images: pairs(&before.images, &after.images),
        suite: pairs(&suite(before), &suite(after)),
        ..Difference::default()
    };
    let by_name = |status: &CoprTestRunStatus| -> BTreeMap<String, TestStatus> {
        status.tests.iter().map(|test| (test.name.clone(), test.clone())).collect()
    };
    let (were, are) = (by_name(before), by_name(after));
    // In the order of the suite, what is there no more last.
    let gone = before.tests.iter().filter(|test| !are.contains_key(&test.name));
    for test in after.tests.iter().chain(gone) {
        let (was, is) = (were.get(&test.name), are.get(&test.name));
        let red = |test: Option<&TestStatus>| test.is_some_and(|test| test.outcome.is_red());
        let list = match (red(was), red(is)) {
            (false, true) => &mut difference.got_red,
            (true, true) => &mut difference.still_red,
            (true, false) if is.is_some_and(|test| is_green(test.outcome)) => &mut difference.got_green,
            (true, false) => &mut difference.untold,
            (false, false) => continue,
        };
        let fingerprint = |test: Option<&TestStatus>| test.and_then(|test| test.fingerprint.clone());
        list.push(Change {
            name: test.name.clone(),
            before: was.map(|test| test.outcome),
            after: is.map(|test| test.outcome),
            message: is
                .filter(|test| test.outcome.is_red())
                .and_then(|t| t.message.as_deref())
                .map(one_line)
                .unwrap_or_default(),
            alike: fingerprint(was).is_some() && fingerprint(was) == fingerprint(is),
        });
    }
    difference
}

fn is_green(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Passed | Outcome::Flaky | Outcome::ExpectedFailure)
}

/// What differs, by key.
fn pairs(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Pair> {
    let names: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    let pair =
        |name: String| Pair { before: before.get(&name).cloned(), after: after.get(&name).cloned(), name };
    names.into_iter().map(pair).filter(|pair| pair.before != pair.after).collect()
}

/// Name to version. Of a name there may be several versions, in several images.
fn packages(status: &CoprTestRunStatus) -> BTreeMap<String, String> {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in &status.packages {
        let (name, version) = split(&package.nevra);
        versions.entry(name.into()).or_default().insert(version.into());
    }
    versions.into_iter().map(|(name, all)| (name, all.into_iter().collect::<Vec<_>>().join(", "))).collect()
}

/// Name and `[epoch:]version-release.architecture`.
fn split(nevra: &str) -> (&str, &str) {
    let mut dashes = nevra.rmatch_indices('-');
    match (dashes.next(), dashes.next()) {
        (Some(_), Some((at, _))) => (&nevra[..at], &nevra[at + 1..]),
        _ => (nevra, ""),
    }
}

fn suite(status: &CoprTestRunStatus) -> BTreeMap<String, String> {
    let Some(suite) = &status.suite else { return BTreeMap::new() };
    let facts = [
        ("suite", Some(suite.name.clone())),
        ("version", suite.version.clone()),
        ("image", Some(suite.image.clone())),
        ("commit", suite.commit.clone()),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Both runs in words.
pub fn words(before: &CoprTestRun, after: &CoprTestRun) -> String {
    let name = |run: &CoprTestRun| run.metadata.name.clone().unwrap_or_default();
    let (old, new) = (before.status.clone().unwrap_or_default(), after.status.clone().unwrap_or_default());
    let difference = difference(&old, &new);
    let mut text = tables::table(
        &["", "RUN", "VERDICT"],
        [("before", before, &old), ("after", after, &new)]
            .map(|(when, run, status)| vec![when.into(), name(run), verdict::headline(status)]),
    );
    let lists = [
        ("got red", &difference.got_red),
        ("got green", &difference.got_green),
        ("still red", &difference.still_red),
        ("red before, without a verdict now", &difference.untold),
    ];
    for (what, changes) in lists {
        if !changes.is_empty() {
            text.extend([format!("\n{} {what}:\n", count(changes.len(), "test"))]);
            text += &tables::table(&[], changes.iter().map(row));
        }
    }
    for (what, pairs) in
        [("PACKAGE", &difference.packages), ("IMAGE", &difference.images), ("SUITE", &difference.suite)]
    {
        if !pairs.is_empty() {
            let cell = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
            let rows =
                pairs.iter().map(|pair| vec![pair.name.clone(), cell(&pair.before), cell(&pair.after)]);
            text.extend([format!("\n{}", tables::table(&[what, "BEFORE", "AFTER"], rows))]);
        }
    }
    if difference.packages.is_empty() && !new.packages.is_empty() {
        text += "\nBoth had the same packages.\n";
    }
    text
}

fn row(change: &Change) -> Vec<String> {
    let outcome = |outcome: Option<Outcome>| outcome.map_or_else(|| "-".into(), |o| format!("{o:?}"));
    let alike = if change.alike { "as before: " } else { "" };
    vec![
        format!("  {}", change.name),
        format!("{} -> {}", outcome(change.before), outcome(change.after)),
        format!("{alike}{}", change.message),
    ]
}

#[cfg(test)]
mod tests {
    use super::{super::fixtures, *};

    #[test]
    fn a_green_run_and_a_red_one() {
        insta::assert_snapshot!(words(&fixtures::green(), &fixtures::red()));
    }

    #[test]
    fn the_other_way_round() {
        insta::assert_snapshot!(words(&fixtures::red(), &fixtures::green()));
    }

    #[test]
    fn the_same_failure_again_is_called_so() {
        let difference = difference(&fixtures::red().status.unwrap(), &fixtures::red().status.unwrap());
        assert!(difference.got_red.is_empty() && difference.packages.is_empty());
        let alike: Vec<_> =
            difference.still_red.iter().map(|change| (change.name.as_str(), change.alike)).collect();
        assert_eq!(alike, [("build-spec", true), ("build-srpm", false), ("signatures", false)]);
    }

    #[test]
    fn a_package_is_a_name_and_a_version() {
        assert_eq!(
            split("python3-copr-common-1.2-1.fc44.noarch"),
            ("python3-copr-common", "1.2-1.fc44.noarch")
        );
        assert_eq!(split("odd"), ("odd", ""));
    }
}
