//! The components of an instance, and names that follow from its own.

/// The components of an instance that have a workload of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// PostgreSQL.
    Database,
    /// Redis.
    Redis,
    /// Web UI and API.
    Frontend,
    /// Dispatchers and results.
    Backend,
    /// Keys and signatures.
    Keygen,
    /// Sources.
    DistGit,
    /// Allocation of builders.
    Resalloc,
}

impl Component {
    /// In the order in which they are reported.
    pub const ALL: [Self; 7] = [
        Self::Database,
        Self::Redis,
        Self::Keygen,
        Self::Frontend,
        Self::DistGit,
        Self::Resalloc,
        Self::Backend,
    ];

    /// The label value and the suffix of object names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Redis => "redis",
            Self::Frontend => "frontend",
            Self::Backend => "backend",
            Self::Keygen => "keygen",
            Self::DistGit => "dist-git",
            Self::Resalloc => "resalloc",
        }
    }

    /// The key in `spec.resources`.
    pub const fn field(self) -> &'static str {
        match self {
            Self::DistGit => "distGit",
            other => other.name(),
        }
    }

    /// The type of its condition.
    pub const fn condition(self) -> &'static str {
        match self {
            Self::Database => "DatabaseReady",
            Self::Redis => "RedisReady",
            Self::Frontend => "FrontendReady",
            Self::Backend => "BackendReady",
            Self::Keygen => "KeygenReady",
            Self::DistGit => "DistGitReady",
            Self::Resalloc => "ResallocReady",
        }
    }
}

/// The label value of builder pods.
pub const BUILDER: &str = "builder";
/// The Secret that holds everything generated for an instance.
pub fn credentials(instance: &str) -> String {
    format!("{instance}-credentials")
}

/// The Secret that holds a copr-cli configuration.
pub fn client(instance: &str) -> String {
    format!("{instance}-client")
}
