//! The images of an instance. One row an image.

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

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct ImageRow {
    /// Its folder below `images/`, and the end of its name in a registry.
    pub folder: &'static str,
    /// Its key in `status.images`, `status.resolved` and `status.packages.images`.
    pub key: &'static str,
    /// Where the spec may name it.
    pub field: &'static str,
    /// The type of its condition.
    pub condition: &'static str,
    /// What the operator does when it builds it, as events say.
    pub action: &'static str,
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

    /// Its row.
    pub const fn row(self) -> &'static ImageRow {
        match self {
            Self::Base => &ImageRow {
                folder: "base",
                key: "base",
                field: "packages.baseImage",
                condition: "BaseImageReady",
                action: "BuildBaseImage",
            },
            Self::Database => &ImageRow {
                folder: "database",
                key: "database",
                field: "database.image",
                condition: "DatabaseImageReady",
                action: "BuildDatabaseImage",
            },
            Self::Redis => &ImageRow {
                folder: "redis",
                key: "redis",
                field: "redis.image",
                condition: "RedisImageReady",
                action: "BuildRedisImage",
            },
            Self::Keygen => &ImageRow {
                folder: "keygen",
                key: "keygen",
                field: "keygen.image",
                condition: "KeygenImageReady",
                action: "BuildKeygenImage",
            },
            Self::Frontend => &ImageRow {
                folder: "frontend",
                key: "frontend",
                field: "frontend.image",
                condition: "FrontendImageReady",
                action: "BuildFrontendImage",
            },
            Self::DistGit => &ImageRow {
                folder: "dist-git",
                key: "distGit",
                field: "distGit.image",
                condition: "DistGitImageReady",
                action: "BuildDistGitImage",
            },
            Self::Resalloc => &ImageRow {
                folder: "resalloc",
                key: "resalloc",
                field: "resalloc.image",
                condition: "ResallocImageReady",
                action: "BuildResallocImage",
            },
            Self::Backend => &ImageRow {
                folder: "backend",
                key: "backend",
                field: "backend.image",
                condition: "BackendImageReady",
                action: "BuildBackendImage",
            },
            Self::BackendHttpd => &ImageRow {
                folder: "backend-httpd",
                key: "backendHttpd",
                field: "backend.httpdImage",
                condition: "BackendHttpdImageReady",
                action: "BuildBackendHttpdImage",
            },
            Self::Builder => &ImageRow {
                folder: "builder",
                key: "builder",
                field: "builders.image",
                condition: "BuilderImageReady",
                action: "BuildBuilderImage",
            },
            Self::Sanity => &ImageRow {
                folder: "sanity",
                key: "sanity",
                field: "tests.image",
                condition: "SanityImageReady",
                action: "BuildSanityImage",
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

    /// The type of its condition.
    pub const fn condition(self) -> &'static str {
        self.row().condition
    }

    /// What the operator does when it builds it, as events say.
    pub const fn action(self) -> &'static str {
        self.row().action
    }

    /// The image of that key.
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|image| image.key() == key)
    }
}
