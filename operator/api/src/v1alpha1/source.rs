//! What a run tests: a commit or a pull request, and the packages that are made from it.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigMapRef, SecretRef};

/// What is tested.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.packages) || (has(self.repository) && self.repository.matches('^[A-Za-z0-9_-][A-Za-z0-9_.-]*/[A-Za-z0-9_-][A-Za-z0-9_.-]*$'))")
    .message("source.packages needs source.repository as owner/name, such as fedora-copr/copr"))]
#[x_kube(validation = Rule::new("!has(self.packages) || has(self.commit) || has(self.pullRequest)")
    .message("source.packages needs source.commit, source.pullRequest, or both"))]
#[x_kube(validation = Rule::new("!has(self.packages) || !has(self.commit) || self.commit.matches('^[0-9a-f]{40}([0-9a-f]{24})?$')")
    .message("source.packages needs the whole hash of the commit in source.commit: 40 or 64 hexadecimal digits"))]
#[x_kube(validation = Rule::new("!has(self.packages) || has(self.packages.folders) || !has(self.repository) || self.repository.endsWith('/copr')")
    .message("source.packages.folders is needed: only a repository named copr has a default"))]
pub struct Source {
    /// Repository, for example `fedora-copr/copr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub repository: Option<String>,
    /// Commit. With `packages` and a pull request it's one of the pull request's; absent: its head when the forge is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub commit: Option<String>,
    /// Number of the pull request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub pull_request: Option<i64>,
    /// Has the run find out which package must carry which commit, and wait until the template's repositories have them. Only with
    /// `instance.template` that has `packages`. `source` can't change then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<SourcePackages>,
}

/// How the run finds out which packages it needs. It asks GitHub for the last commit that touched each package's folder, once, and
/// writes the answers into `status.source`; the instance gets them as `packages.require.commits`. Of a pull request only packages whose
/// folders it changes are needed, at its head or its merge commit; if it changes none, nothing is waited for. Of a commit without a
/// pull request every package is needed.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SourcePackages {
    /// How long the forge is asked if it doesn't answer well, and then how long the packages may take to be in the repositories, as a
    /// duration such as `2h`. After that the run ends as Error. `packages.require.timeout` of the template goes before it.
    #[serde(default = "default_wait_timeout")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    #[x_kube(validation = Rule::new("self != '' && duration(self) >= duration('10s') && duration(self) <= duration('24h')")
        .message("waitTimeout is a duration between 10s and 24h, for example 2h"))]
    pub wait_timeout: String,
    /// Package name to the folder of the repository that it is made from, such as `copr-builder: rpmbuild`. It replaces the default, which
    /// only a repository named `copr` has: Copr's own packages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 32, "additionalProperties" = {
        "type": "string", "maxLength": 128, "pattern": "^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$"
    }))]
    #[x_kube(validation = Rule::new("self.all(n, n.matches('^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$'))")
        .message("the keys of folders are names of packages, of at most 64 characters"))]
    pub folders: Option<BTreeMap<String, String>>,
    /// Where the API of GitHub starts. Absent: `https://api.github.com`. Of GitHub Enterprise for example
    /// `https://github.example.org/api/v3`. Only a redirect within the same host is followed.
    #[serde(rename = "apiURL", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 8, max = 2048), regex(pattern = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"))]
    pub api_url: Option<String>,
    /// A Secret with the key `token`: a token that may read the repository. Absent: nobody logs in, and GitHub answers 60 requests an hour to
    /// everybody at the operator's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<SecretRef>,
    /// A ConfigMap whose key `ca.crt` is the certificate authority of the forge, in PEM, beside those that everybody trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_config_map: Option<ConfigMapRef>,
}

fn default_wait_timeout() -> String {
    "2h".into()
}

/// What `source.packages` came to.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SourceStatus {
    /// When the forge had answered. From then on it isn't asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<Time>,
    /// The commit that is tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What merging the pull request gives, if the tested commit is its head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_commit: Option<String>,
    /// The packages that are needed; none if the pull request changes no package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub packages: Vec<SourcePackage>,
    /// How often the forge was asked in vain.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: i32,
    /// When it is asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// A package that is needed, and how far it is.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// The folder that it is made from.
    pub folder: String,
    /// The commits of which its release must carry one, by their first 12 digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<String>,
    /// Whether the repositories have it at one of them.
    #[serde(default)]
    pub there: bool,
    /// What is installed of it, such as `copr-frontend-2.7-1.git.9.9278b61.fc44.noarch`. Absent in the end: no image that was built has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nevra: Option<String>,
    /// The repository that this came from, by its name in the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The commit that this carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}
