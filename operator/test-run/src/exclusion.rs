//! Who looks at an instance's tests and starts more, does so before the next one looks.
//!
//! Whether a test may start is decided by the pods that there are. Two reconciles that look at the same moment would both find a
//! free instance. One operator acts at a time, so this process is the only one that starts tests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::lock::{Mutex as AsyncMutex, OwnedMutexGuard};

type Lock = Arc<AsyncMutex<()>>;

/// A lock for each instance, by its namespace and name.
#[derive(Debug, Default)]
pub struct Exclusion(Mutex<HashMap<(String, String), Lock>>);

impl Exclusion {
    /// Waits until nobody else looks at the instance's tests.
    pub async fn of(&self, namespace: &str, instance: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody holds or waits for.
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry((namespace.to_owned(), instance.to_owned())).or_default())
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn one_looks_at_an_instance_at_a_time_and_instances_do_not_wait_for_each_other() {
        let exclusion = Exclusion::default();
        let first = exclusion.of("team", "copr").now_or_never().unwrap();
        assert!(exclusion.of("team", "copr").now_or_never().is_none());
        assert!(exclusion.of("team", "other").now_or_never().is_some());
        assert!(exclusion.of("others", "copr").now_or_never().is_some());
        drop(first);
        assert!(exclusion.of("team", "copr").now_or_never().is_some());
        assert_eq!(exclusion.0.lock().unwrap().len(), 1, "what nobody waits for is forgotten");
    }
}
