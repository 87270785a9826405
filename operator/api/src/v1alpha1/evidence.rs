//! What a run leaves behind for whoever has to find out why it ended as it did.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Phase;

const MEBIBYTE: u64 = 1 << 20;

/// What is kept of a run once it has ended: an OCI artifact in the registry of the instance's `registry`, as
/// `copr-evidence:<namespace>-<run>-<the first 8 digits of its uid>`. What is in it is in docs/evidence.md.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Of which runs evidence is kept.
    #[serde(default)]
    pub keep: KeepEvidence,
    /// How long the artifact stays in the registry, as a duration such as `720h`. After that the operator deletes it, if the registry
    /// lets it.
    #[serde(default = "default_retention")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    #[x_kube(validation = Rule::new("self != '' && duration(self) >= duration('1m')")
        .message("retention is a duration of at least 1m, for example 720h"))]
    pub retention: String,
    /// How large the artifact may get, compressed, as a number of `Mi` or `Gi`. What doesn't fit is left out, the largest first of what
    /// a test left and the oldest lines of a log, and `status.evidence` says so.
    #[serde(default = "default_max_size")]
    #[schemars(length(max = 8), regex(pattern = r"^[1-9][0-9]{0,4}(Mi|Gi)$"))]
    pub max_size: String,
}

impl Default for Evidence {
    fn default() -> Self {
        Self { keep: KeepEvidence::default(), retention: default_retention(), max_size: default_max_size() }
    }
}

fn default_retention() -> String {
    "720h".into()
}

fn default_max_size() -> String {
    "512Mi".into()
}

impl Evidence {
    /// Whether there is to be evidence of a run that ended so.
    pub fn is_kept_of(&self, phase: Phase) -> bool {
        match self.keep {
            KeepEvidence::Never => false,
            KeepEvidence::OnFailure => is_red(phase),
            KeepEvidence::Always => phase.is_final(),
        }
    }

    /// `maxSize` in bytes. Admission lets nothing else through than can be read.
    pub fn max_bytes(&self) -> u64 {
        let (number, unit) = match self.max_size.strip_suffix("Gi") {
            Some(number) => (number, 1024 * MEBIBYTE),
            None => (self.max_size.trim_end_matches("Mi"), MEBIBYTE),
        };
        number.parse::<u64>().map_or(512 * MEBIBYTE, |number| number.saturating_mul(unit))
    }
}

/// Whether a run ended so that somebody has to look at it, its instance included.
pub fn is_red(phase: Phase) -> bool {
    matches!(phase, Phase::Failed | Phase::Error)
}

/// Of which runs evidence is kept.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeepEvidence {
    /// Of every run that has ended.
    Always,
    /// Of runs that ended as Failed or Error.
    #[default]
    OnFailure,
    /// Of none. Tests still have their `EVIDENCE_DIR`; what they write there goes with their pods.
    Never,
}

/// What was kept of a run.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceStatus {
    /// The artifact: `<registry>/copr-evidence@sha256:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// Its size in the registry, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i64>,
    /// Whether something was left out of it, for its size or for the time that it took.
    #[serde(default)]
    pub truncated: bool,
    /// What was left out, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the artifact is deleted from the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// Why tests run without the container that keeps what they leave in `EVIDENCE_DIR`: it couldn't be started. Absent: it could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folders_not_kept: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_which_runs_evidence_is_kept_follows_from_keep_and_the_verdict() {
        let kept = |keep, phase| Evidence { keep, ..Evidence::default() }.is_kept_of(phase);
        for (phase, always, on_failure) in [
            (Phase::Running, false, false),
            (Phase::Passed, true, false),
            (Phase::Failed, true, true),
            (Phase::Error, true, true),
            (Phase::Cancelled, true, false),
        ] {
            assert_eq!(kept(KeepEvidence::Always, phase), always, "{phase}");
            assert_eq!(kept(KeepEvidence::OnFailure, phase), on_failure, "{phase}");
            assert!(!kept(KeepEvidence::Never, phase), "{phase}");
        }
    }

    #[test]
    fn a_size_is_read_in_both_units() {
        let bytes = |text: &str| Evidence { max_size: text.into(), ..Evidence::default() }.max_bytes();
        assert_eq!(bytes("512Mi"), 512 << 20);
        assert_eq!(bytes("2Gi"), 2 << 30);
    }
}
