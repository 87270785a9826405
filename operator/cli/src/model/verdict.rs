//! How a run ended, for people and for whoever called.

use copr_operator_api::v1alpha1::{CoprTestRunStatus, Phase};

use super::{condition, one_line};

/// What a command exits with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The run passed, or the work is done.
    Fine = 0,
    /// A test failed: Copr is broken.
    Failed = 1,
    /// Anything else: nothing is known of Copr.
    Trouble = 2,
}

/// Of a run that hasn't ended nothing is known.
pub fn exit(phase: Phase) -> Exit {
    match phase {
        Phase::Passed => Exit::Fine,
        Phase::Failed => Exit::Failed,
        _ => Exit::Trouble,
    }
}

/// The phase, and why.
pub fn headline(status: &CoprTestRunStatus) -> String {
    let type_ = if status.phase.is_final() { "Succeeded" } else { "InstanceReady" };
    let message = condition(&status.conditions, type_).map(|c| one_line(&c.message)).unwrap_or_default();
    let place = status.queue_place.map(|place| format!("number {place} in the queue"));
    match place.unwrap_or(message) {
        message if message.is_empty() => status.phase.to_string(),
        message => format!("{}: {message}", status.phase),
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use super::*;

    #[test]
    fn only_a_verdict_is_zero_or_one() {
        for phase in Phase::VARIANTS {
            let expected = match phase {
                Phase::Passed => Exit::Fine,
                Phase::Failed => Exit::Failed,
                Phase::Pending
                | Phase::Building
                | Phase::Provisioning
                | Phase::Running
                | Phase::Error
                | Phase::Cancelled => Exit::Trouble,
            };
            assert_eq!(exit(*phase), expected, "{phase}");
        }
    }
}
