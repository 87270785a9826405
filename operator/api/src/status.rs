//! What the conditions of a CoprInstance say that others than its controller act upon.

/// The type of the condition that every component answers, whatever the spec says meanwhile. What tests wait for.
pub const AVAILABLE: &str = "Available";

/// Whether an instance that is Available, and for that reason not Ready, has its present spec applied all the same.
pub fn is_applied(reason: &str) -> bool {
    matches!(
        reason,
        volumes::PENDING
            | volumes::RESIZING
            | volumes::RESIZE_REFUSED
            | chroots::LOOKING
            | chroots::MOCK_CONFIG_MISSING
            | exposed::NOT_ADMITTED
    )
}
/// The reason for which an instance isn't Ready while `spec.paused` is true.
pub const PAUSED: &str = "Paused";

/// The condition that sums up all images.
pub mod images {
    /// Its type.
    pub const CONDITION: &str = "ImagesReady";
    /// An image could not be built.
    pub const BUILD_FAILED: &str = "ImageBuildFailed";
    /// Of an image: dnf says that the packages can't be installed.
    pub const PACKAGES_REFUSED: &str = "PackagesRefused";
    /// What was installed is not what `packages.require` says.
    pub const REQUIREMENT_UNMET: &str = "PackagesRequirementUnmet";
    /// The repositories don't have yet what `packages.require` says, and are looked at again.
    pub const NOT_YET_THERE: &str = "PackagesNotYetThere";
    /// The operator was started without an image that builds images.
    pub const NO_BUILDER: &str = "ImageBuilderMissing";

    /// Whether waiting changes nothing: somebody has to change the packages or the spec.
    pub fn is_final(reason: &str) -> bool {
        matches!(reason, BUILD_FAILED | REQUIREMENT_UNMET | NO_BUILDER)
    }
}

/// The condition of the volumes.
pub mod volumes {
    /// Its type.
    pub const CONDITION: &str = "VolumesReady";
    /// A volume doesn't exist yet.
    pub const PENDING: &str = "Pending";
    /// A volume is being made larger, or waits to be.
    pub const RESIZING: &str = "Resizing";
    /// The API server won't change a claim, for instance because its StorageClass can't grow volumes.
    pub const RESIZE_REFUSED: &str = "ResizeRefused";
}

/// The condition of the builder pods.
pub mod builders {
    /// Its type.
    pub const CONDITION: &str = "BuildersReady";
    /// The API server refuses builders: Pod Security, a quota, security context constraints, an admission webhook.
    pub const BUILDER_REFUSED: &str = "BuilderRefused";
}

/// The condition of what `spec.expose` makes: whether somebody serves it. There only where `expose` isn't `None`.
pub mod exposed {
    /// Its type.
    pub const CONDITION: &str = "Exposed";
    /// Every object is served.
    pub const ADMITTED: &str = "Admitted";
    /// A router or a Gateway refuses an object.
    pub const NOT_ADMITTED: &str = "NotAdmitted";
    /// Nobody has answered for an object yet.
    pub const PENDING: &str = "Pending";
}

/// The condition of the chroots: whether the builder image knows them.
pub mod chroots {
    /// Its type.
    pub const CONDITION: &str = "ChrootsReady";
    /// The builder image has no Mock configuration for a chroot.
    pub const MOCK_CONFIG_MISSING: &str = "MockConfigMissing";
    /// The image wasn't looked at yet.
    pub const LOOKING: &str = "Looking";
}
