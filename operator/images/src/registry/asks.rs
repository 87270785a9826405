//! When a registry is asked again for an image that it didn't have. Pure.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_secs(300);
/// What nobody has asked about for so long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// What was asked for, and when it makes sense to ask again: when something has happened that may have changed the answer,
/// else after a pause that grows. In memory only; an operator that starts asks once more.
#[derive(Debug, Default)]
pub struct Asks(Mutex<HashMap<String, Ask>>);

#[derive(Clone, Debug)]
struct Ask {
    at: Instant,
    pause: Duration,
    news: Vec<String>,
}

impl Asks {
    /// Whether to ask now. `news` says what has happened to the image, such as the uids of the Jobs that pushed it.
    pub fn is_due(&self, image: &str, news: &[String], now: Instant) -> bool {
        self.lock().get(image).is_none_or(|ask| ask.news != news || now >= ask.at + ask.pause)
    }

    /// Records that the registry was asked. For an image that was there, the next question isn't delayed.
    pub fn answered(&self, image: &str, is_there: bool, news: &[String], now: Instant) {
        let mut asks = self.lock();
        asks.retain(|_, ask| now.duration_since(ask.at) < FORGOTTEN);
        let before = asks.get(image).filter(|ask| ask.news == news && !ask.pause.is_zero());
        let pause = if is_there {
            Duration::ZERO
        } else {
            before.map_or(FIRST, |ask| ask.pause.saturating_mul(2).min(LONGEST))
        };
        asks.insert(image.to_owned(), Ask { at: now, pause, news: news.to_vec() });
    }

    /// Whether somebody asked for it in this time. Who did may be about to use it.
    pub fn asked_within(&self, image: &str, time: Duration, now: Instant) -> bool {
        self.lock().get(image).is_some_and(|ask| now.duration_since(ask.at) < time)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Ask>> {
        // Each change is one insertion, so the map is whole even if a thread panicked while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often an image that isn't there is asked for in an hour of looks every three seconds.
    fn asks_an_hour(news: impl Fn(u64) -> Vec<String>) -> usize {
        let (asks, start) = (Asks::default(), Instant::now());
        let mut count = 0;
        for second in (0..3600).step_by(3) {
            let now = start + Duration::from_secs(second);
            if asks.is_due("x", &news(second), now) {
                asks.answered("x", false, &news(second), now);
                count += 1;
            }
        }
        count
    }

    #[test]
    fn what_is_not_there_is_asked_for_less_and_less() {
        let count = asks_an_hour(|_| Vec::new());
        assert!((10..20).contains(&count), "{count}");
    }

    #[test]
    fn news_are_a_reason_to_ask_at_once() {
        let (asks, now) = (Asks::default(), Instant::now());
        assert!(asks.is_due("x", &[], now));
        asks.answered("x", false, &[], now);
        assert!(!asks.is_due("x", &[], now + Duration::from_secs(3)));
        let ended = ["job".to_owned()];
        assert!(asks.is_due("x", &ended, now + Duration::from_secs(3)));
        asks.answered("x", false, &ended, now + Duration::from_secs(3));
        assert!(!asks.is_due("x", &ended, now + Duration::from_secs(6)));
        assert!(asks.is_due("other", &[], now));
    }

    #[test]
    fn whoever_has_just_found_an_image_may_be_about_to_use_it() {
        let (asks, now) = (Asks::default(), Instant::now());
        asks.answered("x", true, &[], now);
        assert!(asks.is_due("x", &[], now));
        let minute = Duration::from_secs(60);
        assert!(asks.asked_within("x", minute, now + Duration::from_secs(59)));
        assert!(!asks.asked_within("x", minute, now + Duration::from_secs(60)));
    }
}
