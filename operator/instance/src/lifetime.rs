//! When an instance is deleted because its time is over, and when that is warned of. Pure.

use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun};
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt as _;

/// The condition that tells of the end. It is there while that is near.
pub const CONDITION: &str = "Expiring";
/// How soon an instance is looked at again whose deletion failed because somebody changed it meanwhile.
pub const AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// The warning comes at least this long before the end.
const LEAST_WARNING: SignedDuration = SignedDuration::from_mins(1);
/// And at most this long before it.
const MOST_WARNING: SignedDuration = SignedDuration::from_hours(1);
/// How soon runs that are waited for are looked at again: they aren't watched.
const RECHECK: SignedDuration = SignedDuration::from_secs(10);

/// From when to when an instance lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When the end is warned of.
    pub warning: Timestamp,
    /// The end.
    pub end: Timestamp,
}

/// What becomes of an instance now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    #[default]
    Keep,
    /// Its end is near.
    Warn,
    /// Its end is over, and it is paused.
    WaitForResume,
    /// Its end is over, and these runs use it.
    WaitForRuns(Vec<String>),
    /// It is deleted.
    Delete,
}

/// What becomes of an instance, and when to look again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// When its time is over, if ever.
    pub end: Option<Timestamp>,
    /// What becomes of it now.
    pub step: Step,
    /// After how long that may be something else, though nothing happens.
    pub look_again: Option<SignedDuration>,
}

/// What a decision depends on beside the instance's life.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The moment.
    pub now: Timestamp,
    /// Since when the status warns of the end.
    pub warned_since: Option<Timestamp>,
    /// Whether the instance is paused.
    pub paused: bool,
    /// The runs that use it. They matter once the end is over.
    pub runs: &'a [String],
}

/// The life that the spec gives, if it gives an end.
pub fn of(instance: &CoprInstance) -> Result<Option<Life>, jiff::Error> {
    let Some(created) = instance.creation_timestamp().map(|time| time.0) else { return Ok(None) };
    let end = match (&instance.spec.ttl, &instance.spec.expires_at) {
        (Some(ttl), _) => created.checked_add(ttl.parse::<SignedDuration>()?)?,
        (None, Some(at)) => at.0,
        (None, None) => return Ok(None),
    };
    let notice = (end.duration_since(created) / 10).clamp(LEAST_WARNING, MOST_WARNING);
    Ok(Some(Life { warning: end.checked_sub(notice)?, end }))
}

/// Decides. An end that nobody was warned of in time, as it was moved or no operator ran, waits for the warning.
pub fn decide(life: Life, situation: Situation<'_>) -> Outlook {
    let Situation { now, warned_since, paused, runs } = situation;
    let outlook = |step, look_again| Outlook { end: Some(life.end), step, look_again };
    let until = |moment: Timestamp| Some(moment.duration_since(now));
    if now < life.warning {
        return outlook(Step::Keep, until(life.warning));
    }
    let due = life.end.max(warned_since.unwrap_or(now) + LEAST_WARNING);
    if now < due {
        return outlook(Step::Warn, until(due));
    }
    if paused {
        return outlook(Step::WaitForResume, None);
    }
    if !runs.is_empty() {
        return outlook(Step::WaitForRuns(runs.to_vec()), Some(RECHECK));
    }
    outlook(Step::Delete, None)
}

