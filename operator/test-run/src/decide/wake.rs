//! When to look again though nothing has happened.

use jiff::{SignedDuration, Timestamp};

/// Watches can be missed; nothing is left alone for longer than this.
const SLOWEST: SignedDuration = SignedDuration::from_mins(5);
/// A moment that has passed is looked at soon, but not in a busy loop.
const SOONEST: SignedDuration = SignedDuration::from_secs(1);

/// The earliest moment that matters.
#[derive(Debug, Default)]
pub struct Wake(Option<Timestamp>);

impl Wake {
    /// Something is to be decided at that moment.
    pub fn at(&mut self, moment: Timestamp) {
        self.0 = Some(self.0.map_or(moment, |earliest| earliest.min(moment)));
    }

    /// How long that is from now.
    pub fn after(self, now: Timestamp) -> SignedDuration {
        self.0.map_or(SLOWEST, |moment| moment.duration_since(now).clamp(SOONEST, SLOWEST))
    }
}
