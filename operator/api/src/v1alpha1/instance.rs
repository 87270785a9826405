//! `CoprInstance`: one complete Copr.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BackendSpec, Builders, ComponentSpec, CoprInstanceStatus, DatabaseSpec, Defaults, DistGitInstance,
    DistGitSpec, EndOfLifeChroot, Expose, FrontendSpec, GatewayRef, Group, Images, IngressOptions, Login,
    Packages, Proxy, RedisSpec, Registry, RouteOptions, Tests, Url, User,
    component::{only_grows, sized},
};
use crate::component::Component;

/// What a Copr instance is made of. Everything not given here (passwords, tokens, keys, names) is
/// generated per instance.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "copr.fedorainfracloud.org",
    version = "v1alpha1",
    kind = "CoprInstance",
    plural = "coprinstances",
    shortname = "copr",
    category = "fedora-copr",
    namespaced,
    status = "CoprInstanceStatus",
    doc = "A complete Copr build system: database, Redis, frontend, backend, keygen, dist-git, resalloc and builder pods that exist only while a build runs. Deleting it deletes all of it, volumes included.",
    printcolumn(name = "Available", type_ = "string", json_path = r#".status.conditions[?(@.type=="Available")].status"#),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Frontend", type_ = "string", json_path = ".status.endpoints.frontend"),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.endpoints.public.frontend", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.expiresAt", priority = 1),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 40")
        .message("metadata.name becomes part of Service names: at most 40 lowercase letters, digits and '-', starting with a letter"),
    validation = only_grows("database"),
    validation = only_grows("redis"),
    validation = only_grows("frontend"),
    validation = only_grows("backend"),
    validation = only_grows("keygen"),
    validation = only_grows("distGit"),
    validation = only_grows("resalloc"),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.packages) || has(self.images.registry) || has(self.frontend.image) && has(self.backend.image) && has(self.backend.httpdImage) && has(self.keygen.image) && has(self.distGit.image) && has(self.resalloc.image) && has(self.builders.image) && (has(self.database.image) || has(self.database.externalSecret)) && (has(self.redis.image) || has(self.redis.externalSecret))")
    .message("give packages to build images from, or images.registry, or an image for each of frontend, backend (image and httpdImage), keygen, distGit, resalloc, builders, database and redis"))]
#[x_kube(validation = Rule::new("!has(self.packages) || !has(self.images.registry)")
    .message("with packages, images.registry cannot be given: built images go to registry.url; name a prebuilt image in its component's block, such as database.image"))]
#[x_kube(validation = Rule::new("!has(self.expose) || self.expose == 'None' || has(self.url)")
    .message("expose needs url: the hosts by which people reach the instance"))]
#[x_kube(validation = Rule::new("(has(self.expose) && self.expose == 'Gateway') == has(self.gateway)")
    .message("gateway belongs to expose: Gateway, which needs it"))]
#[x_kube(validation = Rule::new("!has(self.gateway) || !has(self.url) || !has(self.url.tlsSecret)")
    .message("with expose: Gateway the certificate is the Gateway's listener's: url.tlsSecret cannot be given"))]
#[x_kube(validation = Rule::new("!has(self.login) || has(self.url)")
    .message("login needs url: the hosts by which browsers reach the instance"))]
#[x_kube(validation = Rule::new("!has(self.users) || self.users.all(u, u.name != self.admin.name)")
    .message("users can't list the administrator, whom admin describes: leave out the user of the name in admin.name"))]
#[x_kube(validation = Rule::new("!has(self.groups) || self.groups.all(g, !has(g.members) || g.members.all(m, m == self.admin.name || has(self.users) && self.users.exists(u, u.name == m)))")
    .message("the members of groups must be listed under users, or be the administrator"))]
#[x_kube(validation = Rule::new("!has(self.ttl) || !has(self.expiresAt)")
    .message("give either ttl (counted from the instance's creation) or expiresAt (a time), not both"))]
pub struct CoprInstanceSpec {
    /// Packages that images are built from, in the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packages: Option<Packages>,

    /// Where built images are pushed to. Needed with `packages`; absent on OpenShift: its internal registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<Registry>,

    /// Where images come from that exist already, and how all images are pulled.
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

    /// Where people reach the instance. Absent: through the Services, from inside the cluster only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Box<Url>>,

    /// What the operator makes to lead people to `url`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expose: Expose,

    /// The Ingresses of `expose: Ingress`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ingress: Box<IngressOptions>,

    /// The Routes of `expose: Route`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub route: Box<RouteOptions>,

    /// The Gateway of `expose: Gateway`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Box<GatewayRef>>,

    /// How people log in. Absent: nobody can in a browser; the API has the administrator's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<Box<Login>>,

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

    /// Web UI and API; also brings the database to the schema of its version.
    #[serde(default)]
    #[schemars(transform = sized(Component::Frontend))]
    pub frontend: FrontendSpec,

    /// The dispatchers of builds and actions, and the web server of the results, on one volume.
    #[serde(default)]
    #[schemars(transform = sized(Component::Backend))]
    pub backend: BackendSpec,

    /// Signing keys, and what signs with them.
    #[serde(default)]
    #[schemars(transform = sized(Component::Keygen))]
    pub keygen: ComponentSpec,

    /// Sources: git repositories and the lookaside cache.
    #[serde(default)]
    #[schemars(transform = sized(Component::DistGit))]
    pub dist_git: DistGitSpec,

    /// What hands out builders.
    #[serde(default)]
    #[schemars(transform = sized(Component::Resalloc))]
    pub resalloc: ComponentSpec,

    /// PostgreSQL: one of the instance's own on a volume, or an external one.
    #[serde(default)]
    #[schemars(transform = sized(Component::Database))]
    pub database: DatabaseSpec,

    /// Redis: one of the instance's own on a volume, or an external one.
    #[serde(default)]
    #[schemars(transform = sized(Component::Redis))]
    pub redis: RedisSpec,

    /// The pods of the tests of runs against this instance.
    #[serde(default)]
    pub tests: Tests,

    /// What holds for every pod and volume of the instance, where its block doesn't say.
    #[serde(default)]
    pub defaults: Defaults,

    /// Proxies for what is fetched from outside of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,

    /// What becomes of the volumes and of the generated credentials when the instance is deleted. An instance of the same name takes
    /// over what an earlier one left.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deletion_policy: DeletionPolicy,

    /// While this is true the operator changes nothing of the instance: nothing is applied, restarted, replaced or deleted, no image
    /// is built, and a `ttl` or `expiresAt` that is over waits. Copr itself goes on: builds run, and builders come and go. The
    /// status is reported as always, `Ready` is False for the reason `Paused`, and test runs wait. Deleting the instance
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

/// A Secret in the same namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}
