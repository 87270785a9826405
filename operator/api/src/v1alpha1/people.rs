//! What a Copr's database is brought to: its chroots' ends, its users and groups, and the dist-gits that it knows.

use k8s_openapi::jiff::{Timestamp, civil::Date, tz::TimeZone};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{CoprInstanceSpec, SecretRef};

/// The end of a chroot's life.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EndOfLifeChroot {
    /// The chroot, such as `fedora-40-x86_64`.
    #[schemars(
        length(min = 5, max = 64),
        regex(pattern = r"^[a-z][a-z0-9.+_]*(-[a-z0-9.+_]+)+-[a-z0-9_]+$")
    )]
    pub name: String,
    /// The first day, in UTC, on which it is at its end, such as `2026-05-13`.
    #[schemars(length(equal = 10), regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), extend("format" = "date"))]
    pub date: String,
}

/// A user of Copr.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// User name in Copr, such as a login through a provider gives it.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z][a-z0-9_.-]*$"))]
    pub name: String,
    /// E-mail address.
    #[schemars(length(min = 3, max = 150), regex(pattern = r"^[^@\s]+@[^@\s]+$"))]
    pub email: String,
    /// Whether the user may do everything with everybody's projects. Absent: false.
    #[serde(default)]
    #[schemars(transform = super::without_default)]
    pub admin: bool,
    /// A Secret with the keys `login` and `token`, which become the user's API token for copr-cli and never expire. Absent: the
    /// user gets one in the web UI; one that this field gave before is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<SecretRef>,
}

/// A group of users who own projects together, as `@<name>`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Name in Copr, without the `@`.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"))]
    pub name: String,
    /// Name of the group where users come from (the login's provider, LDAP). Absent: the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 127), regex(pattern = r"^[a-zA-Z0-9][a-zA-Z0-9_.:@/ -]*$"))]
    pub team: Option<String>,
    /// Users who belong to it: the administrator, and those under `users`. Copr asks at every login through a provider which groups a
    /// user has, and then knows no others: so this is for users who work with tokens, and others needn't be listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 64)))]
    pub members: Vec<String>,
}

impl Group {
    /// The name that memberships refer to.
    pub fn team(&self) -> &str {
        self.team.as_deref().unwrap_or(&self.name)
    }
}

/// A dist-git that packages can be built from by name, beside the instance's own.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DistGitInstance {
    /// What users call it (`copr-cli build-distgit --distgit`), such as `fedora`.
    #[schemars(length(min = 1, max = 50), regex(pattern = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"))]
    pub name: String,
    /// What the URL of every clone begins with, such as `https://src.fedoraproject.org`.
    #[serde(rename = "cloneURL")]
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^https?://[^/?#@\s]+(/[^?#\s]*[^/?#\s])?$"))]
    pub clone_url: String,
    /// The path behind it, such as `{namespace}/rpms/{pkgname}`. Copr puts the package and, if there is one, the namespace in.
    #[schemars(
        length(min = 1, max = 100),
        regex(pattern = r"^([a-zA-Z0-9_.~+/-]|\{pkgname\}|\{namespace\})+$")
    )]
    #[x_kube(validation = Rule::new("self.contains('{pkgname}')").message("packagePath must contain {pkgname}"))]
    pub package_path: String,
    /// The namespace where a user gives none. Empty: none is needed. Absent: where `packagePath` has `{namespace}`, users must give one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50), regex(pattern = r"^[a-zA-Z0-9_.~+/-]*$"))]
    pub default_namespace: Option<String>,
    /// The one with the highest is the default, and shown first. Absent: 100.
    #[serde(default = "default_priority")]
    #[schemars(range(min = 0, max = 10_000), transform = super::without_default)]
    pub priority: i32,
}

fn default_priority() -> i32 {
    100
}

impl EndOfLifeChroot {
    /// Whether its day has come. A day that can't be read has not: the API server admits none.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let today = now.to_zoned(TimeZone::UTC).date();
        self.date.parse::<Date>().is_ok_and(|date| date <= today)
    }
}

impl CoprInstanceSpec {
    /// The chroots that are built for: those of the spec but for those at the end of their lives.
    pub fn living_chroots(&self, now: Timestamp) -> impl Iterator<Item = &String> {
        let ended = move |name: &&String| {
            self.end_of_life_chroots.iter().any(|chroot| chroot.name == **name && chroot.is_over(now))
        };
        self.chroots.iter().filter(move |name| !ended(name))
    }
}
