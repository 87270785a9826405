//! Who is told of a run, and what came of telling them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use super::{ConfigMapRef, SecretRef};

/// Who is told when the run starts and when it has ended. What came of it is in `status.reports` and in the condition `Reported`; it never
/// changes the verdict. What can't be delivered is tried again for two hours, with growing pauses or as the server asks.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.forge) || has(self.webhook)").message("report needs forge, webhook, or both"))]
pub struct Report {
    /// The forge that has the tested commit, `source.commit` (all of its digits): it gets a commit status, and a comment if wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forge: Option<ForgeReport>,
    /// A URL that gets an event when the run starts and one when it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

/// A forge: GitHub, or one with an API like it. The status is pending while the run goes on, success if every test passed or was skipped,
/// failure if one failed, and error if there is no verdict or the run was cancelled.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.tokenSecret) != has(self.appSecret)")
    .message("report.forge has either tokenSecret or appSecret"))]
#[x_kube(validation = Rule::new("!has(self.appSecret) || self.type == 'GitHub'")
    .message("report.forge.appSecret is for GitHub: give a tokenSecret"))]
#[x_kube(validation = Rule::new("self.type == 'GitHub' || has(self.apiURL)")
    .message("report.forge.apiURL is needed: only GitHub has a default"))]
#[x_kube(validation = Rule::new("!has(self.comment) || !self.comment || self.type != 'GitLab'")
    .message("report.forge.comment is for GitHub and Forgejo"))]
pub struct ForgeReport {
    /// What its API is like.
    #[serde(rename = "type", default)]
    pub type_: ForgeType,
    /// Where its API starts. Absent: `https://api.github.com`. Of others for example `https://github.example.org/api/v3`,
    /// `https://codeberg.org/api/v1`, `https://gitlab.com/api/v4`. Only a redirect within the same host is followed.
    #[serde(rename = "apiURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 8, max = 2048), regex(pattern = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"))]
    pub api_url: Option<String>,
    /// The repository, for example `fedora-copr/copr`. Absent: `source.repository`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 255),
        regex(pattern = r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$")
    )]
    pub repository: Option<String>,
    /// A Secret with the key `token`: a token that may write commit statuses (GitHub: "Commit statuses" of a fine-grained token, or
    /// `repo:status`) and, for `comment`, pull requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<SecretRef>,
    /// A Secret of a GitHub App, instead of a token: the keys `appId`, `installationId` and `privateKey` (PEM, as GitHub gives it).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_secret: Option<SecretRef>,
    /// A ConfigMap whose key `ca.crt` is the certificate authority of the forge, in PEM, beside those that everybody trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_config_map: Option<ConfigMapRef>,
    /// Name of the status; a rule of the forge can require it. Runs of one pull request with the same name share one comment.
    #[serde(default = "default_context")]
    #[schemars(length(min = 1, max = 100), regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$"))]
    pub context: String,
    /// Also comment on the pull request `source.pullRequest`: one comment, which is edited by every later run. One that somebody deleted is
    /// made again when there is something new to say.
    #[serde(default)]
    pub comment: bool,
    /// Where the status and the comment lead people, for example to the run in a console. Absent: nowhere.
    #[serde(rename = "detailsURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 8, max = 2048), regex(pattern = r"^https?://[^\s<>]+$"))]
    pub details_url: Option<String>,
}

fn default_context() -> String {
    "copr-operator/sanity".into()
}

/// Forges by their API.
#[derive(
    Serialize, Deserialize, JsonSchema, Display, VariantArray, Clone, Copy, Debug, Default, PartialEq, Eq,
)]
pub enum ForgeType {
    /// GitHub, also GitHub Enterprise Server.
    #[default]
    GitHub,
    /// Forgejo and Gitea.
    Forgejo,
    /// GitLab.
    GitLab,
}

/// A URL that gets events: a POST with a CloudEvent 1.0 as JSON (structured mode), of the type
/// `org.fedorainfracloud.copr.testrun.started` or `org.fedorainfracloud.copr.testrun.finished`. One may come twice, with the same id.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Who gets it. Any answer from 200 to 299 means that it did; redirects within the same host are followed, if they keep the method.
    #[schemars(length(min = 8, max = 2048), regex(pattern = r"^https?://[^\s/?#@]+(/[^\s#]*)?$"))]
    pub url: String,
    /// A Secret with the key `key`. With it the header `X-Copr-Signature-256` is `sha256=` and the hexadecimal HMAC-SHA256 of the body.
    /// Absent: there is no such header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<SecretRef>,
    /// A ConfigMap whose key `ca.crt` is the certificate authority of who gets it, in PEM, beside those that everybody trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_config_map: Option<ConfigMapRef>,
}

/// What came of telling one of those in `spec.report`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ReportStatus {
    /// What it is about: `CommitStatus`, `Comment` or `Webhook`.
    pub target: ReportTarget,
    /// How far it is.
    pub state: ReportState,
    /// What is or was to be said: `Started` or `Finished`.
    pub event: ReportEvent,
    /// A hash of what is to be said and of where. While it is the same, nothing that was delivered or given up is sent again.
    pub digest: String,
    /// How often this was tried.
    #[serde(default)]
    pub attempts: i32,
    /// Since when it is to be said. Two hours later it is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_since: Option<Time>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// When it was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Time>,
    /// What the server said, where it wasn't delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What is told of a run.
#[derive(Serialize, Deserialize, JsonSchema, Display, VariantArray, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportTarget {
    /// The status of the commit.
    CommitStatus,
    /// The comment on the pull request.
    Comment,
    /// The event.
    Webhook,
}

/// How far a report is.
#[derive(Serialize, Deserialize, JsonSchema, Display, VariantArray, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportState {
    /// The server took it.
    Delivered,
    /// The server couldn't be reached or had no time. It is tried again.
    Waiting,
    /// The server refused it, or a Secret can't be used. It is tried again all the same, as somebody may repair that.
    Refused,
    /// It wasn't delivered within two hours.
    GivenUp,
}

/// What of a run is told.
#[derive(Serialize, Deserialize, JsonSchema, Display, VariantArray, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportEvent {
    /// It started.
    Started,
    /// It has ended.
    Finished,
}
