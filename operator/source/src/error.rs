//! Why a forge didn't say it. Never a token.

use std::time::Duration;

use copr_operator_kernel::{dependency, exchange::Failure};

/// Why it isn't known which packages are needed. Nothing of it is final: tokens are renewed, and commits pushed later.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A Secret or ConfigMap.
    #[error(transparent)]
    Dependency(#[from] dependency::Error),
    /// The forge has no such repository, commit or pull request, or not for whoever asks.
    #[error("{what}: {failure}; it isn't there, or the token may not see it")]
    NotFound {
        /// What was asked for.
        what: String,
        /// The answer.
        failure: Failure,
    },
    /// The forge, otherwise.
    #[error(transparent)]
    Forge(#[from] Failure),
}

impl Error {
    /// The reason for the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Dependency(error) => error.reason(),
            Self::NotFound { .. } => "SourceNotFound",
            Self::Forge(Failure::Passing { .. }) => "ForgeUnavailable",
            Self::Forge(Failure::Refused { .. }) => "ForgeRefused",
        }
    }

    /// How long the forge wants to be left alone.
    pub fn pause(&self) -> Option<Duration> {
        match self {
            Self::Forge(Failure::Passing { pause, .. }) => *pause,
            _ => None,
        }
    }
}
