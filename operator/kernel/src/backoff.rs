//! How long to wait after what failed: a reconcile, or a watch.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use kube::runtime::utils;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Failures older than this are forgotten. What fails is tried again within [`LONGEST`], so an object with none for so long is gone
/// or well.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// Failed reconciles in a row, by uid of the object: each wait is twice as long as the one before.
#[derive(Debug, Default)]
pub struct Backoff(Mutex<HashMap<String, Failures>>);

#[derive(Debug)]
struct Failures {
    count: u32,
    first: Instant,
    last: Instant,
    /// The message that was logged last, so that the same one isn't logged again.
    told: String,
}

impl Backoff {
    /// Counts a failure; returns how long to wait.
    pub fn failed(&self, uid: &str) -> Duration {
        let mut all = self.lock();
        all.retain(|_, failures| failures.last.elapsed() < FORGOTTEN);
        let failures = all.entry(uid.to_owned()).or_insert_with(|| Failures {
            count: 0,
            first: Instant::now(),
            last: Instant::now(),
            told: String::new(),
        });
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(failures.count)).min(LONGEST);
        failures.count = failures.count.saturating_add(1);
        failures.last = Instant::now();
        wait
    }

    /// For how long nothing but failures has been counted.
    pub fn failing_for(&self, uid: &str) -> Duration {
        self.lock().get(uid).map_or(Duration::ZERO, |failures| failures.first.elapsed())
    }

    /// Whether a failure is another one than that which was logged last; it counts as logged then.
    pub fn is_news(&self, uid: &str, what: &str) -> bool {
        let mut all = self.lock();
        let Some(failures) = all.get_mut(uid) else { return true };
        if failures.told == what {
            return false;
        }
        what.clone_into(&mut failures.told);
        true
    }

    /// Forgets the failures.
    pub fn succeeded(&self, uid: &str) {
        self.lock().remove(uid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Failures>> {
        // The counts are usable even if a thread panicked while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wait after a watch that broke: always the same.
///
/// All watches of a controller share one backoff, and none of them is looked at while it lasts. kube's own
/// doubles with each watch that breaks: an API server that was away for four seconds left the operator
/// blind for a minute.
#[derive(Debug)]
pub struct BrokenWatch;

impl Iterator for BrokenWatch {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(FIRST)
    }
}

impl utils::Backoff for BrokenWatch {
    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_twice_as_long_up_to_a_minute_and_forgets_on_success() {
        let backoff = Backoff::default();
        let seconds = |count| (0..count).map(|_| backoff.failed("a").as_secs()).collect::<Vec<_>>();
        assert_eq!(seconds(8), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.failed("b"), FIRST);
        assert!(backoff.failing_for("a") > backoff.failing_for("b"));
        assert_eq!(backoff.failing_for("c"), Duration::ZERO);
        assert!(backoff.is_news("a", "x") && !backoff.is_news("a", "x") && backoff.is_news("a", "y"));
        backoff.succeeded("a");
        assert_eq!(backoff.failed("a"), FIRST);
        assert!(backoff.is_news("a", "y"));
    }
}
