//! Step 2, pure: what was read becomes one struct, the only input of the builders.

mod exposure;
mod images;
mod lists;
mod workloads;

use std::collections::BTreeMap;

use copr_operator_api::{
    component::{Component, port},
    images::Image,
    names::client,
    v1alpha1::{Admin, CoprInstance, CoprInstanceSpec, DeletionPolicy, Proxy, Url},
};
use copr_operator_images::{BuildIdentity, Provision};
use copr_operator_kernel::platform::Platform;
use jiff::{SignedDuration, civil::Date};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource, ResourceExt};

pub use exposure::Exposure;
pub use images::Pull;
pub use lists::{Account, DistGit, Lists, Team, Token};
pub use workloads::{Builders, Workload, Workloads};

use super::{
    credentials::Credentials,
    dereference::{External, Observed},
    extra_config::{self, ExtraConfig},
    login::{self, Login},
};

/// A valid instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Name of the CoprInstance.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// What every object of it refers to.
    pub owner: OwnerReference,
    /// The components.
    pub workloads: Workloads,
    /// How images are pulled.
    pub pull: Pull,
    /// The images of the suites that the instance has.
    pub suite_images: BTreeMap<Image, String>,
    /// Chroots that are offered.
    pub chroots: Vec<String>,
    /// What Copr's database is brought to.
    pub lists: Lists,
    /// Builder pools, one per machine architecture of the chroots.
    pub pools: Vec<Pool>,
    /// Builder settings.
    pub builders: Builders,
    /// The administrator.
    pub admin: Admin,
    /// PostgreSQL.
    pub database: Database,
    /// Redis.
    pub redis: Redis,
    /// Where people reach it, if that isn't where everything inside the cluster does.
    pub url: Option<Url>,
    /// What leads them there.
    pub exposure: Exposure,
    /// How they log in.
    pub login: Login,
    /// Settings of Copr's own files.
    pub extra_config: ExtraConfig,
    /// Environment variables of what fetches from outside of the cluster.
    pub proxy: Vec<(String, String)>,
    /// Everything secret.
    pub credentials: Credentials,
    /// The version of the Secret that they were read from, if there is one.
    pub credentials_version: Option<String>,
    /// Which rotation they belong to.
    pub rotation: Option<String>,
    /// What becomes of the data when the instance is deleted.
    pub deletion_policy: DeletionPolicy,
    /// What the cluster asks of pods.
    pub platform: Platform,
    /// What builds of images run as.
    pub image_builds: BuildIdentity,
}

/// Builders of one machine architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// `kubernetes.io/arch` of the nodes.
    pub node_arch: &'static str,
    /// Architectures of Copr that these nodes build.
    pub copr_arches: Vec<String>,
}

/// Which PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// The instance's own.
    Managed,
    /// One elsewhere.
    External {
        /// SQLAlchemy URI.
        uri: String,
    },
}

/// Which Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redis {
    /// The instance's own.
    Managed,
    /// One elsewhere.
    External {
        /// Host.
        host: String,
        /// Port.
        port: u16,
    },
}

