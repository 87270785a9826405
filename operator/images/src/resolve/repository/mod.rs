//! Client required: reads what dnf repositories have.
//!
//! ```text
//! repomd.xml ──names──▶ primary.xml ──▶ verified against size and checksums ──▶ [`primary`] ──▶ [`Kept`], by its checksum
//! ```
//!
//! Whoever writes a CoprInstance chooses what is read, so everything is bounded: the bytes of an answer, of a package, of
//! what is kept of a repository and of all repositories of an instance, and how many instances are at it. What is beyond
//! counts as a whole.

mod primary;
mod record;
mod source;
mod verify;

use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use moka::{future::Cache, policy::EvictionPolicy};
use tokio::sync::{Semaphore, SemaphorePermit};

use self::record::Record;
pub use self::source::source;
use super::candidates::{Content, Package, Packages};
use crate::http;

/// A repomd.xml is a few kilobytes.
const REPOMD_MAX: usize = 256 << 10;
/// A compressed primary.xml that is larger is not read: such a repository isn't one of Copr's projects.
const PRIMARY_MAX: usize = 4 << 20;
/// What is kept of the packages of all repositories of one instance; what comes after counts as a whole.
const KEPT_MAX: usize = 12 << 20;
/// What is remembered for the next instance.
const REMEMBERED: u64 = 16 << 20;
/// What all readers together may take up, in KiB; what is remembered comes on top.
const BUDGET: u32 = 48 << 10;
/// What one reader may take up: what it keeps, an answer, and what the parser holds of one package.
const READER: u32 = 24 << 10;
const TIMEOUT: Duration = Duration::from_secs(30);

/// A repository to be read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in the spec.
    pub name: String,
    /// Its URL.
    pub base_url: String,
    /// dnf's priority.
    pub priority: i32,
    /// User and password.
    pub credentials: Option<Credentials>,
    /// Certificate authorities in PEM, beside the system's.
    pub authority: Option<String>,
}

/// User and password of a repository.
#[derive(Clone)]
pub struct Credentials {
    /// User.
    pub username: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// Why a repository couldn't be read. Nothing of it is final: mirrors are away, half-synced, and come back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not an answer, or not the wanted one.
    #[error("repository {name}: {problem}")]
    Fetch {
        /// Name of the repository.
        name: String,
        /// What went wrong. It is in the message already, so it is no source.
        problem: http::Error,
    },
    /// Not a repository's metadata.
    #[error("repository {name}: {url} is not what dnf expects there: {problem}")]
    Malformed {
        /// Name of the repository.
        name: String,
        /// What was read.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Not what repomd.xml says that it is.
    #[error(
        "repository {name}: {url} is not the file that repomd.xml names ({problem}): the mirror is being synchronized, or somebody \
         has changed the file; it is read again"
    )]
    Unverified {
        /// Name of the repository.
        name: String,
        /// What was read.
        url: String,
        /// What is different.
        problem: String,
    },
}

impl Error {
    /// How long the repository's server wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Fetch { problem, .. } => problem.retry_after(),
            _ => None,
        }
    }
}

/// What is kept of a primary.xml.
#[derive(Clone, Debug)]
enum Kept {
    /// More than is kept of one.
    Whole,
    Listed(Arc<Vec<Package>>),
}

/// Reads repositories, and remembers what it read by the checksum of primary.xml.
#[derive(Debug)]
pub struct Reader {
    client: reqwest::Client,
    known: Cache<String, Kept>,
    budget: Semaphore,
}

impl Reader {
    /// Made once.
    pub fn new() -> Result<Self, http::Error> {
        let weigh = |key: &String, kept: &Kept| u32::try_from(key.len() + kept.bytes()).unwrap_or(u32::MAX);
        Ok(Self {
            client: http::client(None, TIMEOUT)?,
            known: Cache::builder()
                .max_capacity(REMEMBERED)
                .eviction_policy(EvictionPolicy::lru())
                .weigher(weigh)
                .build(),
            budget: Semaphore::new(BUDGET as usize),
        })
    }

