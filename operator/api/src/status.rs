//! What the conditions of a CoprInstance say that others than its controller act upon.

/// Every component answers. What tests and users wait for.
pub const READY: &str = "Ready";
/// The cluster has everything that the present spec says.
pub const RECONCILED: &str = "Reconciled";

/// The condition that sums up all images.
pub mod images {
    /// Its type.
    pub const CONDITION: &str = "ImagesReady";
    /// An image could not be built.
    pub const BUILD_FAILED: &str = "ImageBuildFailed";
    /// What was installed is not what `packages.require` says.
    pub const REQUIREMENT_UNMET: &str = "PackagesRequirementUnmet";
    /// The operator was started without an image that builds images.
    pub const NO_BUILDER: &str = "ImageBuilderMissing";

    /// Whether waiting changes nothing: somebody has to change the packages or the spec.
    pub fn is_final(reason: &str) -> bool {
        matches!(reason, BUILD_FAILED | REQUIREMENT_UNMET | NO_BUILDER)
    }
}

/// The condition of the builder pods.
pub mod builders {
    /// Its type.
    pub const CONDITION: &str = "BuildersReady";
    /// The API server refuses builders: Pod Security, a quota, security context constraints, an admission webhook.
    pub const BUILDER_REFUSED: &str = "BuilderRefused";
}

/// The condition of the chroots: whether the builder image knows them.
pub mod chroots {
    /// Its type.
    pub const CONDITION: &str = "ChrootsReady";
}
