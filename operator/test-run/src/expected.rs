//! Failures that are known, and what makes two failures the same. Pure.

use copr_operator_api::v1alpha1::{ExpectedFailure, Outcome, TestResult};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use sha2::{Digest, Sha256};

/// The failures of a test that are expected on a day.
pub struct Expected<'a>(Vec<&'a ExpectedFailure>);

impl<'a> Expected<'a> {
    /// Those of a test that still count.
    pub fn of(all: &'a [ExpectedFailure], test: &str, now: Timestamp) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        let counts = |entry: &&ExpectedFailure| {
            entry.test == test
                && entry
                    .expires
                    .as_deref()
                    .is_none_or(|day| day.parse::<Date>().is_ok_and(|day| today <= day))
        };
        Self(all.iter().filter(counts).collect())
    }

    /// Why the failure of a test with these parts is accepted, if all of it is.
    pub fn accepts(&self, results: &[TestResult]) -> Option<&'a str> {
        if let Some(whole) = self.0.iter().find(|entry| entry.result.is_none()) {
            return Some(&whole.reason);
        }
        let mut failed = results.iter().filter(|result| result.outcome.is_red()).peekable();
        failed.peek()?;
        let mut reason = None;
        for result in failed {
            reason = Some(self.entry(&result.name)?.reason.as_str());
        }
        reason
    }

    /// Why a test was expected to fail, if it was.
    pub fn reason(&self) -> Option<&'a str> {
        self.0.first().map(|entry| entry.reason.as_str())
    }

    /// The entry of a part: of its name, or of the phase that it is in.
    fn entry(&self, part: &str) -> Option<&'a ExpectedFailure> {
        self.0.iter().copied().find(|entry| {
            entry.result.as_deref().is_some_and(|known| {
                part == known || part.strip_prefix(known).is_some_and(|rest| rest.starts_with('/'))
            })
        })
    }
}

/// What is the same of two failures that are alike: without what changes from run to run.
pub fn fingerprint(component: &str, message: &str, results: &[TestResult]) -> String {
    let mut hash = Sha256::new();
    let failed = results.iter().filter(|result| result.outcome == Outcome::Failed);
    let parts: Vec<_> = failed.map(|result| result.name.as_str()).collect();
    // What failed says more than the message, which has only the first of it.
    let said = if parts.is_empty() { lasting(message) } else { parts.join("\n") };
    hash.update(component);
    hash.update([0]);
    hash.update(said);
    hex::encode(&hash.finalize()[..6])
}

/// A message without the words that have a digit: times, numbers of builds, identifiers, paths of a run.
fn lasting(message: &str) -> String {
    let words = message.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(value: serde_json::Value) -> ExpectedFailure {
        serde_json::from_value(value).unwrap()
    }

    fn failed(name: &str) -> TestResult {
        TestResult { name: name.into(), outcome: Outcome::Failed, message: None }
    }

    #[test]
    fn a_whole_test_or_a_part_of_it_is_expected_until_the_last_day() {
        let all = [
            entry(json!({"test": "a", "reason": "issue 1", "expires": "2026-11-26"})),
            entry(json!({"test": "b", "result": "Test", "reason": "issue 2"})),
        ];
        let at = |time: &str| time.parse::<Timestamp>().unwrap();
        let (last, after) = (at("2026-11-26T23:59:59Z"), at("2026-11-27T00:00:00Z"));
        assert_eq!(Expected::of(&all, "a", last).accepts(&[]), Some("issue 1"));
        assert_eq!(Expected::of(&all, "a", after).accepts(&[]), None);
        assert_eq!(Expected::of(&all, "a", after).reason(), None);
        let b = Expected::of(&all, "b", after);
        assert_eq!(b.accepts(&[failed("Test/it builds"), failed("Test")]), Some("issue 2"));
        assert_eq!(b.accepts(&[failed("Tests")]), None, "another part");
        assert_eq!(b.accepts(&[failed("Test"), failed("Cleanup")]), None, "another part, too");
        assert_eq!(b.accepts(&[]), None, "nobody knows which part");
        assert_eq!(Expected::of(&all, "c", last).reason(), None);
    }

    #[test]
    fn two_failures_that_are_alike_have_one_fingerprint() {
        let of = |message: &str| fingerprint("keygen", message, &[]);
        assert_eq!(of("build 17 failed after 41s"), of("build 23 failed after 9s"));
        assert_ne!(of("no key"), of("no signature"));
        assert_ne!(of("no key"), fingerprint("backend", "no key", &[]));
        let parts = |message: &str, part: &str| fingerprint("", message, &[failed(part)]);
        assert_eq!(parts("x", "Test/a"), parts("y", "Test/a"));
        assert_ne!(parts("x", "Test/a"), parts("x", "Test/b"));
    }
}
