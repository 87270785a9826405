//! `CoprInstance`: one complete Copr.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    CoprInstanceStatus, Expose, ExtraConfig, GatewayRef, IngressOptions, Login, Packages, Registry,
    RouteOptions, Storage, Url,
};

/// What a Copr instance is made of. Everything not given here (passwords, tokens, keys, names) is
/// generated per instance.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "copr.fedorainfracloud.org",
    version = "v1alpha1",
    kind = "CoprInstance",
    plural = "coprinstances",
    shortname = "copr",
    category = "copr",
    namespaced,
    status = "CoprInstanceStatus",
    doc = "A complete Copr build system: database, Redis, frontend, backend, keygen, dist-git, resalloc and builder pods that exist only while a build runs. Deleting it deletes all of it, volumes included.",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Frontend", type_ = "string", json_path = ".status.endpoints.frontend"),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.endpoints.public.frontend", priority = 1),
    printcolumn(name = "Since", type_ = "date", json_path = r#".status.conditions[?(@.type=="Ready")].lastTransitionTime"#),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 40")
        .message("metadata.name becomes part of Service names: at most 40 lowercase letters, digits and '-', starting with a letter"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.packages) || has(self.images) && (has(self.images.registry) || (has(self.images.frontend) && has(self.images.backend) && has(self.images.backendHttpd) && has(self.images.keygen) && has(self.images.distGit) && has(self.images.resalloc) && has(self.images.builder) && has(self.images.database) && has(self.images.redis)))")
    .message("give packages to build images from, or images.registry, or an image for each of frontend, backend, backendHttpd, keygen, distGit, resalloc, builder, database and redis"))]
#[x_kube(validation = Rule::new("!has(self.packages) || !has(self.images) || !has(self.images.registry)")
    .message("with packages, images.registry cannot be given: built images go to registry.url; name a prebuilt image by its component, such as images.database"))]
#[x_kube(validation = Rule::new("!has(self.expose) || self.expose == 'None' || has(self.url)")
    .message("expose needs url: the hosts by which people reach the instance"))]
#[x_kube(validation = Rule::new("(has(self.expose) && self.expose == 'Gateway') == has(self.gateway)")
    .message("gateway belongs to expose: Gateway, which needs it"))]
#[x_kube(validation = Rule::new("!has(self.gateway) || !has(self.url) || !has(self.url.tlsSecret)")
    .message("with expose: Gateway the certificate is the Gateway's listener's: url.tlsSecret cannot be given"))]
#[x_kube(validation = Rule::new("!has(self.login) || has(self.url)")
    .message("login needs url: the hosts by which browsers reach the instance"))]
pub struct CoprInstanceSpec {
    /// Packages that images are built from, in the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packages: Option<Packages>,

    /// Where built images are pushed to. Needed with `packages`; absent on OpenShift: its internal registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<Registry>,

    /// Images that exist already. Each wins over what `packages` would build.
    #[serde(default)]
    pub images: Images,

    /// The chroots (build targets) to activate, such as `fedora-44-x86_64`. The builder image must
    /// have `/etc/mock/<chroot>.cfg` for each. Adding one later restarts the frontend.
    #[x_kube(validation = Rule::new("self.all(c, c.matches('^[a-z][a-z0-9.+_]*(-[a-z0-9.+_]+)+-[a-z0-9_]+$'))")
        .message("each chroot must look like <distribution>-<version>-<architecture>, for example fedora-44-x86_64"))]
    #[schemars(length(min = 1, max = 64), inner(length(min = 5, max = 64)))]
    pub chroots: Vec<String>,

    /// The builder pods.
    #[serde(default)]
    pub builders: Builders,

    /// The user that is created with administrator rights and an API token. Its copr-cli
    /// configuration is in the Secret named in `status.clientSecret`.
    #[serde(default)]
    pub admin: Admin,

    /// Where people reach the instance. Absent: through the Services, from inside the cluster only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,

    /// What the operator makes to lead people to `url`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expose: Expose,

    /// The Ingresses of `expose: Ingress`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ingress: IngressOptions,

    /// The Routes of `expose: Route`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub route: RouteOptions,

    /// The Gateway of `expose: Gateway`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayRef>,

    /// How people log in. Absent: nobody can in a browser; the API has the administrator's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,

    /// Settings of Copr's own configuration files that the operator has no field for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub extra_config: ExtraConfig,

    /// PostgreSQL: one of the instance's own on a volume, or an external one.
    #[serde(default)]
    pub database: Database,

    /// Redis: one of the instance's own on a volume, or an external one.
    #[serde(default)]
    pub redis: Redis,

    /// The volumes of the components that keep data.
    #[serde(default)]
    pub storage: Storage,

    /// What becomes of the volumes and of the generated credentials when the instance is deleted. An instance of the same name takes
    /// over what an earlier one left.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deletion_policy: DeletionPolicy,

    /// Container resources per component: `database`, `redis`, `frontend`, `backend`, `keygen`,
    /// `distGit`, `resalloc`. Applied to each container of the component. Builders have their own field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[x_kube(validation = Rule::new("self.all(k, k in ['database', 'redis', 'frontend', 'backend', 'keygen', 'distGit', 'resalloc'])")
        .message("the keys of resources are database, redis, frontend, backend, keygen, distGit, resalloc"))]
    #[schemars(schema_with = "super::requirements::requirements_by_component")]
    pub resources: BTreeMap<String, ResourceRequirements>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What becomes of an instance's data when the instance is deleted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It is deleted, too.
    #[default]
    Delete,
    /// The PersistentVolumeClaims and the Secret `<name>-credentials` stay, for another instance of the same name or for an
    /// administrator to delete.
    Retain,
}

