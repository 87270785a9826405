//! The builders of the instance as a run sees them: what keeps a test from building, and what was done to builders under it.
//! Pure.

use copr_operator_api::{
    status::{builders, chroots},
    v1alpha1::{BuilderIncident, CoprInstance},
};
use copr_operator_kernel::{conditions, pods};
use jiff::{SignedDuration, Timestamp};

use super::{disturbance::SETTLE, reason::Reason, suite::Test};

/// How long an incident may be what keeps builders from starting.
const RECENT: SignedDuration = SignedDuration::from_secs(120);

/// How the builders of an instance are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Builders {
    /// Why builders can't come, if they can't.
    trouble: Option<Trouble>,
    /// Since when there is no trouble, if there is none.
    steady_since: Option<Timestamp>,
    /// Why nothing can be built for the run's chroot, if nothing can.
    without_config: Option<String>,
    /// Builders that the cluster ended.
    incidents: Vec<BuilderIncident>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
    reason: Reason,
    message: String,
    since: Timestamp,
}

impl Trouble {
    /// Nodes come, registries recover, and resalloc tries again what didn't start. What the API server refuses, it refuses.
    fn grace(&self) -> SignedDuration {
        SignedDuration::from_secs(match self.reason {
            Reason::BuilderRefused => 0,
            Reason::BuilderImagePullFailed => 15,
            Reason::BuilderUnschedulable => 60,
            _ => 30,
        })
    }
}

/// What keeps a test from building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nothing.
    None,
    /// Something that may be over by this moment.
    Until(Timestamp),
    /// This. No test is to wait for its end.
    Lasting(Reason, String),
}

/// Looks at the instance.
pub fn assess(instance: &CoprInstance, now: Timestamp) -> Builders {
    let status = instance.status.clone().unwrap_or_default();
    let known = conditions::get(&status.conditions, builders::CONDITION);
    let chroot = instance.spec.living_chroots(now).next();
    let looked = conditions::get(&status.conditions, chroots::CONDITION).filter(|looked| {
        looked.status == "False" && looked.observed_generation == instance.metadata.generation
    });
    Builders {
        trouble: known.filter(|c| c.status == "False").map(|c| Trouble {
            reason: reason(&c.reason),
            message: format!("builders: {}", c.message),
            since: c.last_transition_time.0,
        }),
        steady_since: known.filter(|c| c.status == "True").map(|c| c.last_transition_time.0),
        without_config: looked
            .filter(|_| chroot.is_some_and(|chroot| status.chroots_without_mock_config.contains(chroot)))
            .map(|looked| looked.message.clone()),
        incidents: status.builder_incidents,
    }
}

/// The instance's word for it in a run's words.
fn reason(of_instance: &str) -> Reason {
    match of_instance {
        builders::BUILDER_REFUSED => Reason::BuilderRefused,
        pods::UNSCHEDULABLE => Reason::BuilderUnschedulable,
        pods::IMAGE_PULL_FAILED => Reason::BuilderImagePullFailed,
        _ => Reason::BuilderStartFailed,
    }
}

impl Builders {
    /// What keeps a test from building now.
    pub fn obstacle(&self, test: &Test, now: Timestamp) -> Obstacle {
        match (&self.without_config, &self.trouble) {
            _ if !test.builds => Obstacle::None,
            (Some(message), _) => Obstacle::Lasting(Reason::MockConfigMissing, message.clone()),
            (None, None) => Obstacle::None,
            (None, Some(trouble)) => {
                let patience = trouble.since + trouble.grace();
                if now < patience {
                    return Obstacle::Until(patience);
                }
                // Builders that don't start because the cluster ends them: that is what has to be mended.
                let recent = |incident: &&BuilderIncident| now.duration_since(incident.time.0) < RECENT;
                let behind = self.incidents.iter().rfind(recent);
                match behind.filter(|_| trouble.reason == Reason::BuilderStartFailed) {
                    Some(incident) => Obstacle::Lasting(
                        incident.reason.parse().unwrap_or(trouble.reason),
                        format!("{}; {}", incident.message, trouble.message),
                    ),
                    None => Obstacle::Lasting(trouble.reason, trouble.message.clone()),
                }
            }
        }
    }

    /// What is wrong with builders now, however long it lasts.
    pub fn note(&self) -> Option<&str> {
        self.without_config.as_deref().or(self.trouble.as_ref().map(|trouble| trouble.message.as_str()))
    }

    /// What was wrong with builders while a test built that failed, if anything: from then until then.
    pub fn excuse(&self, test: &Test, from: Timestamp, until: Timestamp) -> Option<(Reason, String)> {
        if !test.builds {
            return None;
        }
        if let Some(message) = &self.without_config {
            return Some((Reason::MockConfigMissing, message.clone()));
        }
        let until = until + SETTLE;
        let met = self.incidents.iter().find(|incident| (from..=until).contains(&incident.time.0));
        if let Some(incident) = met {
            let reason = incident.reason.parse().unwrap_or(Reason::BuilderLost);
            return Some((reason, format!("a builder was lost during the test: {}", incident.message)));
        }
        if let Some(trouble) = &self.trouble {
            return Some((trouble.reason, trouble.message.clone()));
        }
        let since = self.steady_since.filter(|since| *since > from)?;
        Some((Reason::BuilderStartFailed, format!("builders were in trouble until {since}")))
    }
}
