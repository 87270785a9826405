//! Names that more than one module of an instance must agree on.

/// The label value of what leads people to the instance.
pub const EXPOSE: &str = "expose";
/// The suffix of the Service of the results web server.
pub const BACKEND_HTTPD: &str = "backend-httpd";

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
