//! Which tests of a suite a run has: `suite.tests`, patterns, tags, and what another run left red. Pure.

use copr_operator_api::v1alpha1::Suite;
use globset::{Glob, GlobSet, GlobSetBuilder};

use super::suite::{Listing, Test};

/// Of the tests that a suite has, so many are named to who asks for another.
const NAMED_MAX: usize = 60;

/// Why there is no choosing. Both the spec and the suite are as they are: the run ends.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a test of the suite.
    #[error("failed to find {unknown:?} in the suite {suite}, which has {known}")]
    UnknownTest {
        /// Name of the test.
        unknown: String,
        /// Name of the suite.
        suite: String,
        /// Those that there are.
        known: String,
    },
    /// Not a pattern.
    #[error("failed to read suite.{field}: {pattern:?} is no pattern such as build-*")]
    Pattern {
        /// Which field.
        field: &'static str,
        /// What it says.
        pattern: String,
        /// What globset says.
        #[source]
        source: globset::Error,
    },
    /// Nothing is left.
    #[error("failed to choose tests: suite.tests, include, exclude and tags leave none of the {0} tests")]
    Nothing(usize),
}

/// The tests of a run, in the suite's order. `red` are those that the run to be run again left red.
pub fn select(spec: &Suite, listing: &Listing, red: Option<&[String]>) -> Result<Vec<Test>, Error> {
    let names = || listing.tests.iter().map(|test| &test.name);
    let wanted = red.unwrap_or_default().iter().chain(&spec.tests);
    if let Some(unknown) = wanted.clone().find(|wanted| names().all(|name| name != *wanted)) {
        return Err(Error::UnknownTest {
            unknown: unknown.clone(),
            suite: listing.name.clone(),
            known: known(listing),
        });
    }
    let (include, exclude) = (globs("include", &spec.include)?, globs("exclude", &spec.exclude)?);
    let picked = |test: &&Test| {
        red.is_none_or(|red| red.contains(&test.name))
            && (spec.tests.is_empty() || spec.tests.contains(&test.name))
            && (spec.include.is_empty() || include.is_match(&test.name))
            && !exclude.is_match(&test.name)
            && has_tags(&test.tags, &spec.tags)
    };
    let tests: Vec<_> = listing.tests.iter().filter(picked).cloned().collect();
    // Of a run that left nothing red there is nothing to run again, which is no mistake.
    if tests.is_empty() && red.is_none_or(|red| !red.is_empty()) {
        return Err(Error::Nothing(listing.tests.len()));
    }
    Ok(tests)
}

fn globs(field: &'static str, patterns: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let error = |source| Error::Pattern { field, pattern: pattern.clone(), source };
        set.add(Glob::new(pattern).map_err(error)?);
    }
    set.build().map_err(|source| Error::Pattern { field, pattern: patterns.join(", "), source })
}

/// Whether a test with these tags is chosen by those.
fn has_tags(tags: &[String], chosen: &[String]) -> bool {
    let mut any = chosen.iter().all(|tag| tag.starts_with('!'));
    for tag in chosen {
        match tag.strip_prefix('!') {
            Some(unwanted) if tags.iter().any(|tag| tag == unwanted) => return false,
            Some(_) => {}
            None => any |= tags.contains(tag),
        }
    }
    any
}

fn known(listing: &Listing) -> String {
    let names: Vec<_> = listing.tests.iter().take(NAMED_MAX).map(|test| test.name.as_str()).collect();
    match listing.tests.len().saturating_sub(NAMED_MAX) {
        0 => names.join(", "),
        more => format!("{}, and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::report::chain;
    use serde_json::json;

    use super::*;

    fn listing() -> Listing {
        let test = |name: &str, tags: &[&str]| json!({"name": name, "deadlineSeconds": 9, "tags": tags});
        let tests = [
            test("build-spec", &["build"]),
            test("build-slow", &["build", "slow"]),
            test("auth", &["api"]),
            test("odd name/ü", &[]),
        ];
        super::super::suite::parse(&json!({"contract": 1, "name": "s", "tests": tests}).to_string()).unwrap()
    }

    fn names(spec: serde_json::Value, red: Option<&[String]>) -> Result<Vec<String>, String> {
        let suite: Suite = serde_json::from_value(spec).unwrap();
        let tests = select(&suite, &listing(), red).map_err(|error| chain(&error))?;
        Ok(tests.into_iter().map(|test| test.name).collect())
    }

    #[test]
    fn tests_patterns_and_tags_all_have_to_agree() {
        for (spec, expected) in [
            (json!({}), vec!["build-spec", "build-slow", "auth", "odd name/ü"]),
            (json!({"tests": ["odd name/ü", "auth"]}), vec!["auth", "odd name/ü"]),
            (json!({"include": ["build-*", "au??"], "exclude": ["*-slow"]}), vec!["build-spec", "auth"]),
            (json!({"include": ["*/*"]}), vec!["odd name/ü"]),
            (json!({"tags": ["build", "api"]}), vec!["build-spec", "build-slow", "auth"]),
            (json!({"tags": ["build", "!slow"]}), vec!["build-spec"]),
            (json!({"tags": ["!slow"]}), vec!["build-spec", "auth", "odd name/ü"]),
        ] {
            assert_eq!(names(spec.clone(), None).unwrap(), expected, "{spec}");
        }
    }

    #[test]
    fn who_asks_for_what_there_is_not_is_told_what_there_is() {
        let error = names(json!({"tests": ["nope"]}), None).unwrap_err();
        assert!(error.contains("\"nope\" in the suite s, which has build-spec, build-slow, auth"), "{error}");
        let error = names(json!({"exclude": ["*"]}), None).unwrap_err();
        assert!(error.contains("none of the 4 tests"), "{error}");
        let error = names(json!({"include": ["build-[a"]}), None).unwrap_err();
        assert!(error.contains("suite.include: \"build-[a\""), "{error}");
    }

    #[test]
    fn only_what_was_red_is_run_again() {
        let red = ["auth".to_owned()];
        assert_eq!(names(json!({}), Some(&red)).unwrap(), ["auth"]);
        assert!(names(json!({"tests": ["build-spec"]}), Some(&red)).is_err(), "nothing is left");
        assert_eq!(names(json!({}), Some(&[])).unwrap(), Vec::<String>::new());
    }
}