/// Why an instance can't be built as specified.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A Secret that the spec names isn't there.
    #[error("{field}: there is no Secret {name} in this namespace")]
    SecretNotFound {
        /// Field of the spec.
        field: &'static str,
        /// Name of the Secret.
        name: String,
    },
    /// A Secret lacks a key, or has a value that can't be used.
    #[error("{field}: the Secret {name} {problem}")]
    SecretInvalid {
        /// Field of the spec.
        field: &'static str,
        /// Name of the Secret.
        name: String,
        /// What is wrong with it. Never its content.
        problem: &'static str,
    },
    /// A ConfigMap that the spec names isn't there.
    #[error("{field}: there is no ConfigMap {name} in this namespace")]
    ConfigMapNotFound {
        /// Field of the spec.
        field: &'static str,
        /// Name of the ConfigMap.
        name: String,
    },
    /// A ConfigMap lacks a key, or has a value that can't be used.
    #[error("{field}: the ConfigMap {name} {problem}")]
    ConfigMapInvalid {
        /// Field of the spec.
        field: &'static str,
        /// Name of the ConfigMap.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An image is not given (the API server's rules refuse this first).
    #[error("{0}: no image is given, no images.registry and no packages either")]
    NoImage(&'static str),
    /// A field contradicts itself, or can't be what it says.
    #[error("{field}: {problem}")]
    Field {
        /// Which field.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No node can build such a chroot.
    #[error("chroots: {chroot} is for the architecture {arch}, which no builder can be scheduled for")]
    UnknownArch {
        /// The chroot.
        chroot: String,
        /// Its architecture.
        arch: String,
    },
    /// The cluster doesn't have the kind of object that `expose` is about.
    #[error("expose: {expose}, but this cluster doesn't serve {kind} ({group}/{version})")]
    NotServed {
        /// As the spec says.
        expose: &'static str,
        /// The kind.
        kind: String,
        /// Its API group.
        group: String,
        /// The version of the group.
        version: String,
    },
    /// The API server returned an object without a uid.
    #[error("the instance has no uid")]
    NoUid,
}

impl Error {
    /// The reason for the condition.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::SecretNotFound { .. } => "SecretNotFound",
            Self::SecretInvalid { .. } => "SecretInvalid",
            Self::ConfigMapNotFound { .. } => "ConfigMapNotFound",
            Self::ConfigMapInvalid { .. } => "ConfigMapInvalid",
            Self::NotServed { .. } => "ExposeUnsupported",
            Self::NoImage(_) | Self::Field { .. } | Self::UnknownArch { .. } | Self::NoUid => "InvalidSpec",
        }
    }
}

/// Redis' own port.
const REDIS_PORT: u16 = 6379;

/// Checks what the spec alone says wrong, before any image is built for it. A Secret that is missing may come while they are built.
pub fn precheck(spec: &CoprInstanceSpec) -> Result<(), Error> {
    workloads::check(spec)?;
    extra_config::check(spec)?;
    if let Some(ttl) = &spec.ttl
        && ttl.parse::<SignedDuration>().is_err()
    {
        return Err(Error::Field {
            field: "ttl".into(),
            problem: format!("{ttl:?} is not a duration such as 8h"),
        });
    }
    let is_a_day = |date: &String| date.parse::<Date>().is_ok();
    if let Some(date) =
        spec.end_of_life_chroots.iter().map(|chroot| &chroot.date).find(|date| !is_a_day(date))
    {
        let problem = format!("{date:?} is not a date such as 2026-05-13");
        return Err(Error::Field { field: "endOfLifeChroots[].date".into(), problem });
    }
    pools(&spec.chroots).map(drop)
}

/// Parses an instance, what was read for it and the images that there are for it.
pub fn validate(
    instance: &CoprInstance,
    observed: &Observed,
    provision: &Provision,
) -> Result<Instance, Error> {
    let spec = instance.spec.clone();
    let lists = lists::lists(&spec, observed)?;
    Ok(Instance {
        login: login::validate(&spec, observed)?,
        exposure: Exposure::of(&spec, &observed.served)?,
        name: instance.name_any(),
        namespace: instance.namespace().unwrap_or_default(),
        owner: instance.controller_owner_ref(&()).ok_or(Error::NoUid)?,
        workloads: workloads::workloads(&spec, &provision.images)?,
        builders: workloads::builders(&spec, &provision.images)?,
        pull: images::pull(&spec),
        suite_images: images::of_suites(&provision.images),
        extra_config: ExtraConfig::of(&spec),
        url: spec.url.as_deref().cloned(),
        proxy: spec.proxy.as_ref().map(Proxy::variables).unwrap_or_default(),
        image_builds: provision.identity.clone(),
        pools: pools(&spec.chroots)?,
        chroots: lists.chroots.clone(),
        lists,
        admin: spec.admin,
        database: database(observed.database_secret.as_ref())?,
        redis: redis(observed.redis_secret.as_ref())?,
        credentials: observed.credentials.clone(),
        credentials_version: observed.credentials_version.clone(),
        rotation: observed.rotation.clone(),
        deletion_policy: spec.deletion_policy,
        platform: observed.platform.clone(),
    })
}

fn pools(chroots: &[String]) -> Result<Vec<Pool>, Error> {
    let mut pools: Vec<Pool> = Vec::new();
    for chroot in chroots {
        let arch = chroot.rsplit('-').next().unwrap_or_default();
        let node_arch = node_arch(arch)
            .ok_or_else(|| Error::UnknownArch { chroot: chroot.clone(), arch: arch.to_owned() })?;
        let index = pools.iter().position(|p| p.node_arch == node_arch).unwrap_or_else(|| {
            pools.push(Pool { node_arch, copr_arches: Vec::new() });
            pools.len() - 1
        });
        if let Some(pool) = pools.get_mut(index).filter(|p| !p.copr_arches.iter().any(|a| a == arch)) {
            pool.copr_arches.push(arch.to_owned());
        }
    }
    Ok(pools)
}

