//! `CoprInstance`: one complete Copr.

use std::collections::BTreeMap;

use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::apis::meta::v1::Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CoprInstanceStatus, DistGitInstance, EndOfLifeChroot, Group, Packages, Registry, Storage, User};

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
    printcolumn(name = "Since", type_ = "date", json_path = r#".status.conditions[?(@.type=="Ready")].lastTransitionTime"#),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.expiresAt", priority = 1),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 40")
        .message("metadata.name becomes part of Service names: at most 40 lowercase letters, digits and '-', starting with a letter"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.packages) || has(self.images) && (has(self.images.registry) || (has(self.images.frontend) && has(self.images.backend) && has(self.images.backendHttpd) && has(self.images.keygen) && has(self.images.distGit) && has(self.images.resalloc) && has(self.images.builder) && has(self.images.database) && has(self.images.redis)))")
    .message("give packages to build images from, or images.registry, or an image for each of frontend, backend, backendHttpd, keygen, distGit, resalloc, builder, database and redis"))]
#[x_kube(validation = Rule::new("!has(self.users) || self.users.all(u, u.name != self.admin.name)")
    .message("users can't list the administrator, whom admin describes: leave out the user of the name in admin.name"))]
#[x_kube(validation = Rule::new("!has(self.groups) || self.groups.all(g, !has(g.members) || g.members.all(m, m == self.admin.name || has(self.users) && self.users.exists(u, u.name == m)))")
    .message("the members of groups must be listed under users, or be the administrator"))]
#[x_kube(validation = Rule::new("!has(self.ttl) || !has(self.expiresAt)")
    .message("give either ttl (counted from the instance's creation) or expiresAt (a time), not both"))]
#[x_kube(validation = Rule::new("!has(self.packages) || !has(self.images) || !has(self.images.registry)")
    .message("with packages, images.registry cannot be given: built images go to registry.url; name a prebuilt image by its component, such as images.database"))]
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

    /// The chroots (build targets) that Copr offers, such as `fedora-44-x86_64`. The builder image must have
    /// `/etc/mock/<chroot>.cfg` for each. One that is removed is deactivated: nobody builds for it, and its results stay; one
    /// that is added again is activated. Chroots that an administrator of Copr created are left alone. A change restarts the frontend.
    #[x_kube(validation = Rule::new("self.all(c, c.matches('^[a-z][a-z0-9.+_]*(-[a-z0-9.+_]+)+-[a-z0-9_]+$'))")
        .message("each chroot must look like <distribution>-<version>-<architecture>, for example fedora-44-x86_64"))]
    #[schemars(length(min = 1, max = 64), inner(length(min = 5, max = 64)))]
    pub chroots: Vec<String>,

    /// Chroots that come to the end of their lives, and when. From that day on nobody builds for one, whether it is under `chroots` or
    /// not, and what waits for it to be built is cancelled. Copr then keeps the results for its `DELETE_EOL_CHROOTS_AFTER` (180 days), unless projects
    /// extend that. With a later date or without an entry, a chroot under `chroots` lives again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub end_of_life_chroots: Vec<EndOfLifeChroot>,

    /// The builder pods.
    #[serde(default)]
    pub builders: Builders,

    /// The user that is created with administrator rights and an API token. Its copr-cli
    /// configuration is in the Secret named in `status.clientSecret`.
    #[serde(default)]
    pub admin: Admin,

    /// Users that exist whether or not they ever log in. What is said of one is made so at every start of the frontend; users
    /// that aren't listed are left alone. Copr can't delete a user who has projects: one that is removed from the list loses the
    /// administrator's rights and the API token, and nothing else. A change restarts the frontend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub users: Vec<User>,

    /// Groups that can own projects. One that is removed from the list stays, with its projects, and its members no longer
    /// belong to it. A change restarts the frontend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[x_kube(validation = Rule::new("self.all(a, self.exists_one(b, (has(b.team) ? b.team : b.name) == (has(a.team) ? a.team : a.name)))")
        .message("no two groups may have the same team"))]
    pub groups: Vec<Group>,

    /// Dist-gits that packages can be built from by name. Copr itself brings `fedora`. One that is removed from the list is removed from Copr if
    /// the list made it; packages that refer to it can't be built then. A change restarts the frontend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub dist_git_instances: Vec<DistGitInstance>,

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

    /// While this is true the operator changes nothing of the instance: nothing is applied, restarted, replaced or deleted, no image
    /// is built, and a `ttl` or `expiresAt` that is over waits. Copr itself goes on: builds run, and builders come and go. The
    /// status is reported as always, `Reconciled` is False for the reason `Paused`, and test runs wait. Deleting the instance
    /// works as always, too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub paused: bool,

    /// How long the instance lives, counted from its creation, as a duration such as `8h` or `45m`. At the end the operator
    /// deletes it as `kubectl delete` does (see `deletionPolicy`); `status.expiresAt` says when that is. A longer one is an
    /// extension. The event `ExpiresSoon` and the condition `Expiring` warn of the end: a tenth of the life before it, an hour at
    /// most and a minute at least. A CoprTestRun on it that was created before the end is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    #[x_kube(validation = Rule::new("self != '' && duration(self) >= duration('1m') && duration(self) <= duration('87600h')")
        .message("ttl is a duration between 1m and 87600h (ten years), for example 8h"))]
    pub ttl: Option<String>,

    /// The time at which the instance is deleted, such as `2026-12-31T18:00:00Z`, in place of `ttl`. A later one is an extension.
    /// One that has passed already warns first, and deletes a minute later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,

    /// Container resources per component: `database`, `redis`, `frontend`, `backend`, `keygen`,
    /// `distGit`, `resalloc`. Applied to each container of the component. Builders have their own field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[x_kube(validation = Rule::new("self.all(k, k in ['database', 'redis', 'frontend', 'backend', 'keygen', 'distGit', 'resalloc'])")
        .message("the keys of resources are database, redis, frontend, backend, keygen, distGit, resalloc"))]
    #[schemars(schema_with = "super::requirements::requirements_by_component")]
    pub resources: BTreeMap<String, ResourceRequirements>,
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
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
#[x_kube(validation = Rule::new("!has(self.warm) || self.warm <= self.max")
    .message("builders.warm can't be more than builders.max: warm builders count within it"))]
pub struct Builders {
    /// How many builder pods may exist at a time, per machine architecture of the chroots. A change takes effect within two
    /// minutes and ends no build.
    #[serde(default = "default_builders_max")]
    #[schemars(range(min = 1, max = 200))]
    pub max: i32,
    /// How many builders are kept ready before a build needs one, per machine architecture of the chroots and within `max`. A
    /// build that takes one has another made in its place. With 0 a builder is made when a build asks for it. Otherwise no more than
    /// this many are started at a time, so that of many builds at once some start later than with 0: choose it as large as such a
    /// burst. An idle builder is replaced after six hours, and when images, resources or isolation change. A change takes
    /// effect within two minutes and ends no build; what is too many after one is used up first, and with 0 deleted.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(range(min = 0, max = 200))]
    pub warm: i32,
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
        Self { max: default_builders_max(), warm: 0, isolation: Isolation::default(), resources: None }
    }
}

impl Builders {
    /// How many builds that are submitted together are certain to run at the same time: where builders are kept warm, those
    /// and as many again, which are started at once when the first are taken.
    pub fn at_once(&self) -> i32 {
        if self.warm == 0 { self.max } else { self.max.min(self.warm.saturating_mul(2)) }
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
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}