/// The runs that use the instance, and have since before its end: one that was created later keeps nothing alive.
pub fn users<'a>(
    runs: impl IntoIterator<Item = &'a CoprTestRun>,
    instance: &CoprInstance,
    end: Timestamp,
) -> Vec<String> {
    let (name, owners) = (instance.name_any(), instance.owner_references());
    let uses = |run: &&CoprTestRun| {
        let given = run.spec.instance.name.as_ref() == Some(&name);
        let made = || owners.iter().any(|owner| Some(&owner.uid) == run.metadata.uid.as_ref());
        let ended = run.status.as_ref().is_some_and(|status| status.phase.is_final());
        let before = run.creation_timestamp().is_some_and(|created| created.0 < end);
        (given || made()) && before && !ended && run.metadata.deletion_timestamp.is_none()
    };
    runs.into_iter().filter(uses).map(kube::ResourceExt::name_any).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Created at 0.
    fn instance(spec: &serde_json::Value) -> CoprInstance {
        let mut instance = crate::fixtures::parse(crate::fixtures::MINIMAL);
        instance.metadata.creation_timestamp = Some(at(0).into());
        let mut whole = serde_json::to_value(&instance.spec).unwrap();
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        instance.spec = serde_json::from_value(whole).unwrap();
        instance
    }

    #[test]
    fn the_end_and_its_warning_follow_from_the_spec() {
        const HOUR: i64 = 3600;
        for (spec, warning, end) in [
            (json!({"ttl": "8h"}), 8 * HOUR - 2880, 8 * HOUR),
            (json!({"ttl": "1h30m"}), 5400 - 540, 5400),
            (json!({"ttl": "2m"}), 60, 120),
            (json!({"ttl": "48h"}), 47 * HOUR, 48 * HOUR),
            (json!({"expiresAt": "1970-01-01T01:00:00Z"}), HOUR - 360, HOUR),
            // Before it was created.
            (json!({"expiresAt": "1969-12-31T00:00:00Z"}), -86_400 - 60, -86_400),
        ] {
            let life = of(&instance(&spec)).unwrap().unwrap();
            assert_eq!((life.warning, life.end), (at(warning), at(end)), "{spec}");
        }
        assert_eq!(of(&instance(&json!({}))).unwrap(), None);
        assert!(of(&instance(&json!({"ttl": "soon"}))).is_err());
    }

    #[test]
    fn nothing_is_deleted_before_it_was_warned_of_for_a_minute_nor_while_it_is_needed() {
        let life = Life { warning: at(900), end: at(1000) };
        let run = vec!["smoke".to_owned()];
        for (now, warned, paused, runs, step, look_again) in [
            (0, None, false, &run, Step::Keep, Some(900)),
            (900, None, false, &run, Step::Warn, Some(100)),
            (950, Some(900), false, &run, Step::Warn, Some(50)),
            // Warned late: a minute is left all the same.
            (990, None, false, &vec![], Step::Warn, Some(60)),
            (1000, Some(990), false, &vec![], Step::Warn, Some(50)),
            // No operator ran, or the end was set to a time that is over.
            (5000, None, false, &vec![], Step::Warn, Some(60)),
            (5060, Some(5000), false, &vec![], Step::Delete, None),
            (1000, Some(900), false, &vec![], Step::Delete, None),
            (1000, Some(900), false, &run, Step::WaitForRuns(run.clone()), Some(10)),
            (1000, Some(900), true, &run, Step::WaitForResume, None),
            (1000, Some(900), true, &vec![], Step::WaitForResume, None),
        ] {
            let warned_since = warned.map(at);
            let found = decide(life, Situation { now: at(now), warned_since, paused, runs });
            let expected =
                Outlook { end: Some(at(1000)), step, look_again: look_again.map(SignedDuration::from_secs) };
            assert_eq!(found, expected, "at {now}, warned at {warned:?}, paused: {paused}, {runs:?}");
        }
    }

    #[test]
    fn a_run_that_has_not_ended_uses_its_instance_if_it_was_there_before_the_end() {
        let run = |name: &str, of: serde_json::Value, created: i64, phase: &str| -> CoprTestRun {
            serde_json::from_value(json!({
                "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprTestRun",
                "metadata": {"name": name, "uid": name, "creationTimestamp": at(created).to_string()},
                "spec": {"instance": of}, "status": {"phase": phase},
            }))
            .unwrap()
        };
        let template =
            || json!({"template": {"chroots": ["fedora-44-x86_64"], "images": {"registry": "quay.io/copr"}}});
        let runs = vec![
            run("running", json!({"name": "demo"}), 10, "Running"),
            run("waiting", json!({"name": "demo"}), 10, "Pending"),
            run("owner", template(), 0, "Running"),
            run("ended", json!({"name": "demo"}), 10, "Passed"),
            run("late", json!({"name": "demo"}), 100, "Pending"),
            run("elsewhere", json!({"name": "other"}), 10, "Running"),
            run("owner-of-another", template(), 10, "Running"),
        ];
        let mut instance = instance(&json!({}));
        instance.metadata.owner_references = Some(vec![
            serde_json::from_value(
                json!({"apiVersion": "v1", "kind": "CoprTestRun", "name": "owner", "uid": "owner"}),
            )
            .unwrap(),
        ]);
        assert_eq!(users(&runs, &instance, at(100)), ["running", "waiting", "owner"]);
    }
}
