//! What is known of each component wherever it is named: in the spec, in object names, on the network, in the status and in
//! docs/architecture.md. One row a component.

use super::images::Image;

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

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The label value of its pods and the suffix of object names.
    pub name: &'static str,
    /// Its block in the spec, and its name in `status.components`.
    pub field: &'static str,
    /// Its images, each with the container that shows which one runs.
    pub images: &'static [(Image, &'static str)],
    /// Its Services.
    pub services: &'static [Service],
    /// The size of its volume unless the spec says another one.
    pub volume: &'static str,
    /// Who may connect to its pods.
    pub clients: Clients,
    /// Whether it fetches from outside of the cluster, so that it needs a proxy where there is one.
    pub fetches: bool,
}

/// A Service in front of a component's pods.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// The suffix of its name.
    pub name: &'static str,
    /// What it offers.
    pub ports: &'static [Port],
}

/// A port, the same of the Service and of the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: &'static str,
    /// Its number.
    pub number: i32,
}

/// Who may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// Everybody: it asks who they are, or serves the public.
    Everybody,
    /// These alone: it has no authentication that would keep others out.
    Only {
        /// Components of the same instance.
        components: &'static [Component],
        /// The pods of test runs, too.
        tests: bool,
    },
}

const fn only(components: &'static [Component]) -> Clients {
    Clients::Only { components, tests: false }
}

/// The suffix of the Service of the results web server.
pub const BACKEND_HTTPD: &str = "backend-httpd";
/// The label value of builder pods.
pub const BUILDER: &str = "builder";
/// The label value of what leads people to the instance.
pub const EXPOSE: &str = "expose";
/// The label value of the pods of tests.
pub const SANITY: &str = "sanity";

/// Ports.
pub mod port {
    use super::Port;

    const fn port(name: &'static str, number: i32) -> Port {
        Port { name, number }
    }

    /// PostgreSQL.
    pub const DATABASE: Port = port("postgresql", 5432);
    /// Redis.
    pub const REDIS: Port = port("redis", 6379);
    /// Frontend.
    pub const FRONTEND: Port = port("http", 5000);
    /// Frontend, for people: a port of the Service only, and [`FRONTEND`] behind it.
    pub const PUBLIC: Port = port("public", 8080);
    /// Frontend, for what runs inside the cluster, where people have URLs of their own: the port behind the Service's.
    pub const INSIDE: Port = port("inside", 5004);
    /// Results web server.
    pub const RESULTS: Port = port("http", 5002);
    /// Keygen's HTTP.
    pub const KEYGEN: Port = port("http", 5003);
    /// signd.
    pub const SIGND: Port = port("signd", 5167);
    /// Dist-git's HTTP.
    pub const DIST_GIT: Port = port("http", 5001);
    /// Resalloc's XML-RPC.
    pub const RESALLOC: Port = port("xmlrpc", 49100);
    /// sshd of a builder.
    pub const SSH: Port = port("ssh", 22);
}

/// Who may connect to builders. Tests see by sshd's silence that a builder is gone.
pub const CLIENTS_OF_BUILDERS: Clients =
    Clients::Only { components: &[Component::Backend, Component::Resalloc], tests: true };

const DATABASE: Row = Row {
    name: "database",
    field: "database",
    images: &[(Image::Database, "database")],
    services: &[Service { name: "database", ports: &[port::DATABASE] }],
    volume: "1Gi",
    clients: only(&[Component::Frontend]),
    fetches: false,
};

const REDIS: Row = Row {
    name: "redis",
    field: "redis",
    images: &[(Image::Redis, "redis")],
    services: &[Service { name: "redis", ports: &[port::REDIS] }],
    volume: "1Gi",
    clients: only(&[Component::Frontend, Component::Backend, Component::DistGit]),
    fetches: false,
};

const KEYGEN: Row = Row {
    name: "keygen",
    field: "keygen",
    images: &[(Image::Keygen, "signd")],
    services: &[Service { name: "keygen", ports: &[port::KEYGEN, port::SIGND] }],
    volume: "1Gi",
    clients: only(&[Component::Backend]),
    fetches: false,
};

const FRONTEND: Row = Row {
    name: "frontend",
    field: "frontend",
    images: &[(Image::Frontend, "httpd")],
    services: &[Service { name: "frontend", ports: &[port::FRONTEND] }],
    volume: "5Gi",
    clients: Clients::Everybody,
    // It tells forges what became of their pull requests.
    fetches: true,
};

const DIST_GIT: Row = Row {
    name: "dist-git",
    field: "distGit",
    images: &[(Image::DistGit, "importer")],
    services: &[Service { name: "dist-git", ports: &[port::DIST_GIT] }],
    volume: "5Gi",
    clients: Clients::Everybody,
    // It imports what the instance's own backend has.
    fetches: false,
};

const RESALLOC: Row = Row {
    name: "resalloc",
    field: "resalloc",
    images: &[(Image::Resalloc, "resalloc")],
    services: &[Service { name: "resalloc", ports: &[port::RESALLOC] }],
    volume: "1Gi",
    clients: only(&[Component::Backend]),
    fetches: false,
};

const BACKEND: Row = Row {
    name: "backend",
    field: "backend",
    images: &[(Image::Backend, "build"), (Image::BackendHttpd, "httpd")],
    services: &[Service { name: BACKEND_HTTPD, ports: &[port::RESULTS] }],
    volume: "10Gi",
    clients: Clients::Everybody,
    fetches: false,
};

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

    /// Its row.
    pub const fn row(self) -> &'static Row {
        match self {
            Self::Database => &DATABASE,
            Self::Redis => &REDIS,
            Self::Keygen => &KEYGEN,
            Self::Frontend => &FRONTEND,
            Self::DistGit => &DIST_GIT,
            Self::Resalloc => &RESALLOC,
            Self::Backend => &BACKEND,
        }
    }

    /// The label value of its pods and the suffix of object names.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Its block in the spec, and its name in `status.components`.
    pub const fn field(self) -> &'static str {
        self.row().field
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What docs/architecture.md says of a component.
    fn line(component: Component) -> String {
        let row = component.row();
        let listed = |parts: Vec<String>| parts.join(", ");
        let images = row.images.iter().map(|(image, _)| format!("`{}`", image.field())).collect();
        let ports = row.services.iter().flat_map(|service| {
            service.ports.iter().map(|port| format!("`{}` {}", service.name, port.number))
        });
        let clients = match row.clients {
            Clients::Everybody => "everybody".to_owned(),
            Clients::Only { components, .. } => {
                listed(components.iter().map(|component| component.name().to_owned()).collect())
            }
        };
        format!(
            "| {} | `spec.{}` | {} | {} | {} | {clients} |",
            row.name,
            row.field,
            listed(images),
            listed(ports.collect()),
            row.volume
        )
    }

    #[test]
    fn the_table_of_components_in_the_documentation_is_true() {
        let documentation = include_str!("../../../docs/architecture.md");
        for component in Component::ALL {
            let line = line(component);
            assert!(documentation.contains(&line), "docs/architecture.md lacks the row: {line}");
        }
    }

    #[test]
    fn no_two_components_have_anything_in_common() {
        let rows = Component::ALL.map(Component::row);
        let distinct = |of: fn(&Row) -> &'static str| rows.iter().map(|row| of(row)).collect::<BTreeSet<_>>();
        assert_eq!(distinct(|row| row.name).len(), 7);
        assert_eq!(distinct(|row| row.field).len(), 7);
        let images = rows.iter().flat_map(|row| row.images).map(|(image, _)| image);
        assert_eq!(images.collect::<BTreeSet<_>>().len(), 8);
    }
}
