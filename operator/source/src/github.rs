//! Client required: the three questions, as GitHub's API takes them.

use std::{sync::Arc, time::Duration};

use copr_operator_kernel::{
    exchange::{Answer, Failure},
    forge::Api,
};
use moka::future::Cache;
use reqwest::{
    StatusCode, Url,
    header::{ETAG, HeaderMap, HeaderValue},
};
use serde::Deserialize;

use crate::Error;

/// GitHub lists no more than 3000 files of a pull request, a hundred each page.
const PAGES_MAX: usize = 30;
/// Answers that are remembered, in bytes, and for how long.
const REMEMBERED: u64 = 4 << 20;
const FORGOTTEN: Duration = Duration::from_secs(4 * 3600);
/// A longer answer isn't remembered.
const ANSWER_MAX: usize = 512 << 10;

/// What was answered, by whose it is and its URL. An answer of a version that is known doesn't count against GitHub's limit.
pub type Answers = Cache<String, Arc<Known>>;

/// An answer and its version.
#[derive(Debug)]
pub struct Known {
    version: HeaderValue,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Room for answers.
pub fn answers() -> Answers {
    let weigh = |key: &String, known: &Arc<Known>| {
        u32::try_from(key.len() + known.body.len() + 1024).unwrap_or(u32::MAX)
    };
    Cache::builder().max_capacity(REMEMBERED).weigher(weigh).time_to_live(FORGOTTEN).build()
}

/// A repository at GitHub.
pub struct GitHub<'a> {
    pub api: Api<'a>,
    pub repository: (&'a str, &'a str),
    /// Namespace and Secret of the token.
    pub whose: String,
    pub answers: &'a Answers,
}

/// A pull request.
#[derive(Debug, Deserialize)]
pub struct PullRequest {
    pub head: Commit,
    #[serde(default)]
    merge_commit_sha: Option<String>,
    /// Whether it can be merged; unknown until GitHub has tried.
    #[serde(default)]
    mergeable: Option<bool>,
    #[serde(default)]
    state: String,
}

impl PullRequest {
    /// The commit that merging it gives. Of one that can't be merged there is none, or an old one.
    pub fn merge_commit(&self) -> Option<String> {
        let is_of_head = self.state != "open" || self.mergeable == Some(true);
        self.merge_commit_sha.clone().filter(|_| is_of_head)
    }

    /// Whether GitHub is about to find out what merging it gives.
    pub fn is_being_merged(&self) -> bool {
        self.state == "open" && self.mergeable.is_none()
    }
}

/// A commit.
#[derive(Debug, Deserialize)]
pub struct Commit {
    pub sha: String,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    #[serde(default)]
    previous_filename: Option<String>,
}

impl GitHub<'_> {
    /// The pull request.
    pub async fn pull_request(&self, number: i64) -> Result<PullRequest, Error> {
        let number = number.to_string();
        let url = self.url(&["pulls", &number])?;
        let answer = self.get(url, || format!("pull request {number} of {}", self.name())).await?;
        let pull: PullRequest = answer.json()?;
        is_commit(&pull.head.sha)?;
        pull.merge_commit_sha.as_deref().map(is_commit).transpose()?;
        Ok(pull)
    }

    /// The files that a pull request changes, with the names that they had before. Nothing if they are more than GitHub tells.
    pub async fn files(&self, number: i64) -> Result<Option<Vec<String>>, Error> {
        let number = number.to_string();
        let mut files = Vec::new();
        for page in 1..=PAGES_MAX {
            let mut url = self.url(&["pulls", &number, "files"])?;
            url.query_pairs_mut().append_pair("per_page", "100").append_pair("page", &page.to_string());
            let answer = self.get(url, || format!("pull request {number} of {}", self.name())).await?;
            for file in answer.json::<Vec<File>>()? {
                files.push(file.filename);
                files.extend(file.previous_filename);
            }
            let has_next = |link: &HeaderValue| link.to_str().is_ok_and(|link| link.contains("rel=\"next\""));
            if !answer.headers.get_all("link").iter().any(has_next) {
                return Ok((page < PAGES_MAX).then_some(files));
            }
        }
        Ok(None)
    }

    /// The last commit that touched a folder, seen from this one.
    pub async fn last_commit(&self, from: &str, folder: &str) -> Result<Option<String>, Error> {
        let mut url = self.url(&["commits"])?;
        url.query_pairs_mut()
            .append_pair("sha", from)
            .append_pair("path", folder)
            .append_pair("per_page", "1");
        let answer = self.get(url, || format!("commit {from} of {}", self.name())).await?;
        let Some(commit) = answer.json::<Vec<Commit>>()?.into_iter().next() else { return Ok(None) };
        is_commit(&commit.sha)?;
        Ok(Some(commit.sha))
    }

    fn name(&self) -> String {
        format!("{}/{}", self.repository.0, self.repository.1)
    }

    fn url(&self, segments: &[&str]) -> Result<Url, Failure> {
        self.api.url(&[&["repos", self.repository.0, self.repository.1], segments].concat())
    }

    /// Asks, by the version of an answer that is known.
    async fn get(&self, url: Url, what: impl FnOnce() -> String) -> Result<Answer, Error> {
        let key = format!("{} {url}", self.whose);
        let known = self.answers.get(&key).await;
        let asked = self.api.ask_for_news(url, known.as_ref().map(|known| &known.version)).await;
        let answer = asked.map_err(|failure| {
            // GitHub answers 422 to what can't be a commit.
            if failure.is(StatusCode::NOT_FOUND) || failure.is(StatusCode::UNPROCESSABLE_ENTITY) {
                return Error::NotFound { what: what(), failure };
            }
            failure.into()
        })?;
        if answer.status == StatusCode::NOT_MODIFIED {
            let known = known.ok_or_else(|| {
                Failure::passing("the forge answered 304 to a question that named no version")
            })?;
            return Ok(Answer {
                status: StatusCode::OK,
                headers: known.headers.clone(),
                body: known.body.clone(),
            });
        }
        if let Some(version) = answer.headers.get(ETAG).filter(|_| answer.body.len() <= ANSWER_MAX) {
            let known = Known {
                version: version.clone(),
                headers: answer.headers.clone(),
                body: answer.body.clone(),
            };
            self.answers.insert(key, Arc::new(known)).await;
        }
        Ok(answer)
    }
}

/// Refuses what is no hash: it becomes part of a spec.
fn is_commit(sha: &str) -> Result<(), Failure> {
    let is_hash = matches!(sha.len(), 40 | 64) && sha.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if is_hash { Ok(()) } else { Err(Failure::refused("the forge's answer has no hash of a commit")) }
}
