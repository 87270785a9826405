//! When something is to be said, and what follows from having tried. Pure.

use copr_operator_api::v1alpha1::{ReportEvent, ReportState, ReportStatus};
use copr_operator_kernel::{conditions::Finding, report};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::{exchange::Failure, news::Wanted};

/// After the first failure; each pause after that is twice as long as the one before.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// For how long something is tried. The limits of forges are lifted after an hour at the latest.
pub const PATIENCE: SignedDuration = SignedDuration::from_hours(2);
const MESSAGE_MAX: usize = 512;

/// The type of the condition that sums up all reports.
pub const CONDITION: &str = "Reported";

/// Reasons of the condition.
pub mod reasons {
    /// Everybody was told of the end.
    pub const DELIVERED: &str = "Delivered";
    /// Everybody was told of the start, and the run goes on.
    pub const STARTED: &str = "Started";
    /// Somebody couldn't be told yet.
    pub const WAITING: &str = "Waiting";
    /// Somebody refused.
    pub const REFUSED: &str = "Refused";
    /// Somebody couldn't be told within two hours.
    pub const GIVEN_UP: &str = "GivenUp";
}

/// Whether something is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Never,
    At(Timestamp),
    Now,
}

/// Whether it is, as far as is known.
pub fn due(wanted: &Wanted<'_>, known: Option<&ReportStatus>, now: Timestamp) -> Due {
    let Some(known) = known else { return Due::Now };
    if known.digest == wanted.digest && matches!(known.state, ReportState::Delivered | ReportState::GivenUp) {
        return Due::Never;
    }
    // Who wants to be left alone wants so, whatever there is to say.
    match &known.retry_at {
        Some(retry) if retry.0 > now => Due::At(retry.0),
        _ => Due::Now,
    }
}

/// What is known once it was tried.
pub fn tried(
    wanted: &Wanted<'_>,
    known: Option<&ReportStatus>,
    result: Result<(), Failure>,
    now: Timestamp,
) -> ReportStatus {
    let mut status = so_far(wanted, known, now);
    status.attempts = status.attempts.saturating_add(1);
    let (attempts, first) = (status.attempts, status.due_since.as_ref().map_or(now, |since| since.0));
    let (state, words, asked) = match result {
        Ok(()) => {
            return ReportStatus { state: ReportState::Delivered, reported_at: Some(Time(now)), ..status };
        }
        Err(Failure::Passing { words, pause }) => (ReportState::Waiting, words, pause),
        Err(Failure::Refused { words, .. }) => (ReportState::Refused, words, None),
    };
    let message = Some(report::truncate(words, MESSAGE_MAX));
    let retry = now + pause(attempts, asked);
    if retry.duration_since(first) > PATIENCE {
        return ReportStatus { state: ReportState::GivenUp, message, ..status };
    }
    ReportStatus { state, retry_at: Some(Time(retry)), message, ..status }
}

/// What is known while nothing is sent, because who it's for wants to be left alone until then.
pub fn held(
    wanted: &Wanted<'_>,
    known: Option<&ReportStatus>,
    (until, words): (Timestamp, String),
    now: Timestamp,
) -> ReportStatus {
    let message = Some(report::truncate(words, MESSAGE_MAX));
    ReportStatus { retry_at: Some(Time(until)), message, ..so_far(wanted, known, now) }
}

/// What is known before it's tried.
fn so_far(wanted: &Wanted<'_>, known: Option<&ReportStatus>, now: Timestamp) -> ReportStatus {
    let same = known.filter(|known| known.digest == wanted.digest);
    ReportStatus {
        target: wanted.target,
        state: ReportState::Waiting,
        event: wanted.event,
        digest: wanted.digest.clone(),
        attempts: same.map_or(0, |known| known.attempts),
        due_since: same.and_then(|known| known.due_since.clone()).or(Some(Time(now))),
        retry_at: None,
        reported_at: None,
        message: None,
    }
}

fn pause(attempts: i32, asked: Option<std::time::Duration>) -> SignedDuration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or_default().min(16);
    let own = FIRST_PAUSE.saturating_mul(2_i32.saturating_pow(doublings)).min(LONGEST_PAUSE);
    // No longer than anybody has patience for, which is given up at once.
    let asked = asked.map_or(SignedDuration::ZERO, |asked| asked.try_into().unwrap_or(SignedDuration::MAX));
    own.max(asked.min(PATIENCE + LONGEST_PAUSE))
}

/// The condition Reported.
pub fn condition(reports: &[ReportStatus], event: ReportEvent) -> Finding {
    let said = |wanted: ReportState| {
        let of = reports.iter().filter(|report| report.state == wanted);
        let words = of.map(|r| format!("{}: {}", r.target, r.message.as_deref().unwrap_or_default()));
        Some(words.collect::<Vec<_>>().join("; ")).filter(|words| !words.is_empty())
    };
    if let Some(words) = said(ReportState::Refused) {
        return Finding::no(reasons::REFUSED, words);
    }
    if let Some(words) = said(ReportState::GivenUp) {
        return Finding::no(reasons::GIVEN_UP, words);
    }
    if let Some(words) = said(ReportState::Waiting) {
        return Finding::unknown(reasons::WAITING, words);
    }
    match event {
        ReportEvent::Started => Finding::unknown(reasons::STARTED, "told of the start; the run goes on"),
        ReportEvent::Finished => {
            let targets: Vec<_> = reports.iter().map(|report| report.target.to_string()).collect();
            Finding::yes(reasons::DELIVERED, format!("told of the end: {}", targets.join(", ")))
        }
    }
}
