//! When something is said, over time.

use std::time::Duration;

use copr_operator_api::v1alpha1::{ReportEvent, ReportState, ReportStatus, ReportTarget, TestStatus};
use jiff::Timestamp;

use super::{failed, forge, report, run};
use crate::{
    due::{Due, condition, due, tried},
    exchange::Failure,
    news::{self, Wanted},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn wanted(digest: &str) -> Wanted<'static> {
    // What is said doesn't matter here.
    let run = Box::leak(Box::new(run(&forge("http://localhost"))));
    let saying = news::wanted(&news::news(run).unwrap(), report(run)).remove(0).saying;
    Wanted { target: ReportTarget::CommitStatus, event: ReportEvent::Started, digest: digest.into(), saying }
}

fn away() -> Result<(), Failure> {
    Err(Failure::passing("forge.example.org answered 502 Bad Gateway"))
}

/// Tries until it isn't due any more; returns the seconds of all tries, and what is known in the end.
fn all_tries(result: impl Fn(usize) -> Result<(), Failure>) -> (Vec<i64>, ReportStatus) {
    let (wanted, mut known, mut second, mut tries) = (wanted("a"), None, 0, Vec::new());
    loop {
        match due(&wanted, known.as_ref(), at(second)) {
            Due::Never => return (tries, known.unwrap()),
            Due::At(moment) => second = moment.as_second() - 1_800_000_000,
            Due::Now => {
                known = Some(tried(&wanted, known.as_ref(), result(tries.len()), at(second)));
                tries.push(second);
            }
        }
    }
}

#[test]
fn what_was_delivered_is_said_once() {
    let (tries, known) = all_tries(|_| Ok(()));
    assert_eq!(tries, [0]);
    assert_eq!(known.state, ReportState::Delivered);
    assert_eq!(known.reported_at.unwrap().0, at(0));
}

#[test]
fn pauses_grow_and_end() {
    let (tries, known) = all_tries(|_| away());
    let pauses: Vec<_> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses[..8], [5, 10, 20, 40, 80, 160, 320, 600]);
    assert!(pauses[8..].iter().all(|pause| *pause == 600));
    assert!((6500..=7200).contains(tries.last().unwrap()), "{tries:?}");
    assert_eq!(known.state, ReportState::GivenUp);
    assert_eq!(known.message.as_deref(), Some("forge.example.org answered 502 Bad Gateway"));
    assert_eq!(known.retry_at, None);
}

#[test]
fn a_refusal_is_tried_again_as_somebody_may_repair_it() {
    let (tries, known) = all_tries(|n| if n < 3 { Err(Failure::refused("Bad credentials")) } else { Ok(()) });
    assert_eq!(tries, [0, 5, 15, 35]);
    assert_eq!((known.state, known.message, known.attempts), (ReportState::Delivered, None, 4));
}

#[test]
fn who_wants_to_be_left_alone_is() {
    let asked =
        |seconds| Err(Failure::Passing { words: "429".into(), pause: Some(Duration::from_secs(seconds)) });
    let (tries, _) = all_tries(|n| if n == 0 { asked(1800) } else { Ok(()) });
    assert_eq!(tries, [0, 1800]);
    // A pause that nobody waits for.
    for seconds in [7201, u64::MAX] {
        let (tries, known) = all_tries(|_| asked(seconds));
        assert_eq!((tries.len(), known.state), (1, ReportState::GivenUp));
    }
}

#[test]
fn something_else_is_said_at_once_but_not_to_who_wants_to_be_left_alone() {
    let known = tried(&wanted("a"), None, Ok(()), at(0));
    assert_eq!(due(&wanted("b"), Some(&known), at(1)), Due::Now);
    let known = tried(&wanted("a"), None, away(), at(0));
    assert_eq!(due(&wanted("b"), Some(&known), at(1)), Due::At(at(5)));
    let known = tried(&wanted("b"), Some(&known), away(), at(5));
    assert_eq!((known.attempts, known.due_since.unwrap().0), (1, at(5)), "it has its own time");
}

#[test]
fn what_is_said_at_the_end_is_something_else_and_what_goes_on_is_not() {
    let digest = |run| news::wanted(&news::news(&run).unwrap(), report(&run)).remove(0).digest;
    let mut further = run(&forge("http://a"));
    further.status.as_mut().unwrap().tests.push(TestStatus::default());
    assert_eq!(digest(run(&forge("http://a"))), digest(further));
    assert_ne!(digest(run(&forge("http://a"))), digest(failed(&forge("http://a"))));
    assert_ne!(digest(run(&forge("http://a"))), digest(run(&forge("http://b"))));
}

#[test]
fn a_run_that_nobody_has_looked_at_is_no_news() {
    let mut new = run(&forge("http://a"));
    new.status.as_mut().unwrap().timestamps.started = None;
    assert!(news::news(&new).is_none());
}

#[test]
fn the_condition_is_true_when_everybody_was_told_of_the_end() {
    let of = |result: Result<(), Failure>| tried(&wanted("a"), None, result, at(0));
    let given_up = ReportStatus { state: ReportState::GivenUp, ..of(away()) };
    let rows = [
        (vec![of(Ok(()))], ReportEvent::Started, "Unknown", "Started"),
        (vec![of(Ok(()))], ReportEvent::Finished, "True", "Delivered"),
        (vec![of(Ok(())), of(away())], ReportEvent::Finished, "Unknown", "Waiting"),
        (
            vec![of(away()), of(Err(Failure::refused("Bad credentials")))],
            ReportEvent::Started,
            "False",
            "Refused",
        ),
        (vec![of(Ok(())), given_up], ReportEvent::Finished, "False", "GivenUp"),
    ];
    for (reports, event, status, reason) in rows {
        let finding = condition(&reports, event);
        assert_eq!((finding.status, finding.reason.as_str()), (status, reason), "{finding:?}");
    }
    let finding = condition(&[of(Err(Failure::refused("Bad credentials")))], ReportEvent::Finished);
    assert_eq!(finding.message, "CommitStatus: Bad credentials");
}
