//! What images are built from, and where they go.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Isolation, PodSettings, SecretRef};

/// The packages under test. The operator builds an image of every component from them, in the cluster, and the
/// instance runs exactly those images. The same inputs are built once for the whole cluster. An image that a component's block
/// names is not built.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Packages {
    /// The image that every component starts from: a Fedora. A tag is resolved to a digest when the repositories are looked at.
    #[serde(default = "default_base_image")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9][A-Za-z0-9._:/@-]*$') && !self.contains('://')")
        .message("baseImage is a reference of an image without a scheme, for example registry.fedoraproject.org/fedora:44"))]
    pub base_image: String,

    /// The dnf repositories with Copr's packages, beside those of the base image. Where several have a package, the one
    /// with the lowest `priority` gives it, so a pull request's repository with a lower number overlays the one of main.
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub repositories: Vec<Repository>,

    /// What must have been installed in the end. If it wasn't, the instance doesn't start, and the condition
    /// `ImagesReady` says which repository served what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require: Option<Require>,

    /// Package name to the exact version that is installed, as `[epoch:]version-release`, for example
    /// `copr-frontend: 2.7-1.fc44`. It is taken from `repositories`, whatever else they or the base image's own
    /// repositories have, also where another package requires it. A version that no repository has is refused before anything
    /// is built, with the versions that there are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = {"type": "string", "maxLength": 140}))]
    #[x_kube(validation = Rule::new("self.all(n, self[n].matches('^([0-9]{1,9}:)?[A-Za-z0-9._+~^]{1,64}-[A-Za-z0-9._+~^]{1,64}$'))")
        .message("the values of pins are exact versions as [epoch:]version-release, for example 2.7-1.fc44"))]
    pub pins: BTreeMap<String, String>,

    /// Any text. Repositories are looked at once, and again when `packages`, `registry` or which images are given change; changing this
    /// is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub revision: Option<String>,

    /// How images are built.
    #[serde(default)]
    pub build: Build,
}

fn default_base_image() -> String {
    "registry.fedoraproject.org/fedora:44".into()
}

/// A dnf repository.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Repository {
    /// Name, unique in the list. It's shown beside each package that came from here.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$"))]
    pub name: String,
    /// Where the repository is: the folder that has `repodata/`, as an http or https URL.
    #[serde(rename = "baseURL")]
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(validation = Rule::new("!self.matches('^[a-zA-Z]+://[^/]*@')")
        .message("baseURL must not hold credentials: put them into a Secret with the keys username and password, and name it in credentialsSecret"))]
    #[x_kube(validation = Rule::new("isURL(self) && self.matches('^https?://[^/?#@]+(/[^ ?#$,]*)?$')")
        .message("baseURL is an http or https URL of a dnf repository without variables, query or fragment, for example https://download.copr.fedorainfracloud.org/results/@copr/copr-dev/fedora-44-x86_64/"))]
    pub base_url: String,
    /// dnf's priority, from 1 (wins) to 99. Absent: 99.
    #[serde(default = "default_priority")]
    #[schemars(range(min = 1, max = 99), transform = super::without_default)]
    pub priority: i32,
    /// URL of the key that the packages are signed with, over https: a key that came over plain HTTP proves nothing.
    /// Absent: signatures aren't checked, as a pull request's packages may have none.
    #[serde(rename = "gpgKey", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(validation = Rule::new("!self.matches('^[a-zA-Z]+://[^/]*@')").message("gpgKey must not hold credentials"))]
    #[x_kube(validation = Rule::new("isURL(self) && self.matches('^https://[^/?#@]+/[^ ?#$,]+$')")
        .message("gpgKey is the https URL of an armored public key, for example https://download.copr.fedorainfracloud.org/results/@copr/copr-dev/pubkey.gpg"))]
    pub gpg_key: Option<String>,
    /// A Secret with the keys `username` and `password`, for a repository that asks for them (HTTP basic
    /// authentication).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_secret: Option<SecretRef>,
    /// A ConfigMap whose key `ca.crt` is the certificate authority of the repository (and of `gpgKey`), in PEM, beside those
    /// that everybody trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_config_map: Option<ConfigMapRef>,
}

fn default_priority() -> i32 {
    99
}

/// What the installed packages must be. An image that has something else in it is not run, whether it was built just
/// now or found in the registry.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("has(self.commit) || has(self.packages) || has(self.commits) || has(self.versions)")
    .message("require needs a commit, packages, commits or versions"))]
