//! The images of an instance, one row an image, and what its spec says of them.

use crate::v1alpha1::{CoprInstanceSpec, SuiteName};

/// An image that the operator can build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Image {
    /// What the others start from.
    Base,
    /// PostgreSQL.
    Database,
    /// Redis.
    Redis,
    /// Keygen.
    Keygen,
    /// Frontend.
    Frontend,
    /// Dist-git.
    DistGit,
    /// Resalloc.
    Resalloc,
    /// Backend.
    Backend,
    /// Results web server.
    BackendHttpd,
    /// Builder pods.
    Builder,
    /// The sanity suite.
    Sanity,
    /// Copr's own sanity suite.
    SanityUpstream,
    /// The suite of tmt tests.
    SanityTmt,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct ImageRow {
    /// Its folder below `images/`, and the end of its name in a registry.
    pub folder: &'static str,
    /// Its key in `status.images`, `status.resolved` and `status.packages.images`.
    pub key: &'static str,
    /// Where the spec may name it.
    pub field: &'static str,
    /// What the operator does when it builds it, as events say.
    pub action: &'static str,
}

impl Image {
    /// In the order in which they are built and reported.
    pub const ALL: [Self; 13] = [
        Self::Base,
        Self::Database,
        Self::Redis,
        Self::Keygen,
        Self::Frontend,
        Self::DistGit,
        Self::Resalloc,
        Self::Backend,
        Self::BackendHttpd,
        Self::Builder,
        Self::Sanity,
        Self::SanityUpstream,
        Self::SanityTmt,
    ];

    /// Its row.
    pub const fn row(self) -> &'static ImageRow {
        match self {
            Self::Base => &ImageRow {
                folder: "base",
                key: "base",
                field: "packages.baseImage",
                action: "BuildBaseImage",
            },
            Self::Database => &ImageRow {
                folder: "database",
                key: "database",
                field: "database.image",
                action: "BuildDatabaseImage",
            },
            Self::Redis => {
                &ImageRow { folder: "redis", key: "redis", field: "redis.image", action: "BuildRedisImage" }
            }
            Self::Keygen => &ImageRow {
                folder: "keygen",
                key: "keygen",
                field: "keygen.image",
                action: "BuildKeygenImage",
            },
            Self::Frontend => &ImageRow {
                folder: "frontend",
                key: "frontend",
                field: "frontend.image",
                action: "BuildFrontendImage",
            },
            Self::DistGit => &ImageRow {
                folder: "dist-git",
                key: "distGit",
                field: "distGit.image",
                action: "BuildDistGitImage",
            },
            Self::Resalloc => &ImageRow {
                folder: "resalloc",
                key: "resalloc",
                field: "resalloc.image",
                action: "BuildResallocImage",
            },
            Self::Backend => &ImageRow {
                folder: "backend",
                key: "backend",
                field: "backend.image",
                action: "BuildBackendImage",
            },
            Self::BackendHttpd => &ImageRow {
                folder: "backend-httpd",
                key: "backendHttpd",
                field: "backend.httpdImage",
                action: "BuildBackendHttpdImage",
            },
            Self::Builder => &ImageRow {
                folder: "builder",
                key: "builder",
                field: "builders.image",
                action: "BuildBuilderImage",
            },
            Self::Sanity => &ImageRow {
                folder: "sanity",
                key: "sanity",
                field: "tests.image",
                action: "BuildSanityImage",
            },
            Self::SanityUpstream => &ImageRow {
                folder: "sanity-upstream",
                key: "sanityUpstream",
                field: "tests.suites",
                action: "BuildSanityUpstreamImage",
            },
            Self::SanityTmt => &ImageRow {
                folder: "sanity-tmt",
                key: "sanityTmt",
                field: "tests.suites",
                action: "BuildSanityTmtImage",
            },
        }
    }

    /// Its folder below `images/`, and the end of its name in a registry.
    pub const fn folder(self) -> &'static str {
        self.row().folder
    }

    /// Its key in the status.
    pub const fn key(self) -> &'static str {
        self.row().key
    }

    /// Where the spec may name it.
    pub const fn field(self) -> &'static str {
        self.row().field
    }

    /// What the operator does when it builds it, as events say.
    pub const fn action(self) -> &'static str {
        self.row().action
    }

    /// The image that it starts from, of those that the operator builds.
    pub const fn starts_from(self) -> Option<Self> {
        match self {
            Self::Base => None,
            Self::SanityUpstream | Self::SanityTmt => Some(Self::Sanity),
            _ => Some(Self::Base),
        }
    }

    /// The image of a suite.
    pub const fn of_suite(suite: SuiteName) -> Self {
        match suite {
            SuiteName::Smoke => Self::Sanity,
            SuiteName::Upstream => Self::SanityUpstream,
            SuiteName::Tmt => Self::SanityTmt,
        }
    }

    /// Whether it's of a suite: no pod of the instance runs it.
    pub const fn is_of_suite(self) -> bool {
        matches!(self, Self::Sanity | Self::SanityUpstream | Self::SanityTmt)
    }

    /// The image of that key.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|image| image.key() == key)
    }
}

/// What the spec names as an image in its own block.
pub const fn own_image(spec: &CoprInstanceSpec, image: Image) -> Option<&String> {
    match image {
        Image::Base | Image::SanityUpstream | Image::SanityTmt => None,
        Image::Database => spec.database.component.image.as_ref(),
        Image::Redis => spec.redis.component.image.as_ref(),
        Image::Keygen => spec.keygen.image.as_ref(),
        Image::Frontend => spec.frontend.component.image.as_ref(),
        Image::DistGit => spec.dist_git.component.image.as_ref(),
        Image::Resalloc => spec.resalloc.image.as_ref(),
        Image::Backend => spec.backend.component.image.as_ref(),
        Image::BackendHttpd => spec.backend.httpd_image.as_ref(),
        Image::Builder => spec.builders.image.as_ref(),
        Image::Sanity => spec.tests.image.as_ref(),
    }
}

/// The images that the spec names, tags as they are: those of the components that the instance has, and the suite's if it is
/// named.
pub fn given_images(spec: &CoprInstanceSpec) -> Vec<(Image, String)> {
    let images = &spec.images;
    let by_registry = |image: Image| {
        let registry = images.registry.as_ref().filter(|_| !image.is_of_suite())?;
        Some(format!("{registry}/copr-{}:{}", image.folder(), images.tag))
    };
    Image::ALL
        .into_iter()
        .filter(|image| *image != Image::Base && runs(spec, *image))
        .filter_map(|image| Some((image, own_image(spec, image).cloned().or_else(|| by_registry(image))?)))
        .collect()
}

/// Whether the instance runs the image: of an external PostgreSQL or Redis there is no pod.
pub fn runs(spec: &CoprInstanceSpec, image: Image) -> bool {
    match image {
        Image::Database => spec.database.external_secret.is_none(),
        Image::Redis => spec.redis.external_secret.is_none(),
        _ => true,
    }
}

/// Names of the Secrets that the images are pulled with. What may push built ones may pull them.
pub fn pull_secrets(spec: &CoprInstanceSpec) -> Vec<String> {
    let push = spec.registry.iter().filter(|_| spec.packages.is_some()).flat_map(|r| &r.push_secret);
    spec.images.pull_secrets.iter().chain(push.map(|secret| &secret.name)).cloned().collect()
}
