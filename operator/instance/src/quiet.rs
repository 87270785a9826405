//! Since when an instance builds nothing. Pure, but for the memory between two reconciles.
//!
//! Between the builder of a source package and that of the package there is none for a moment, and a worker signs and publishes what
//! it has built after its builder is gone. So an instance counts as busy for a while after its last builder.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use copr_operator_api::{
    component::BUILDER,
    labels::{COMPONENT, INSTANCE},
};
use k8s_openapi::{
    api::core::v1::Pod,
    jiff::{SignedDuration, Timestamp},
};
use kube::ResourceExt as _;

/// How long after its last builder an instance may still be busy with the same build.
const AFTERMATH: SignedDuration = SignedDuration::from_secs(60);

/// When a builder of each instance was last seen, by namespace and name.
#[derive(Debug)]
pub struct Quiet {
    /// When the operator started: which builders there were before is unknown.
    since: Timestamp,
    seen: Mutex<HashMap<(String, String), Timestamp>>,
}

impl Quiet {
    /// Nothing is known before `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { since: now, seen: Mutex::default() }
    }

    /// A watch saw a pod, or saw it go.
    pub fn note(&self, pod: &Pod, now: Timestamp) {
        if pod.labels().get(COMPONENT).is_none_or(|component| component != BUILDER) {
            return;
        }
        let Some((namespace, instance)) = pod.namespace().zip(pod.labels().get(INSTANCE).cloned()) else {
            return;
        };
        let mut all = self.lock();
        all.retain(|_, seen| now.duration_since(*seen) < AFTERMATH);
        all.insert((namespace, instance), now);
    }

    /// Whether the instance builds nothing, as far as that is known.
    pub fn is_quiet(&self, namespace: &str, instance: &str, now: Timestamp) -> bool {
        let seen = self.lock().get(&(namespace.to_owned(), instance.to_owned())).copied();
        now.duration_since(seen.unwrap_or(self.since)) >= AFTERMATH
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Timestamp>> {
        // Each change is one insertion, so the map is whole even if a thread panicked while it held the lock.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pod(component: &str) -> Pod {
        let labels = json!({(COMPONENT): component, (INSTANCE): "copr"});
        serde_json::from_value(json!({"metadata": {"namespace": "team", "labels": labels}})).unwrap()
    }

    #[test]
    fn an_instance_is_quiet_a_minute_after_its_last_builder() {
        let quiet = Quiet::new(at(0));
        assert!(!quiet.is_quiet("team", "copr", at(59)));
        assert!(quiet.is_quiet("team", "copr", at(60)));
        quiet.note(&pod("backend"), at(100));
        assert!(quiet.is_quiet("team", "copr", at(100)));
        quiet.note(&pod(BUILDER), at(100));
        assert!(!quiet.is_quiet("team", "copr", at(159)));
        assert!(quiet.is_quiet("team", "copr", at(160)) && quiet.is_quiet("other", "copr", at(101)));
    }
}