    /// What the repositories have now. The caller holds the permit as long as it works with the answer.
    pub async fn read(
        &self,
        sources: &[Source],
    ) -> Result<(Vec<Content>, Option<SemaphorePermit<'_>>), Error> {
        let records: Vec<Record> =
            try_join_all(sources.iter().map(async |source| self.record(source).await)).await?;
        // The semaphore is never closed, so this never fails.
        let permit = self.budget.acquire_many(READER).await.ok();
        let (mut contents, mut left) = (Vec::new(), KEPT_MAX);
        for (source, record) in sources.iter().zip(records) {
            let kept = self.primary(source, &record).await?;
            let packages = match kept {
                Kept::Listed(ref packages) if kept.bytes() <= left => {
                    left -= kept.bytes();
                    Packages::Listed(Arc::clone(packages))
                }
                _ => Packages::Whole,
            };
            contents.push(Content {
                name: source.name.clone(),
                priority: source.priority,
                primary: record.checksum.to_string(),
                packages,
            });
        }
        Ok((contents, permit))
    }

    /// What repomd.xml says of primary.xml.
    async fn record(&self, source: &Source) -> Result<Record, Error> {
        let url = format!("{}/repodata/repomd.xml", source.base_url.trim_end_matches('/'));
        let repomd = self.get(source, &url, REPOMD_MAX).await.map_err(|problem| fetch(source, problem))?;
        let parsed = tokio::task::spawn_blocking(move || record::primary(&repomd)).await;
        parsed.unwrap_or_else(|_| Err("it can't be parsed".into())).map_err(|problem| Error::Malformed {
            name: source.name.clone(),
            url,
            problem,
        })
    }

    async fn primary(&self, source: &Source, record: &Record) -> Result<Kept, Error> {
        let key = record.checksum.to_string();
        if let Some(kept) = self.known.get(&key).await {
            return Ok(kept);
        }
        if record.size.is_some_and(|size| size > PRIMARY_MAX as u64) {
            return Ok(Kept::Whole);
        }
        let url = format!("{}/{}", source.base_url.trim_end_matches('/'), record.href);
        let compressed = match self.get(source, &url, PRIMARY_MAX).await {
            Ok(bytes) => bytes,
            Err(http::Error::TooLarge { .. }) if record.size.is_none() => return Ok(Kept::Whole),
            Err(problem) => return Err(fetch(source, problem)),
        };
        let (of_record, name) = (record.clone(), source.name.clone());
        // Parsing takes CPU time, so it isn't done on the threads of the reconciles. If the parser panics on a strange file, only
        // this task ends.
        let parsed = tokio::task::spawn_blocking(move || {
            of_record.verify(&compressed).map_err(primary::Error::Unverified)?;
            primary::parse(compressed, &of_record)
        });
        let kept = match parsed.await {
            Ok(Ok(Some(packages))) => Kept::Listed(Arc::new(packages)),
            Ok(Ok(None)) => Kept::Whole,
            Ok(Err(primary::Error::Unverified(problem))) => {
                return Err(Error::Unverified { name, url, problem });
            }
            Ok(Err(primary::Error::Malformed(problem))) => {
                return Err(Error::Malformed { name, url, problem });
            }
            Err(_) => return Err(Error::Malformed { name, url, problem: "it can't be parsed".into() }),
        };
        if record.checksum.is_strong() {
            self.known.insert(key, kept.clone()).await;
        }
        Ok(kept)
    }

    async fn get(&self, source: &Source, url: &str, max: usize) -> Result<Vec<u8>, http::Error> {
        let own;
        let client = match &source.authority {
            None => &self.client,
            Some(authority) => {
                own = http::client(Some(authority), TIMEOUT)?;
                &own
            }
        };
        let mut request = client.get(url);
        if let Some(Credentials { username, password }) = &source.credentials {
            request = request.basic_auth(username, Some(password));
        }
        http::body(request, url, max).await
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        match self {
            Self::Whole => 0,
            Self::Listed(packages) => packages.iter().map(Package::bytes).sum(),
        }
    }
}

fn fetch(source: &Source, problem: http::Error) -> Error {
    let problem = match problem {
        http::Error::Unreachable { url, why } if http::is_distrusted(&why) => {
            let hint = if source.authority.is_some() {
                "the authority in its caConfigMap has not signed it"
            } else {
                "if an authority of your own has signed it, name that in its caConfigMap"
            };
            http::Error::Unreachable { url, why: format!("{why}; {hint}") }
        }
        problem => problem,
    };
    Error::Fetch { name: source.name.clone(), problem }
}

#[cfg(test)]
mod tests;
