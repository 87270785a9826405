//! Which packages have to carry which commit, as a git forge says: the last commit that touched each package's folder.
//!
//! Copr's own CI writes that commit into a package's release, not the one that was pushed: in a repository with all packages every one has
//! another. A pull request's packages are made from its head at one time and from its merge commit at another, so both will do.
//!
//! ```text
//!   pull request ──▶ changed folders ──▶ last commits ──▶ packages
//!      forge             pure               forge           pure
//! ```

mod demand;
mod error;
mod github;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use copr_operator_api::v1alpha1::{Source, SourcePackage, SourcePackages};
use copr_operator_kernel::{
    dependency, exchange,
    exchange::Failure,
    forge::{Api, GITHUB},
};
use reqwest::{Client, Url};
use secrecy::SecretString;

pub use self::error::Error;
use self::github::{Answers, GitHub};

/// All questions of one run together may take so long. What was answered is remembered for the next try.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What a forge said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The tested commit, all of its digits.
    pub commit: String,
    /// What merging the pull request gives, if the tested commit is its head.
    pub merge_commit: Option<String>,
    /// The packages that are needed.
    pub packages: Vec<SourcePackage>,
}

/// Asks forges. One for all runs, so that what doesn't change is asked for by its version.
#[derive(Debug)]
pub struct Forges {
    http: Client,
    answers: Answers,
}

impl Forges {
    /// With a client as [`exchange::client`] makes it.
    pub fn new(http: Client) -> Self {
        Self { http, answers: github::answers() }
    }

    /// Which packages a run needs. `namespace` is where its Secret is.
    pub async fn ask(
        &self,
        (client, namespace): (&kube::Client, &str),
        source: &Source,
        spec: &SourcePackages,
    ) -> Result<Found, Error> {
        let asked = self.ask_without_limit((client, namespace), source, spec);
        match tokio::time::timeout(TIMEOUT, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::passing(format!(
                "the forge hasn't answered everything within {} s",
                TIMEOUT.as_secs()
            ))
            .into()),
        }
    }

    async fn ask_without_limit(
        &self,
        (client, namespace): (&kube::Client, &str),
        source: &Source,
        spec: &SourcePackages,
    ) -> Result<Found, Error> {
        let http = self.client((client, namespace), spec).await?;
        let token = token((client, namespace), spec).await?;
        let base = Url::parse(spec.api_url.as_deref().unwrap_or(GITHUB));
        let base = base.map_err(|error| Failure::refused(format!("source.packages.apiURL: {error}")))?;
        let repository = source.repository.as_deref().unwrap_or_default();
        let (owner, name) = repository
            .split_once('/')
            .ok_or_else(|| Failure::refused("source.repository isn't of the form owner/name"))?;
        let secret = spec.token_secret.as_ref().map_or("", |secret| &secret.name);
        let github = GitHub {
            api: Api { http: &http, base: &base, token: token.as_ref(), field: "source.packages" },
            repository: (owner, name),
            // What one may read isn't told to another.
            whose: format!("{namespace}/{secret}"),
            answers: &self.answers,
        };
        let folders = spec.folders.clone().unwrap_or_else(demand::folders_of_copr);
        match source.pull_request {
            Some(number) => of_pull_request(&github, number, source.commit.as_deref(), &folders).await,
            None => of_commit(&github, source.commit.as_deref().unwrap_or_default(), &folders).await,
        }
    }

    async fn client(
        &self,
        (client, namespace): (&kube::Client, &str),
        spec: &SourcePackages,
    ) -> Result<Client, Error> {
        let Some(map) = &spec.ca_config_map else { return Ok(self.http.clone()) };
        let field = "source.packages.caConfigMap";
        let pem = dependency::authority(client, namespace, field, &map.name, dependency::CA_KEY).await?;
        Ok(exchange::client_with(&pem).map_err(|error| Failure::refused(error.to_string()))?)
    }
}

async fn token(
    (client, namespace): (&kube::Client, &str),
    spec: &SourcePackages,
) -> Result<Option<SecretString>, Error> {
    let Some(secret) = &spec.token_secret else { return Ok(None) };
    let field = "source.packages.tokenSecret";
    let token = dependency::secret(client, namespace, field, &secret.name, "token").await?;
    Ok(Some(token.trim().to_owned().into()))
}

/// Every package, at the last commit before this one that touched its folder.
async fn of_commit(
    github: &GitHub<'_>,
    commit: &str,
    folders: &BTreeMap<String, String>,
) -> Result<Found, Error> {
    let mut commits = BTreeMap::new();
    for folder in demand::distinct(folders) {
        // A folder without one isn't in the repository, or not yet.
        if let Some(last) = github.last_commit(commit, folder).await? {
            commits.insert(folder, vec![last, commit.to_owned()]);
        }
    }
    Ok(Found { commit: commit.to_owned(), merge_commit: None, packages: demand::packages(folders, &commits) })
}

/// The packages whose folders the pull request changes.
async fn of_pull_request(
    github: &GitHub<'_>,
    number: i64,
    commit: Option<&str>,
    folders: &BTreeMap<String, String>,
) -> Result<Found, Error> {
    let pull = github.pull_request(number).await?;
    let commit = commit.unwrap_or(&pull.head.sha).to_owned();
    // A merge commit has whatever was pushed to the pull request later, too.
    let merge = pull.merge_commit().filter(|_| commit == pull.head.sha);
    if merge.is_none() && commit == pull.head.sha && pull.is_being_merged() {
        let words = "the forge hasn't tried to merge the pull request yet, so its merge commit isn't known";
        return Err(Failure::passing(words).into());
    }
    let files = github.files(number).await?;
    let mut commits = BTreeMap::new();
    for folder in demand::changed(folders, files.as_deref()) {
        let mut accepted = Vec::new();
        for at in [Some(&commit), merge.as_ref()].into_iter().flatten() {
            accepted.extend(github.last_commit(at, folder).await?);
        }
        accepted.push(commit.clone());
        accepted.extend(merge.clone());
        commits.insert(folder, accepted);
    }
    Ok(Found { packages: demand::packages(folders, &commits), merge_commit: merge, commit })
}