pub struct Require {
    /// A commit, as 7 to 40 hexadecimal digits: short for naming it under `packages` for the packages that changed in it.
    /// A package of Copr carries in its release (as in `2.7-1.git.5.5d37cd8.fc44`) the last commit that touched its own
    /// folder, so a repository with all packages has many commits. Hence: the repository with the lowest `priority` must
    /// have given a package that carries this commit, or no package at all may start. Where that repository has the packages of
    /// one commit only (a pull request's), name the packages that have to be from there under `packages` to be certain of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 7, max = 40), regex(pattern = r"^[0-9a-f]+$"))]
    pub commit: Option<String>,
    /// Package name to what must be installed: a commit, as 7 to 40 hexadecimal digits, which the package's release must
    /// carry (`copr-frontend: 9278b61`), or a version as `[epoch:]version[-release]` (`copr-keygen: 2.2-1.fc44`). Each named
    /// package must be in at least one image, and be so in every image that has it. A version of 7 or more digits without
    /// a dot is given with its release.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = {"type": "string", "maxLength": 140}))]
    #[x_kube(validation = Rule::new("size(self) > 0").message("packages names at least one package"))]
    #[x_kube(validation = Rule::new("self.all(n, self[n].matches('^[0-9a-f]{7,40}$') || self[n].matches('^([0-9]{1,9}:)?[A-Za-z0-9._+~^]{1,64}(-[A-Za-z0-9._+~^]{1,64})?$'))")
        .message("the values of packages are commits of 7 to 40 lowercase hexadecimal digits, or versions as [epoch:]version[-release]"))]
    pub packages: Option<BTreeMap<String, String>>,
    /// Package name to commits, as 7 to 40 hexadecimal digits each, of which the package's release must carry one: a pull request's packages
    /// are made from its head at one time and from its merge commit at another. Looked for before anything is built: what dnf would take
    /// from `repositories` must be so, and what every image has of it. Unlike under `packages`, no image needs to have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 64, "additionalProperties" = {
        "type": "array", "minItems": 1, "maxItems": 8,
        "items": {"type": "string", "maxLength": 40, "pattern": "^[0-9a-f]{7,40}$"}
    }))]
    pub commits: Option<BTreeMap<String, Vec<String>>>,
    /// How long to wait until `repositories` have what is required, as a duration such as `2h`. Meanwhile they are looked at about each
    /// minute, nothing is built, what runs goes on, and `ImagesReady` is False for the reason `PackagesNotYetThere`; after that it is False for
    /// `PackagesRequirementUnmet`. The time begins with the first look, and again when `packages` changes. A repository that isn't there
    /// yet (404) counts as empty; one with too many packages to be read isn't waited for. Absent: no waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    #[x_kube(validation = Rule::new("self != '' && duration(self) >= duration('10s') && duration(self) <= duration('24h')")
        .message("timeout is a duration between 10s and 24h, for example 2h"))]
    pub timeout: Option<String>,
    /// The older spelling of versions under `packages`: package name to `[epoch:]version[-release]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("size(self) > 0").message("versions names at least one package"))]
    pub versions: Option<BTreeMap<String, String>>,
}

/// How images are built.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Build {
    /// How a build gets the rights that buildah needs.
    #[serde(default)]
    pub isolation: Isolation,
    /// Name of a PersistentVolumeClaim in the namespace that keeps the unpacked base image and dnf's downloads between
    /// builds. It isn't deleted with the instance. With ReadWriteOnce, builds run on one node.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub cache_claim: Option<String>,
    /// How long one image may take, as a duration such as `30m`.
    #[serde(default = "default_build_timeout")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    #[x_kube(validation = Rule::new("self != '' && duration(self) >= duration('10s') && duration(self) <= duration('24h')")
        .message("timeout is a duration between 10s and 24h, for example 30m"))]
    pub timeout: String,
    /// Requests and limits of a build's container. What isn't given here is as in `defaults.resources`, and what isn't given there,
    /// either, is requests of 100m CPU and 512Mi of memory, and limits of 4 CPUs and 4Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    #[schemars(schema_with = "super::requirements::requirements")]
    pub resources: Option<ResourceRequirements>,
    /// Where builds run, and what is written on their pods.
    #[serde(default)]
    pub pod: Box<PodSettings>,
}

impl Default for Build {
    fn default() -> Self {
        Self {
            isolation: Isolation::default(),
            cache_claim: None,
            timeout: default_build_timeout(),
            resources: None,
            pod: Box::default(),
        }
    }
}

fn default_build_timeout() -> String {
    "30m".into()
}

