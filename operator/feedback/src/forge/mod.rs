//! Client required: commit statuses and comments on a forge.
//!
//! This isn't octocrab: of three forges it knows one; it reads answers without a limit, from a URL that a spec can set; and its apps need
//! aws-lc, a second implementation of TLS' primitives, or an RSA with a known weakness. Four requests are left, sent as any other.

mod app;
mod comments;

use copr_operator_api::v1alpha1::{ForgeReport, ForgeType, Source};
use copr_operator_kernel::{
    dependency,
    forge::{Api, GITHUB},
};
use jiff::Timestamp;
use reqwest::{Client, Method, StatusCode, Url};
use secrecy::SecretString;

use self::{app::App, comments::Author};
use crate::{
    exchange::{self, Failure},
    news::repository,
    render::CommitStatus,
};

/// A forge, ready to be told something.
pub struct Forge<'a> {
    http: Client,
    spec: &'a ForgeReport,
    source: &'a Source,
    base: Url,
    token: SecretString,
    author: Author,
}

impl<'a> Forge<'a> {
    /// Reads the Secrets, and logs in.
    pub async fn new(
        (client, namespace): (&kube::Client, &str),
        http: &Client,
        spec: &'a ForgeReport,
        source: &'a Source,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let url = spec.api_url.as_deref().unwrap_or(GITHUB);
        let base =
            Url::parse(url).map_err(|error| Failure::refused(format!("report.forge.apiURL: {error}")))?;
        let field = "report.forge.caConfigMap";
        let authority = spec.ca_config_map.as_ref();
        let http = exchange::client_that_trusts((client, namespace), http, field, authority).await?;
        let secret = async |field, name: &str, key| {
            let value = dependency::secret(client, namespace, field, name, key).await;
            value.map(|value| value.trim().to_owned()).map_err(|error| Failure::unusable(&error))
        };
        let (token, author) = if let Some(app) = &spec.app_secret {
            let of = async |key| secret("report.forge.appSecret", &app.name, key).await;
            let app = App {
                id: of("appId").await?,
                installation: of("installationId").await?,
                private_key: of("privateKey").await?.into(),
            };
            let api = Api { http: &http, base: &base, token: None, field: "report.forge" };
            (app::token(&api, &app, now).await?, Author::App(app.id))
        } else {
            let name = spec.token_secret.as_ref().map_or("", |secret| &secret.name);
            (secret("report.forge.tokenSecret", name, "token").await?.into(), Author::Token)
        };
        Ok(Self { http, spec, source, base, token, author })
    }

    /// Sets the status of the commit.
    pub async fn status(&self, status: &CommitStatus) -> Result<(), Failure> {
        let (api, repository) = (self.api(), repository(self.spec, self.source));
        let commit = self.source.commit.as_deref().unwrap_or_default();
        let url = match self.spec.type_ {
            ForgeType::GitLab => api.url(&["projects", repository, "statuses", commit])?,
            ForgeType::GitHub | ForgeType::Forgejo => {
                let (owner, name) = owner_and_name(repository)?;
                api.url(&["repos", owner, name, "statuses", commit])?
            }
        };
        match api.ask(Method::POST, url, Some(status.body(self.spec.type_))).await {
            // GitLab refuses a status that the commit has already.
            Err(failure)
                if self.spec.type_ == ForgeType::GitLab
                    && failure.is(StatusCode::BAD_REQUEST)
                    && failure.to_string().contains("Cannot transition status") =>
            {
                Ok(())
            }
            done => done.map(drop),
        }
    }

    /// Says it in the comment on the pull request.
    pub async fn comment(&self, text: &str) -> Result<(), Failure> {
        let (owner, name) = owner_and_name(repository(self.spec, self.source))?;
        let number = self.source.pull_request.unwrap_or_default().to_string();
        let what = (self.spec.context.as_str(), text);
        comments::say(&self.api(), (owner, name, &number), &self.author, what).await
    }

    fn api(&self) -> Api<'_> {
        Api { http: &self.http, base: &self.base, token: Some(&self.token), field: "report.forge" }
    }
}

fn owner_and_name(repository: &str) -> Result<(&str, &str), Failure> {
    repository
        .split_once('/')
        .filter(|(owner, name)| !owner.is_empty() && !name.is_empty() && !name.contains('/'))
        .ok_or_else(|| {
            Failure::refused("the repository isn't of the form owner/name, such as fedora-copr/copr")
        })
}
