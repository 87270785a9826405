//! The clock, and the time of day where the user is.

use jiff::{Timestamp, tz::TimeZone};

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the clock enters: everything else is told what time it is"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// As a line begins with it.
pub fn time_of_day(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string()
}
