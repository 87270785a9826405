//! The images of an instance.

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
}

impl Image {
    /// In the order in which they are built and reported.
    pub const ALL: [Self; 11] = [
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
    ];

    /// Its folder below `images/`, and the end of its name in a registry.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Database => "database",
            Self::Redis => "redis",
            Self::Keygen => "keygen",
            Self::Frontend => "frontend",
            Self::DistGit => "dist-git",
            Self::Resalloc => "resalloc",
            Self::Backend => "backend",
            Self::BackendHttpd => "backend-httpd",
            Self::Builder => "builder",
            Self::Sanity => "sanity",
        }
    }

    /// Its field in `spec.images`, and its key in `status.images`.
    pub const fn field(self) -> &'static str {
        match self {
            Self::DistGit => "distGit",
            Self::BackendHttpd => "backendHttpd",
            other => other.folder(),
        }
    }

    /// What the operator does when it builds it, as events say.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Base => "BuildBaseImage",
            Self::Database => "BuildDatabaseImage",
            Self::Redis => "BuildRedisImage",
            Self::Keygen => "BuildKeygenImage",
            Self::Frontend => "BuildFrontendImage",
            Self::DistGit => "BuildDistGitImage",
            Self::Resalloc => "BuildResallocImage",
            Self::Backend => "BuildBackendImage",
            Self::BackendHttpd => "BuildBackendHttpdImage",
            Self::Builder => "BuildBuilderImage",
            Self::Sanity => "BuildSanityImage",
        }
    }

    /// The image of that field.
    pub fn of_field(field: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|image| image.field() == field)
    }
}
