//! Conditions as the Kubernetes API conventions want them: the transition time moves with the status only. Three of them, which
//! every kind has, tell tools that know none of the others how far an object is. They are as [kstatus] reads them, the library of
//! Flux, kpt and others; its own code tests that (`e2e/kstatus`).
//!
//! | | `Ready` | `Reconciling` | `Stalled` | kstatus |
//! |---|---|---|---|---|
//! | [`Outlook::Reached`] | True | False | False | `Current` |
//! | [`Outlook::GoesOn`] | False | True | False | `InProgress` |
//! | [`Outlook::Stalled`] | False | False | True | `Failed` |
//!
//! Of an object whose `status.observedGeneration` isn't its generation kstatus believes nothing: `InProgress`. The CRDs give a
//! new object the observed generation -1.
//!
//! [kstatus]: https://github.com/fluxcd/cli-utils/tree/main/pkg/kstatus

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

/// What was found of a condition, before it is dated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// One CamelCase word for programs.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

impl Finding {
    /// The condition holds.
    pub fn yes(reason: &str, message: impl Into<String>) -> Self {
        Self { status: "True", reason: reason.into(), message: message.into() }
    }

    /// The condition doesn't hold.
    pub fn no(reason: &str, message: impl Into<String>) -> Self {
        Self { status: "False", reason: reason.into(), message: message.into() }
    }

    /// It can't be said yet.
    pub fn unknown(reason: &str, message: impl Into<String>) -> Self {
        Self { status: "Unknown", reason: reason.into(), message: message.into() }
    }

    /// Whether the condition holds.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }
}

/// The object is as its spec says.
pub const READY: &str = "Ready";
/// It isn't, and somebody or something is at it.
pub const RECONCILING: &str = "Reconciling";
/// It isn't, and stays so until somebody does something.
pub const STALLED: &str = "Stalled";

/// How an object that isn't yet as its spec says gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It's there.
    Reached,
    /// By itself.
    GoesOn,
    /// Not by itself.
    Stalled,
}

/// How far an object is, in a word and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How it goes on.
    pub outlook: Outlook,
    /// One CamelCase word for programs.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

impl Standing {
    /// The standing for that reason.
    pub fn new(outlook: Outlook, reason: &str, message: impl Into<String>) -> Self {
        Self { outlook, reason: reason.into(), message: message.into() }
    }
}

/// Sets Ready, Reconciling and Stalled.
pub fn set_standing(
    conditions: &mut Vec<Condition>,
    standing: Standing,
    generation: Option<i64>,
    now: Timestamp,
) {
    let Standing { outlook, reason, message } = standing;
    let ready = if outlook == Outlook::Reached { Finding::yes } else { Finding::no };
    set(conditions, READY, ready(&reason, &message), generation, now);
    for (type_, holds) in [(RECONCILING, Outlook::GoesOn), (STALLED, Outlook::Stalled)] {
        let finding = if outlook == holds {
            Finding::yes(&reason, message.clone())
        } else {
            let (reason, message) = match outlook {
                Outlook::Reached => (READY, "the object is as its spec says"),
                Outlook::GoesOn => (RECONCILING, "it goes on by itself"),
                Outlook::Stalled => (STALLED, "somebody has to do something first"),
            };
            Finding::no(reason, message)
        };
        set(conditions, type_, finding, generation, now);
    }
}

/// Sets one condition, dating it `now` if its status changed.
pub fn set(
    conditions: &mut Vec<Condition>,
    type_: &str,
    finding: Finding,
    generation: Option<i64>,
    now: Timestamp,
) {
    let Finding { status, reason, message } = finding;
    let existing = conditions.iter_mut().find(|c| c.type_ == type_);
    let last_transition_time = match &existing {
        Some(old) if old.status == status => old.last_transition_time.clone(),
        _ => Time(now),
    };
    let new = Condition {
        type_: type_.into(),
        status: status.into(),
        reason,
        message,
        observed_generation: generation,
        last_transition_time,
    };
    match existing {
        Some(old) => *old = new,
        None => conditions.push(new),
    }
}

/// The condition of that type, if there is one.
pub fn get<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|c| c.type_ == type_)
}

/// Whether the condition of that type is True.
pub fn is_true(conditions: &[Condition], type_: &str) -> bool {
    get(conditions, type_).is_some_and(|c| c.status == "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn transition_time_moves_only_with_the_status() {
        let mut conditions = Vec::new();
        set(&mut conditions, READY, Finding::no("Starting", "a"), Some(1), at(10));
        set(&mut conditions, READY, Finding::no("Pulling", "b"), Some(2), at(20));
        assert_eq!(conditions[0].last_transition_time, Time(at(10)));
        assert_eq!(conditions[0].reason, "Pulling");
        assert_eq!(conditions[0].observed_generation, Some(2));
        set(&mut conditions, READY, Finding::yes("Available", "c"), Some(2), at(30));
        assert_eq!(conditions[0].last_transition_time, Time(at(30)));
        assert_eq!(conditions.len(), 1);
    }

    #[test]
    fn of_the_three_exactly_one_is_true() {
        let mut conditions = Vec::new();
        for (second, outlook, type_) in [
            (10, Outlook::GoesOn, RECONCILING),
            (20, Outlook::Stalled, STALLED),
            (30, Outlook::Reached, READY),
            (40, Outlook::GoesOn, RECONCILING),
        ] {
            set_standing(&mut conditions, Standing::new(outlook, "Why", "because"), Some(second), at(second));
            let holding: Vec<_> = conditions.iter().filter(|c| c.status == "True").collect();
            assert_eq!(holding.len(), 1, "{conditions:?}");
            assert_eq!((holding[0].type_.as_str(), holding[0].reason.as_str()), (type_, "Why"));
            assert!(conditions.iter().all(|c| c.observed_generation == Some(second)));
        }
        assert_eq!(conditions.len(), 3);
    }
}
