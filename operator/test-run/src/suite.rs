//! A suite as it lists itself: the operator's half of docs/suite-contract.md. Pure.

use std::collections::BTreeSet;

use copr_operator_kernel::report;
use serde::Deserialize;

/// The version of the contract that the operator speaks.
const CONTRACT: i64 = 1;
/// So many tests the status of a run has room for.
const TESTS_MAX: usize = 500;
/// And names of this length, in characters.
const NAME_MAX: usize = 100;
/// And of this length altogether, in bytes.
const NAMES_MAX: usize = 24 * 1024;
/// A test builds something: trouble with builders is no fault of its own.
const BUILDERS: &str = "builders";

/// One test of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its name: the argument of `run-test`.
    pub name: String,
    /// What it can be chosen by.
    pub tags: Vec<String>,
    /// How long it may take, for a Copr with Fedora's mirrors behind it.
    pub deadline_seconds: i64,
    /// Whether nothing may run beside it.
    pub exclusive: bool,
    /// Whether it builds something, which needs a builder.
    pub builds: bool,
    /// What it needs that the operator knows nothing of.
    pub unknown_need: Option<String>,
}

/// A suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What it calls itself.
    pub name: String,
    /// Its version, if it says one.
    pub version: Option<String>,
    /// Whether its tests run as root of a user namespace.
    pub root: bool,
    /// The repository of its tests, if they are in one.
    pub url: Option<String>,
    /// The commit of its tests.
    pub commit: Option<String>,
    /// Its tests, in the order worth starting in.
    pub tests: Vec<Test>,
}

/// Why a list can't be used. Listing again would give the same.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("run-test --list printed no line with a JSON object; its last words: {0:?}")]
    NoObject(String),
    /// Not the JSON of the contract.
    #[error("run-test --list printed no list of tests as docs/suite-contract.md has it")]
    Malformed(#[source] serde_json::Error),
    /// Another version of the contract.
    #[error("the suite speaks version {0} of the contract, and this operator version {CONTRACT}")]
    Contract(i64),
    /// More than a status can hold.
    #[error(
        "the suite lists {tests} tests with names of {bytes} bytes: a run has room for {TESTS_MAX} tests with names of {NAMES_MAX} bytes"
    )]
    TooMany {
        /// So many.
        tests: usize,
        /// So long.
        bytes: usize,
    },
    /// Not a name.
    #[error(
        "the suite lists the test {0:?}: names are unique, 1 to {NAME_MAX} printable characters, and begin with none of '-' and ' '"
    )]
    Name(String),
    /// Not a deadline.
    #[error("the suite lists {name:?} with a deadline of {seconds} s: it is between 1 s and a day")]
    Deadline {
        /// Of which test.
        name: String,
        /// What it says.
        seconds: i64,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    contract: i64,
    name: String,
    version: Option<String>,
    #[serde(default)]
    root: bool,
    source: Option<Source>,
    tests: Vec<Entry>,
}

#[derive(Deserialize)]
struct Source {
    url: Option<String>,
    commit: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    #[serde(default)]
    tags: Vec<String>,
    deadline_seconds: i64,
    #[serde(default)]
    exclusive: bool,
    #[serde(default)]
    needs: Vec<String>,
}

/// The line of a log that is the list: the last one with a JSON object. What a suite writes to stderr is in the same log.
pub fn document(log: &str) -> Result<&str, Error> {
    let lines = || log.lines().map(str::trim).filter(|line| !line.is_empty());
    lines().rfind(|line| line.starts_with('{')).ok_or_else(|| {
        Error::NoObject(report::truncate(lines().next_back().unwrap_or_default().to_owned(), 256))
    })
}

/// Reads a list.
pub fn parse(document: &str) -> Result<Listing, Error> {
    let document: Document = serde_json::from_str(document).map_err(Error::Malformed)?;
    if document.contract != CONTRACT {
        return Err(Error::Contract(document.contract));
    }
    let (tests, bytes) = (document.tests.len(), document.tests.iter().map(|entry| entry.name.len()).sum());
    if tests > TESTS_MAX || bytes > NAMES_MAX {
        return Err(Error::TooMany { tests, bytes });
    }
    let mut names = BTreeSet::new();
    for Entry { name, deadline_seconds: seconds, .. } in &document.tests {
        let is_name = (1..=NAME_MAX).contains(&name.chars().count())
            && !name.chars().any(char::is_control)
            && !name.starts_with(['-', ' ']);
        if !is_name || !names.insert(name.clone()) {
            return Err(Error::Name(report::truncate(name.clone(), 256)));
        }
        if !(1..=86_400).contains(seconds) {
            return Err(Error::Deadline { name: name.clone(), seconds: *seconds });
        }
    }
    let source = document.source.unwrap_or(Source { url: None, commit: None });
    Ok(Listing {
        name: report::truncate(document.name, 63),
        version: document.version.map(|version| report::truncate(version, 63)),
        root: document.root,
        url: source.url.map(|url| report::truncate(url, 1024)),
        commit: source.commit.map(|commit| report::truncate(commit, 64)),
        tests: document.tests.into_iter().map(test).collect(),
    })
}

fn test(entry: Entry) -> Test {
    Test {
        builds: entry.needs.iter().any(|need| need == BUILDERS),
        unknown_need: entry.needs.into_iter().find(|need| need != BUILDERS),
        name: entry.name,
        tags: entry.tags,
        deadline_seconds: entry.deadline_seconds,
        exclusive: entry.exclusive,
    }
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::report::chain;
    use serde_json::json;

    use super::*;

    fn said(log: &str) -> Result<Listing, String> {
        document(log).and_then(parse).map_err(|error| chain(&error))
    }

    fn list(tests: &serde_json::Value) -> String {
        json!({"contract": 1, "name": "mine", "tests": tests, "later": "ignored"}).to_string()
    }

    #[test]
    fn the_last_object_of_the_log_is_the_list() {
        let tests =
            json!([{"name": "a b/ü", "deadlineSeconds": 60, "needs": ["builders", "moon"], "tags": ["x"]}]);
        let listing = said(&format!("warning: {{\n{{\"a\": 1}}\n{}\nbye\n", list(&tests))).unwrap();
        assert_eq!((listing.name.as_str(), listing.tests.len()), ("mine", 1));
        let test = &listing.tests[0];
        assert_eq!((test.name.as_str(), test.builds, test.exclusive), ("a b/ü", true, false));
        assert_eq!(test.unknown_need.as_deref(), Some("moon"));
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let entry = |name: &str, seconds: i64| json!({"name": name, "deadlineSeconds": seconds});
        let many: Vec<_> = (0..501).map(|n| entry(&n.to_string(), 1)).collect();
        let long: Vec<_> = (0..400).map(|n| entry(&format!("{n:0>90}"), 1)).collect();
        for (log, what) in [
            ("bash: run-test: not found".to_owned(), "not found"),
            ("{\"tests\": 3}".to_owned(), "docs/suite-contract.md"),
            (json!({"contract": 2, "name": "x", "tests": []}).to_string(), "version 2 of the contract"),
            (list(&json!(many)), "501 tests"),
            (list(&json!(long)), "36000 bytes"),
            (list(&json!([entry("", 1)])), "\"\""),
            (list(&json!([entry("--list", 1)])), "--list"),
            (list(&json!([entry("a\nb", 1)])), "a\\nb"),
            (list(&json!([entry("a", 1), entry("a", 2)])), "unique"),
            (list(&json!([entry("a", 0)])), "deadline of 0 s"),
        ] {
            let error = said(&log).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}
