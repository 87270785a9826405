//! Why evidence isn't kept.

use copr_operator_images::{AccessError, RegistryError};
use copr_operator_kernel::apply;

/// Why evidence isn't kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry's settings can't be used, or there is no registry.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The registry doesn't take it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Something couldn't be read from the cluster.
    #[error("failed to read {what}")]
    Read {
        /// What.
        what: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// Something couldn't be compressed or packed.
    #[error("failed to pack")]
    Pack(#[from] std::io::Error),
    /// Something couldn't be written as JSON.
    #[error("failed to write JSON")]
    Json(#[from] serde_json::Error),
    /// The secrets that evidence must not have can't be looked for.
    #[error("failed to look for the instance's secrets, so nothing is kept")]
    Scrub(#[from] aho_corasick::BuildError),
    /// The images are in a registry that nothing can be pushed to.
    #[error("{0}")]
    NoRegistry(&'static str),
    /// The time was up before the registry had anything.
    #[error("the registry took nothing in the time that evidence has; collecting it isn't tried again")]
    TooSlow,
}

impl Error {
    /// The reason for the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoRegistry(_) | Self::Access(AccessError::NoRegistry) => "NoRegistry",
            Self::Access(error) => error.reason(),
            Self::Registry(RegistryError::Denied { .. } | RegistryError::Credentials { .. }) => "Denied",
            Self::Registry(RegistryError::Full { .. }) => "Full",
            Self::Registry(RegistryError::Away { .. }) => "RegistryUnreachable",
            Self::Registry(_) => "RegistryRefused",
            Self::Read { .. } => "DependencyUnreadable",
            Self::Pack(_) | Self::Json(_) | Self::Scrub(_) => "PackFailed",
            Self::TooSlow => "TooSlow",
        }
    }

    /// Whether it may be otherwise a moment later.
    pub fn passes(&self) -> bool {
        match self {
            Self::Registry(error) => error.passes(),
            // What the API server says no to, it says no to again.
            Self::Read { source: kube::Error::Api(answer), .. } => apply::is_unwell(answer),
            Self::Read { .. } => true,
            _ => false,
        }
    }
}
