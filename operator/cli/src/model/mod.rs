//! From statuses to what people and tools read. Pure: no client, no terminal, no clock.

pub mod compare;
pub mod describe;
pub mod expected;
pub mod files;
pub mod follow;
pub mod html;
pub mod limit;
pub mod new_run;
pub mod packages;
pub mod preflight;
pub mod surroundings;
pub mod tables;
pub mod tmt;
pub mod verdict;

#[cfg(test)]
pub mod fixtures;

use copr_operator_api::v1alpha1::CoprTestRun;
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// A message that may have lines, on one, and without what would move a terminal's cursor: tests and builds write messages, too.
pub fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").replace(char::is_control, "")
}

pub fn condition<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// What a run says of itself.
pub fn description(run: &CoprTestRun) -> Option<String> {
    run.metadata.annotations.as_ref()?.get(new_run::DESCRIPTION).map(|text| one_line(text))
}

/// From one time to another, if both are known.
pub fn between(start: Option<&Time>, end: Option<&Time>) -> Option<SignedDuration> {
    Some(end?.0.duration_since(start?.0))
}

/// `1 test`, `2 tests`.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_line_and_moves_no_cursor() {
        assert_eq!(one_line("a\n  b\t\u{1b}[2Jc\u{7}"), "a b [2Jc");
    }

    #[test]
    fn there_may_be_one_or_more() {
        assert_eq!((count(1, "test"), count(0, "test")), ("1 test".into(), "0 tests".into()));
    }
}
