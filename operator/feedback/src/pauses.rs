//! Who wants to be left alone is, whatever there is to say, and of which run of a namespace. Limits are those of a token, and namespaces
//! don't share any: one whose token is spent must not silence the others.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use crate::{due, exchange::Failure};

/// By namespace and host: until when, and in which words it was asked.
type Asked = HashMap<(String, String), (Timestamp, String)>;

/// The pauses that servers asked for. They are forgotten with the process, which then asks once more.
#[derive(Debug, Default)]
pub struct Pauses(Mutex<Asked>);

impl Pauses {
    /// Until when nothing is sent there, and why.
    pub fn until(&self, namespace: &str, host: &str, now: Timestamp) -> Option<(Timestamp, String)> {
        let mut asked = self.lock();
        asked.retain(|_, (until, _)| *until > now);
        asked.get(&(namespace.to_owned(), host.to_owned())).cloned()
    }

    /// Keeps in mind what an answer asks for.
    pub fn note(&self, namespace: &str, host: &str, failure: &Failure, now: Timestamp) {
        if let Failure::Passing { words, pause: Some(pause) } = failure {
            let pause = SignedDuration::try_from(*pause).unwrap_or(SignedDuration::MAX).min(due::PATIENCE);
            self.lock().insert((namespace.to_owned(), host.to_owned()), (now + pause, words.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        // Every change is one insertion or removal.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
