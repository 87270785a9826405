//! Why images can't be had. Pure.

use std::time::Duration;

use copr_operator_api::status::images::NO_BUILDER;
use copr_operator_kernel::apply;

use super::{condition, start};
use crate::{
    dependency,
    registry::{self, access},
    resolve::repository,
};

/// Why images can't be had now.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that the spec refers to.
    #[error(transparent)]
    Dependency(#[from] dependency::Error),
    /// How a registry is to be spoken to.
    #[error(transparent)]
    Access(#[from] access::Error),
    /// A repository.
    #[error(transparent)]
    Repository(#[from] repository::Error),
    /// A registry.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// There is no such base image.
    #[error("packages.baseImage: there is no image {0}")]
    NoBaseImage(String),
    /// The operator doesn't know what to build with.
    #[error("the operator was started without --image-builder, so it can't build images from packages")]
    NoBuilder,
    /// A Job.
    #[error(transparent)]
    Start(#[from] start::Error),
    /// What builds run as.
    #[error("failed to apply what builds run as")]
    Identity(#[source] apply::Error),
    /// A pin that can't be had.
    #[error("packages.pins: {0}")]
    NoSuchPin(String),
    /// The API server returned an object without a uid.
    #[error("the instance has no uid")]
    NoUid,
}

impl Error {
    /// The reason for the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Dependency(error) => error.reason(),
            Self::Access(error) => error.reason(),
            Self::Repository(_) => condition::REPOSITORY_UNREADABLE,
            Self::Registry(registry::Error::Reference { .. })
            | Self::NoBaseImage(_)
            | Self::NoSuchPin(_)
            | Self::NoUid => "InvalidSpec",
            Self::Registry(registry::Error::Credentials { .. } | registry::Error::Denied { .. }) => {
                condition::REGISTRY_REFUSED
            }
            Self::Registry(_) => condition::REGISTRY_UNREACHABLE,
            Self::NoBuilder => NO_BUILDER,
            Self::Start(start::Error::Look { .. }) => "DependencyUnreadable",
            Self::Start(start::Error::Taken(_)) => "NameTaken",
            Self::Start(_) | Self::Identity(_) => "ApplyFailed",
        }
    }

    /// How long whoever failed wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Repository(error) => error.retry_after(),
            Self::Registry(error) => error.retry_after(),
            _ => None,
        }
    }
}
