//! The status of a commit.

use copr_operator_api::v1alpha1::{ForgeReport, ForgeType, Phase};
use serde_json::{Value, json};

use super::{cut, summary};
use crate::news::News;

/// GitHub takes no longer description.
const DESCRIPTION_MAX: usize = 140;

/// A status, whatever the forge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitStatus {
    /// None while the run goes on.
    verdict: Option<Phase>,
    description: String,
    context: String,
    details: Option<String>,
}

/// The status that follows from a run.
pub fn commit_status(news: &News<'_>, forge: &ForgeReport) -> CommitStatus {
    CommitStatus {
        verdict: news.finished.map(|_| news.status.phase),
        description: cut(&summary(news), DESCRIPTION_MAX),
        context: forge.context.clone(),
        details: forge.details_url.clone(),
    }
}

impl CommitStatus {
    /// What is sent.
    pub fn body(&self, forge: ForgeType) -> Value {
        let name = if forge == ForgeType::GitLab { "name" } else { "context" };
        let mut body =
            json!({"state": self.state(forge), "description": self.description, name: self.context});
        if let Some(details) = &self.details {
            body["target_url"] = details.as_str().into();
        }
        body
    }

    /// No verdict is no success on any forge: a rule that requires the status must not be satisfied by it.
    fn state(&self, forge: ForgeType) -> &'static str {
        let gitlab = forge == ForgeType::GitLab;
        match self.verdict {
            Some(Phase::Passed) => "success",
            Some(Phase::Cancelled) if gitlab => "canceled",
            Some(Phase::Failed | Phase::Error) if gitlab => "failed",
            Some(Phase::Failed) => "failure",
            Some(Phase::Error | Phase::Cancelled) => "error",
            None if gitlab => "running",
            Some(Phase::Pending | Phase::Building | Phase::Provisioning | Phase::Running) | None => "pending",
        }
    }
}