/// Prebuilt images of the components. `registry` and `tag` name all of them at once
/// (`<registry>/copr-<component>:<tag>`); a component's own field wins. A tag is resolved to a digest once, where the
/// operator can reach the registry, and `status.images` records it. Each image must keep the contract of
/// docs/image-contract.md.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Images {
    /// Registry and path prefix, for example `quay.io/copr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9][a-z0-9._:/-]*[a-z0-9]$') && !self.contains('://')")
        .message("registry is a host and path without a scheme, for example quay.io/copr"))]
    pub registry: Option<String>,
    /// Tag of the images named by `registry`.
    #[serde(default = "default_tag")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"))]
    pub tag: String,
    /// When the kubelet pulls.
    #[serde(default)]
    pub pull_policy: PullPolicy,
    /// Names of Secrets of type `kubernetes.io/dockerconfigjson` in the same namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub pull_secrets: Vec<String>,
    /// Frontend (web UI and API; also runs the schema step).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub frontend: Option<String>,
    /// Backend (log, build and action dispatchers).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub backend: Option<String>,
    /// Web server of the build results.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub backend_httpd: Option<String>,
    /// Keygen (key generation and signd).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub keygen: Option<String>,
    /// Dist-git (importer and web server).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub dist_git: Option<String>,
    /// Resalloc server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub resalloc: Option<String>,
    /// Builder pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub builder: Option<String>,
    /// PostgreSQL. Unused with an external database.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub database: Option<String>,
    /// Redis. Unused with an external Redis.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub redis: Option<String>,
    /// The sanity suite. A test run's `suite.image` wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub sanity: Option<String>,
}

impl Default for Images {
    fn default() -> Self {
        Self {
            registry: None,
            tag: default_tag(),
            pull_policy: PullPolicy::default(),
            pull_secrets: Vec::new(),
            frontend: None,
            backend: None,
            backend_httpd: None,
            keygen: None,
            dist_git: None,
            resalloc: None,
            builder: None,
            database: None,
            redis: None,
            sanity: None,
        }
    }
}

fn default_tag() -> String {
    "latest".into()
}

/// When the kubelet pulls an image.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PullPolicy {
    /// At every start of a container.
    Always,
    /// When the node doesn't have it.
    #[default]
    IfNotPresent,
    /// Never: the node must have it.
    Never,
}

/// The builder pods: one build each, made by resalloc when a build needs one.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Builders {
    /// How many builder pods may exist at a time, per machine architecture of the chroots. A change takes effect within two
    /// minutes and ends no build.
    #[serde(default = "default_builders_max")]
    #[schemars(range(min = 1, max = 200))]
    pub max: i32,
    /// How a builder gets the rights that Mock needs.
    #[serde(default)]
    pub isolation: Isolation,
    /// Resources of a builder's container.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    #[schemars(schema_with = "super::requirements::requirements")]
    pub resources: Option<ResourceRequirements>,
}

impl Default for Builders {
    fn default() -> Self {
        Self { max: default_builders_max(), isolation: Isolation::default(), resources: None }
    }
}

fn default_builders_max() -> i32 {
    4
}

/// How a builder pod gets the rights that Mock needs.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// `hostUsers: false` and nine capabilities that count only inside the pod's user namespace.
    /// Needs Kubernetes >= 1.33, containerd >= 2.0 or CRI-O >= 1.25. A builder that finds no user
    /// namespace around it refuses to start.
    #[default]
    UserNamespace,
    /// A privileged container: root on the node for whoever escapes from a build. Only for nodes
    /// without user namespaces.
    Privileged,
}

/// The administrator that is created with the instance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Admin {
    /// User name in Copr.
    #[serde(default = "default_admin_name")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z][a-z0-9_.-]*$"))]
    pub name: String,
    /// E-mail address.
    #[serde(default = "default_admin_email")]
    #[schemars(length(min = 3, max = 254), regex(pattern = r"^[^@\s]+@[^@\s]+$"))]
    pub email: String,
}

impl Default for Admin {
    fn default() -> Self {
        Self { name: default_admin_name(), email: default_admin_email() }
    }
}

fn default_admin_name() -> String {
    "admin".into()
}

fn default_admin_email() -> String {
    "admin@localhost".into()
}

/// PostgreSQL of the instance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.externalSecret) == has(oldSelf.externalSecret)")
    .message("database.externalSecret can be neither added nor removed once the instance exists: no data would move from one database to the other. Create another instance"))]
pub struct Database {
    /// A Secret with the key `uri`, an SQLAlchemy URI such as
    /// `postgresql+psycopg2://user:password@host:5432/coprdb`. The database must exist; the user must own it. Can be neither added
    /// nor removed later; another Secret may be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_secret: Option<SecretRef>,
}

/// Redis of the instance.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.externalSecret) == has(oldSelf.externalSecret)")
    .message("redis.externalSecret can be neither added nor removed once the instance exists: no data would move from one Redis to the other. Create another instance"))]
pub struct Redis {
    /// A Secret with the keys `host` and `port`. Without a password: Copr's frontend cannot send one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_secret: Option<SecretRef>,
}

/// A Secret in the same namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}