/// The nodes that build for an architecture of Copr. x86_64 nodes build 32-bit chroots as well.
fn node_arch(copr: &str) -> Option<&'static str> {
    match copr {
        "x86_64" | "i386" | "i586" | "i686" => Some("amd64"),
        "aarch64" | "armhfp" => Some("arm64"),
        "ppc64le" => Some("ppc64le"),
        "s390x" => Some("s390x"),
        "riscv64" => Some("riscv64"),
        _ => None,
    }
}

fn database(secret: Option<&External>) -> Result<Database, Error> {
    let field = "database.externalSecret";
    let Some(External { name, data }) = secret else {
        return Ok(Database::Managed);
    };
    let data = data.as_ref().ok_or_else(|| Error::SecretNotFound { field, name: name.clone() })?;
    let invalid = |problem| Error::SecretInvalid { field, name: name.clone(), problem };
    let uri = data.get("uri").ok_or_else(|| invalid("has no key uri"))?.trim();
    if !uri.starts_with("postgresql") || uri.contains(['\n', '\'', '\\']) {
        return Err(invalid(
            "has a uri that is not of the form postgresql+psycopg2://user:password@host:port/database",
        ));
    }
    Ok(Database::External { uri: uri.to_owned() })
}

fn redis(secret: Option<&External>) -> Result<Redis, Error> {
    let field = "redis.externalSecret";
    let Some(External { name, data }) = secret else {
        return Ok(Redis::Managed);
    };
    let data = data.as_ref().ok_or_else(|| Error::SecretNotFound { field, name: name.clone() })?;
    let invalid = |problem| Error::SecretInvalid { field, name: name.clone(), problem };
    let host = data.get("host").ok_or_else(|| invalid("has no key host"))?.trim();
    let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    if host.is_empty() || !host.chars().all(well_formed) {
        return Err(invalid("has a host that is not a host name or an address"));
    }
    let port = match data.get("port") {
        None => REDIS_PORT,
        Some(port) => {
            port.trim().parse().map_err(|_| invalid("has a port that is not a number below 65536"))?
        }
    };
    Ok(Redis::External { host: host.to_owned(), port })
}

impl Instance {
    /// The owner of what holds a user's data: none where that is to outlive the instance.
    pub fn owner_of_data(&self) -> Option<Vec<OwnerReference>> {
        (self.deletion_policy == DeletionPolicy::Delete).then(|| vec![self.owner.clone()])
    }

    /// Name of an object of the instance.
    pub fn object(&self, suffix: &str) -> String {
        format!("{}-{suffix}", self.name)
    }

    /// Host of a Service of the instance, as every pod of the cluster resolves it.
    pub fn host(&self, suffix: &str) -> String {
        format!("{}-{suffix}.{}.svc", self.name, self.namespace)
    }

    /// SQLAlchemy URI of the database.
    pub fn database_uri(&self) -> String {
        match &self.database {
            Database::External { uri } => uri.clone(),
            Database::Managed => format!(
                "postgresql+psycopg2://copr-fe:{}@{}:{}/coprdb",
                self.credentials.database_password,
                self.host(Component::Database.name()),
                port::DATABASE.number
            ),
        }
    }

    /// Host and port of Redis.
    pub fn redis_address(&self) -> (String, u16) {
        match &self.redis {
            Redis::External { host, port } => (host.clone(), *port),
            Redis::Managed => (self.host(Component::Redis.name()), REDIS_PORT),
        }
    }

    /// The components that this instance has workloads of.
    pub fn components(&self) -> impl Iterator<Item = Component> + '_ {
        Component::ALL.into_iter().filter(|component| match component {
            Component::Database => self.database == Database::Managed,
            Component::Redis => self.redis == Redis::Managed,
            _ => true,
        })
    }

    /// Name of the Secret with the copr-cli configuration.
    pub fn client_secret(&self) -> String {
        client(&self.name)
    }
}

#[cfg(test)]
mod tests;
