//! Names that more than one module of an instance must agree on.

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
/// The label value of what leads people to the instance.
pub const EXPOSE: &str = "expose";
/// The suffix of the Service of the results web server.
pub const BACKEND_HTTPD: &str = "backend-httpd";

/// The Secret that holds everything generated for an instance.
pub fn credentials(instance: &str) -> String {
    format!("{instance}-credentials")
}

/// The Secret that holds a copr-cli configuration.
pub fn client(instance: &str) -> String {
    format!("{instance}-client")
}

/// Ports of the Services.
pub mod port {
    /// PostgreSQL.
    pub const DATABASE: i32 = 5432;
    /// Redis.
    pub const REDIS: i32 = 6379;
    /// Frontend.
    pub const FRONTEND: i32 = 5000;
    /// Frontend, for people: a port of the Service only, and the image's port behind it.
    pub const PUBLIC: i32 = 8080;
    /// Frontend, for what runs inside the cluster, where people have URLs of their own: the port behind the Service's.
    pub const INSIDE: i32 = 5004;
    /// Results web server.
    pub const RESULTS: i32 = 5002;
    /// Keygen's HTTP.
    pub const KEYGEN: i32 = 5003;
    /// signd.
    pub const SIGND: i32 = 5167;
    /// Dist-git's HTTP.
    pub const DIST_GIT: i32 = 5001;
    /// Resalloc's XML-RPC.
    pub const RESALLOC: i32 = 49100;
    /// sshd of a builder.
    pub const SSH: i32 = 22;
}
