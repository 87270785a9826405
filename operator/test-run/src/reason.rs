//! Why a test has no verdict, in a word for programs: a closed list. What each means to people is in docs/verdicts.md. Pure.

use copr_operator_api::v1alpha1::TestStatus;
use strum::{Display, EnumString};

/// Why there is no verdict.
#[derive(EnumString, Display, Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(strum::VariantArray))]
pub enum Reason {
    /// The API server refuses builders.
    BuilderRefused,
    /// No node takes a builder.
    BuilderUnschedulable,
    /// The builder image can't be pulled.
    BuilderImagePullFailed,
    /// A builder doesn't start.
    BuilderStartFailed,
    /// A builder ran out of memory.
    BuilderOutOfMemory,
    /// A builder was evicted or preempted.
    BuilderEvicted,
    /// A builder's node went away.
    BuilderNodeLost,
    /// A builder vanished, or was ended from outside.
    BuilderLost,
    /// The builder image has no Mock configuration for the chroot.
    MockConfigMissing,
    /// The container that keeps what a test leaves can't start.
    EvidenceKeeperFailed,
    /// The API server refuses the test's pod.
    PodRefused,
    /// No node takes the test's pod.
    PodUnschedulable,
    /// The suite's image can't be pulled.
    PodImagePullFailed,
    /// The test's container doesn't start.
    PodStartFailed,
    /// The test ran out of memory.
    PodOutOfMemory,
    /// The test's pod was evicted or preempted.
    PodEvicted,
    /// The test's pod vanished, was deleted, or its node went away.
    PodLost,
    /// The kubelet ended the test's pod at its deadline.
    DeadlineExceeded,
    /// The test ended without a verdict that can be read.
    NoVerdict,
    /// The test says that it couldn't work.
    TestBroken,
    /// The test's own journal has no end: what it says of the test isn't all.
    JournalIncomplete,
    /// The test left no journal.
    JournalMissing,
    /// The test's journal says nothing.
    JournalMalformed,
    /// The test's exit code contradicts its journal.
    ExitCode,
    /// The test reached its deadline.
    DeadlineReached,
    /// The test was ended from outside.
    Terminated,
    /// The frontend doesn't answer.
    FrontendUnreachable,
    /// What the suite's tests are in can't be had.
    SourceUnavailable,
    /// The test needs what the operator knows nothing of.
    NeedUnknown,
    /// A component was away during the test.
    InstanceDisturbed,
    /// Another test ran beside one that must run alone.
    InstanceShared,
    /// The instance was not ready for tests in time.
    InstanceNotReady,
    /// The instance was deleted.
    InstanceLost,
    /// The instance's images can't be had.
    ImagesUnavailable,
    /// It couldn't be found out which packages are to be tested.
    PackagesUnknown,
    /// The packages that are to be tested didn't come.
    PackagesMissing,
    /// The time of the run was up.
    TimedOut,
    /// The run was cancelled.
    Cancelled,
}

impl Reason {
    /// The reason that a test's status gives.
    pub fn of(test: &TestStatus) -> Option<Self> {
        test.reason.as_deref()?.parse().ok()
    }

    /// The reason that a suite gives for an Error: one of those that are a suite's to give.
    pub fn of_suite(said: &str) -> Self {
        match said.parse() {
            Ok(
                reason @ (Self::JournalIncomplete
                | Self::JournalMissing
                | Self::JournalMalformed
                | Self::ExitCode
                | Self::DeadlineReached
                | Self::Terminated
                | Self::FrontendUnreachable
                | Self::SourceUnavailable),
            ) => reason,
            _ => Self::TestBroken,
        }
    }

    /// Whether it may pass by itself, so that trying again at once would only use up the attempts.
    pub const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::BuilderRefused
                | Self::BuilderUnschedulable
                | Self::BuilderImagePullFailed
                | Self::BuilderStartFailed
                | Self::MockConfigMissing
                | Self::PodRefused
                | Self::SourceUnavailable
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kube::CustomResourceExt as _;
    use strum::VariantArray as _;

    use super::*;
    use copr_operator_api::v1alpha1::CoprTestRun;

    fn known() -> BTreeSet<String> {
        Reason::VARIANTS.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_documentation_explains_every_reason_and_no_other() {
        let text = include_str!("../../../docs/verdicts.md");
        let table = text.split("## Reasons of a test").nth(1).unwrap().split("\n## ").next().unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        assert_eq!(rows.map(str::to_owned).collect::<BTreeSet<_>>(), known());
    }

    #[test]
    fn the_field_names_every_reason_and_no_other() {
        let crd = serde_json::to_value(CoprTestRun::crd()).unwrap();
        let field = crd
            .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/tests/items/properties/reason/description")
            .unwrap();
        let named = field.as_str().unwrap().split('`').skip(1).step_by(2).filter(|word| *word != "outcome");
        assert_eq!(named.map(str::to_owned).collect::<BTreeSet<_>>(), known());
    }
}
