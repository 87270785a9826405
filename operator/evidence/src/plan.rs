//! What is to be done about the evidence of a run. Pure.

use std::time::Duration;

use copr_operator_api::{
    evidence::{CONDITION, TIME},
    v1alpha1::CoprTestRun,
};
use copr_operator_kernel::conditions;
use jiff::Timestamp;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until the run changes.
    Nothing,
    /// Nothing, for so long.
    Wait(Duration),
    /// It's to be collected, in so much time.
    Collect(Duration),
    /// Its time was up before anybody collected it.
    TooLate,
    /// It's to be deleted.
    Expire,
}

/// Decides.
pub fn step(run: &CoprTestRun, now: Timestamp) -> Step {
    let Some(status) = run.status.as_ref().filter(|status| status.phase.is_final()) else {
        return Step::Nothing;
    };
    if run.metadata.deletion_timestamp.is_some() {
        return Step::Nothing;
    }
    if let Some(settled) = conditions::get(&status.conditions, CONDITION) {
        let expires = status.evidence.as_ref().and_then(|evidence| evidence.expires_at.as_ref());
        return match expires.filter(|_| settled.status == "True") {
            None => Step::Nothing,
            Some(expires) => left(expires.0, now).map_or(Step::Expire, Step::Wait),
        };
    }
    let Some(finished) = &status.timestamps.finished else { return Step::Nothing };
    if !run.spec.evidence.is_kept_of(status.phase) {
        return Step::Nothing;
    }
    left(finished.0 + TIME, now).map_or(Step::TooLate, Step::Collect)
}

/// How long it's until then, unless it's over.
fn left(until: Timestamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(until.duration_since(now)).ok().filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn step_of(keep: &str, status: &Value, now: &str) -> Step {
        let run = serde_json::from_value(json!({
            "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprTestRun",
            "metadata": {"name": "pr-7", "namespace": "ci", "uid": "1"},
            "spec": {"instance": {"name": "copr"}, "evidence": {"keep": keep}},
            "status": status,
        }));
        step(&run.unwrap(), now.parse().unwrap())
    }

    fn ended(phase: &str) -> Value {
        json!({"phase": phase, "timestamps": {"finished": "2026-11-26T09:00:00Z"}})
    }

    fn settled(status: &str) -> Value {
        let mut ended = ended("Failed");
        ended["evidence"] = json!({"expiresAt": "2026-12-26T09:00:00Z"});
        ended["conditions"] = json!([{
            "type": "EvidenceKept", "status": status, "reason": "Kept", "message": "",
            "lastTransitionTime": "2026-11-26T09:01:00Z",
        }]);
        ended
    }

    #[test]
    fn it_is_collected_after_the_verdict_while_there_is_time() {
        let soon = "2026-11-26T09:00:10Z";
        assert_eq!(step_of("Always", &json!({"phase": "Running"}), soon), Step::Nothing);
        assert_eq!(step_of("OnFailure", &ended("Passed"), soon), Step::Nothing);
        assert_eq!(step_of("Never", &ended("Failed"), soon), Step::Nothing);
        assert_eq!(step_of("OnFailure", &ended("Failed"), soon), Step::Collect(Duration::from_secs(170)));
        assert_eq!(step_of("Always", &ended("Passed"), soon), Step::Collect(Duration::from_secs(170)));
        assert_eq!(step_of("OnFailure", &ended("Error"), "2026-11-26T09:03:00Z"), Step::TooLate);
    }

    #[test]
    fn once_settled_only_its_end_is_waited_for() {
        let day = Duration::from_secs(86_400);
        assert_eq!(step_of("Always", &settled("True"), "2026-12-25T09:00:00Z"), Step::Wait(day));
        assert_eq!(step_of("Never", &settled("True"), "2026-12-26T09:00:00Z"), Step::Expire);
        assert_eq!(step_of("Always", &settled("False"), "2026-12-27T09:00:00Z"), Step::Nothing);
    }
}