/// The registry that built images are pushed to and pulled from.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registry {
    /// Host and path prefix, for example `quay.io/copr`; images are `<url>/copr-<component>`. The builds, the operator and
    /// the nodes must all reach it by this name.
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9._-]+)*$')")
        .message("url is a host and path without a scheme, for example quay.io/copr"))]
    pub url: String,
    /// No TLS, or a certificate that nobody knows, for a registry inside the cluster. It counts for the host of `url` only: for
    /// the images that are pushed there, and for a base image or a prebuilt image that is there, too. (The nodes have a
    /// setting of their own.)
    #[serde(default)]
    pub insecure: bool,
    /// A Secret of type `kubernetes.io/dockerconfigjson` that may push, pull and delete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_secret: Option<SecretRef>,
    /// A ConfigMap whose key `ca.crt` is the certificate authority of the registry, in PEM. (The nodes must trust it, too.)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_config_map: Option<ConfigMapRef>,
    /// How long built images are kept that no instance uses, as a duration such as `168h`. Only with `deleteUnused`.
    #[serde(default = "default_retention")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    #[x_kube(validation = Rule::new("self != '' && duration(self) >= duration('1s')")
        .message("retention is a duration, for example 168h"))]
    pub retention: String,
    /// Whether the operator deletes from the registry the images that it built for this namespace, once nothing in the
    /// cluster has used them for as long as `retention` says. It deletes tags, and only of images whose label says that it
    /// built them. Leave it out (the default, false) where other clusters use the images as well, or where the registry has
    /// rules of its own for what it keeps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_unused: bool,
}

/// What `registry.retention` is where nobody says.
pub fn default_retention() -> String {
    "168h".into()
}

/// A ConfigMap in the same namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigMapRef {
    /// Name of the ConfigMap.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What became of `spec.packages`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PackagesStatus {
    /// Hash of what the spec says of images. Base image and repositories are looked at again when it changes, and only then.
    #[serde(default)]
    pub spec_hash: String,
    /// The wait for what `require` names, from the first look at the repositories on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<PackagesWait>,
    /// The base image by digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_image: Option<String>,
    /// The images, in the order in which they are built.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["component".into()]))]
    pub images: Vec<ImageStatus>,
}

/// The wait for what `require` names.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PackagesWait {
    /// Hash of what the spec says of packages and requires of them; the wait begins anew when it changes.
    pub hash: String,
    /// When the repositories were first looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
    /// When they had all of it. Absent: they don't have it yet, or the time was up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
    /// What they don't have, and what they have instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub missing: Vec<MissingPackage>,
}

/// A package that the repositories don't have as it is required.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct MissingPackage {
    /// Its name; `*` for `require.commit`, which is about none in particular.
    pub name: String,
    /// What is required of it, such as `of commit 9278b61`.
    pub wanted: String,
    /// What dnf would take now, and from where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// One image.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ImageStatus {
    /// The component, as in `status.images`, or `base` for what they all start from.
    pub component: String,
    /// How far it is.
    #[serde(default)]
    pub state: ImageState,
    /// When the state last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
    /// Hash of everything that the image is built from; also its tag in the registry.
    pub input_hash: String,
    /// The image by digest, once it is in the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// How long the build took, such as `41s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed: Option<String>,
    /// When the build started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
    /// Why its build failed, or doesn't get on, in one word: `PackagesRefused` (dnf says that the packages can't be installed),
    /// `BuildRefused` (the cluster refuses the build's pod), `BuildBlocked` (the pod can't start), `BuildWaiting` (for a
    /// registry or a mirror that is away), `BuildInterrupted` (something around the build failed),
    /// `RepositoriesChanged` (they are looked at again).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The Job that builds it, or failed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// How many builds have failed since one ended well.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: i32,
    /// When a build that failed is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
    /// What it waits for, or why it failed: dnf's own last lines, or the cluster's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The packages in it that came from `packages.repositories`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<InstalledPackage>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// How far an image is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageState {
    /// It waits for what it starts from, or for a build of the same inputs that another instance started.
    #[default]
    Queued,
    /// Its Job runs.
    Building,
    /// It was built for this instance, and is in the registry.
    Pushed,
    /// It was in the registry already.
    Reused,
    /// It could not be built; the message says why.
    Failed,
}

impl ImageState {
    /// Whether the image is in the registry.
    pub const fn is_there(self) -> bool {
        matches!(self, Self::Pushed | Self::Reused)
    }
}

/// A package of an image.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct InstalledPackage {
    /// Name, epoch (unless 0), version, release and architecture, such as `copr-frontend-2.7-1.fc44.noarch`.
    pub nevra: String,
    /// The repository that it came from, by its name in the spec.
    pub repository: String,
    /// Name of the source package that it was built from, where that is another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}
