//! Client required: what an image registry has. Everything that is known of a built image is there.
//!
//! Registries differ most in what they don't have and in who may know: [`answer`] and [`challenge`] read that, [`credentials`]
//! chooses who asks, and [`transport`] asks. The crates that speak the protocol read answers without a limit, hide
//! Retry-After and the token service's answer, and neither delete tags nor take identity tokens.

pub mod access;
pub mod answer;
pub mod asks;
pub mod challenge;
mod content;
pub mod credentials;
pub mod name;
mod pool;
mod pull;
mod push;
#[cfg(test)]
pub(super) mod tests;
mod token;
mod transport;

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Method, StatusCode, header::LINK};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::http;
use answer::Meaning;
pub use asks::Asks;
pub use credentials::{Keyring, Login};
pub use name::{Name, host, host_of_prefix};
pub use pool::Registries;
pub use pull::PullError;
pub use push::{Blob, Upload};
use transport::{Answer, Asked, Transport, refused};

const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
const ANYTHING: &str = "*/*";
/// A repository that has more tags isn't looked through.
const TAGS_MAX: usize = 2000;
const PAGES_MAX: usize = 40;

/// How a registry is spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Access {
    /// A certificate that nobody knows is good enough, and so is plain HTTP.
    pub insecure: bool,
    /// Certificate authorities in PEM, beside the system's.
    pub authority: Option<String>,
    /// Who speaks.
    pub keyring: Keyring,
}

/// What is known of an image in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Digest of its manifest.
    pub digest: String,
    /// Labels of its configuration.
    pub labels: BTreeMap<String, String>,
}

/// What became of something that was to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It's gone, or was gone already.
    Gone,
    /// The registry doesn't do it, or not for us: its answer.
    No(String),
}

/// Why a registry didn't tell.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the name of an image.
    #[error("{image} is not a reference of an image: {why}")]
    Reference {
        /// The name.
        image: String,
        /// What is wrong with it.
        why: String,
    },
    /// The client couldn't be made.
    #[error(transparent)]
    Setup(#[from] http::Error),
    /// It doesn't take the user and the password.
    #[error("the registry {host} refuses who asks ({why}); it was asked {asked}")]
    Credentials {
        /// The registry.
        host: String,
        /// Its answer.
        why: String,
        /// Whose credentials they were.
        asked: String,
    },
    /// Whoever asked may not know of the image, or it isn't there.
    #[error("the registry of {image} refuses ({why}); it was asked {asked}")]
    Denied {
        /// What was asked about.
        image: String,
        /// Its answer.
        why: String,
        /// Whose credentials were used, or that none were.
        asked: String,
        /// Whether nobody's were.
        anonymous: bool,
    },
    /// No TLS.
    #[error(
        "the registry of {image} answers plain HTTP; if that is wanted, set registry.insecure, which counts for the host of registry.url"
    )]
    PlainHttp {
        /// What was asked about.
        image: String,
    },
    /// It can't be reached, or says that it can't answer now.
    #[error("the registry of {image}: {why}")]
    Away {
        /// What was asked about.
        image: String,
        /// Its answer, or why there was none.
        why: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It has no room for what was to be pushed, or not for so much.
    #[error("the registry of {image} has no room: {why}")]
    Full {
        /// What was to be pushed.
        image: String,
        /// Its answer.
        why: String,
    },
    /// Any other answer.
    #[error("the registry of {image}: {why}")]
    Refused {
        /// What was asked about.
        image: String,
        /// Its answer.
        why: String,
    },
}

impl Error {
    /// Whether it may be otherwise a moment later.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Away { .. })
    }

    /// How long the registry wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Away { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// A registry.
pub struct Registry {
    transport: Transport,
}

impl Registry {
    /// The digest that a tag stands for; nothing if there is no such image.
    pub async fn digest(&self, image: &str) -> Result<Option<String>, Error> {
        let name = Name::parse(image)?;
        self.digest_of(&name).await
    }

    async fn digest_of(&self, name: &Name) -> Result<Option<String>, Error> {
        // Docker Hub counts a GET as a pull, of which there are few.
        let head = self.manifest(name, Method::HEAD).await?;
        match (head.as_ref().map(digest_header), head) {
            (Some(Some(digest)), _) => Ok(Some(digest)),
            (_, None) => Ok(None),
            (_, Some(_)) => {
                let got = self.manifest(name, Method::GET).await?;
                Ok(got.map(|answer| digest_of(&answer.body)))
            }
        }
    }

    /// Digest and labels of an image; nothing if there is no such image.
    pub async fn describe(&self, image: &str) -> Result<Option<Found>, Error> {
        let name = Name::parse(image)?;
        if self.digest_of(&name).await?.is_none() {
            return Ok(None);
        }
        let Some(answer) = self.manifest(&name, Method::GET).await? else { return Ok(None) };
        let digest = digest_of(&answer.body);
        let manifest: Manifest = serde_json::from_slice(&answer.body)
            .map_err(|_| refused(&name, "its manifest can't be read".into()))?;
        // A list of images has no configuration, and is none of ours.
        let labels = match manifest.config {
            Some(config) => self.labels(&name, &config.digest).await?,
            None => BTreeMap::new(),
        };
        Ok(Some(Found { digest, labels }))
    }

    /// The same for an image that we build and push ourselves. Many registries answer that it's forbidden to know of what isn't
    /// there yet; if they take the credentials, the push will prove what these may.
    pub async fn describe_own(&self, image: &str) -> Result<Option<Found>, Error> {
        own(self.describe(image).await)
    }

    /// Whether an image that we have pushed is there no more.
    pub async fn has_lost(&self, image: &str) -> Result<bool, Error> {
        Ok(own(self.digest(image).await)?.is_none())
    }

    /// The tags of an image's repository; nothing if there are too many to look at.
    pub async fn tags(&self, name: &Name) -> Result<Option<Vec<String>>, Error> {
        let (mut tags, mut path) = (Vec::new(), "tags/list?n=1000".to_owned());
        for _ in 0..PAGES_MAX {
            let asked = Asked {
                name,
                method: Method::GET,
                path: &path,
                actions: "pull",
                accept: ANYTHING,
                content: None,
                is_large: false,
            };
            let answer = self.transport.ask(&asked).await?;
            match answer::meaning(answer.status, &answer::codes(&answer.body)) {
                Meaning::Fine => {}
                Meaning::NotThere => return Ok(Some(tags)),
                _ => return Err(unexpected(name, "the list of tags", &answer)),
            }
            let page: Tags = serde_json::from_slice(&answer.body)
                .map_err(|_| refused(name, "its list of tags can't be read".into()))?;
            tags.extend(page.tags.unwrap_or_default());
            if tags.len() > TAGS_MAX {
                return Ok(None);
            }
            match next_page(&answer) {
                Some(next) => path = format!("tags/list?{next}"),
                None => return Ok(Some(tags)),
            }
        }
        Ok(None)
    }

    /// Deletes a tag alone, or, by digest, an image with all its tags.
    pub async fn delete(&self, name: &Name) -> Result<Deleted, Error> {
        let path = format!("manifests/{}", name.reference);
        let (method, actions) = (Method::DELETE, "pull,push,delete");
        let asked =
            Asked { name, method, path: &path, actions, accept: ANYTHING, content: None, is_large: false };
        match self.transport.ask(&asked).await {
            Ok(answer) if answer.status.is_success() => Ok(Deleted::Gone),
            Ok(answer) => Ok(Deleted::No(answer::words(answer.status, &answer::codes(&answer.body)))),
            Err(Error::Denied { why, .. } | Error::Credentials { why, .. }) => Ok(Deleted::No(why)),
            Err(error) => Err(error),
        }
    }

    /// A manifest, as it is, and its digest; nothing if there is none.
    pub async fn raw_manifest(&self, name: &Name) -> Result<Option<(String, Vec<u8>)>, Error> {
        let answer = self.manifest(name, Method::GET).await?;
        Ok(answer.map(|answer| (digest_of(&answer.body), answer.body)))
    }

    /// The answer to a question for a manifest; nothing if there is none.
    async fn manifest(&self, name: &Name, method: Method) -> Result<Option<Answer>, Error> {
        let path = format!("manifests/{}", name.reference);
        let ask = |method| Asked {
            name,
            method,
            path: &path,
            actions: "pull",
            accept: MANIFESTS,
            content: None,
            is_large: false,
        };
        let answer = self.transport.ask(&ask(method.clone())).await?;
        match answer::meaning(answer.status, &answer::codes(&answer.body)) {
            Meaning::Fine => Ok(Some(answer)),
            Meaning::NotThere => Ok(None),
            // Not every registry knows HEAD.
            _ if method == Method::HEAD => Box::pin(self.manifest(name, Method::GET)).await,
            _ => Err(unexpected(name, "the question for its manifest", &answer)),
        }
    }

    async fn labels(&self, name: &Name, digest: &str) -> Result<BTreeMap<String, String>, Error> {
        let path = format!("blobs/{digest}");
        let asked = Asked::blob(name, &path);
        let answer = self.transport.ask(&asked).await?;
        if answer.status != StatusCode::OK {
            return Err(unexpected(name, "the question for its configuration", &answer));
        }
        if digest_of(&answer.body) != digest {
            return Err(refused(name, format!("what it gave isn't {digest}")));
        }
        let config: Config = serde_json::from_slice(&answer.body)
            .map_err(|_| refused(name, "its configuration can't be read".into()))?;
        Ok(config.config.unwrap_or_default().labels.unwrap_or_default())
    }
}

fn unexpected(name: &Name, what: &str, answer: &Answer) -> Error {
    let words = answer::words(answer.status, &answer::codes(&answer.body));
    refused(name, format!("{what} was answered with {words}"))
}

fn own<T>(answer: Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(Error::Denied { anonymous: false, .. }) => Ok(None),
        answer => answer,
    }
}

#[derive(Deserialize)]
struct Manifest {
    config: Option<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

/// The part of an image's configuration that matters here.
#[derive(Deserialize)]
struct Config {
    config: Option<Process>,
}

#[derive(Deserialize, Default)]
struct Process {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

pub(crate) fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn digest_header(answer: &Answer) -> Option<String> {
    let digest = answer.headers.get("docker-content-digest")?.to_str().ok()?;
    let (algorithm, value) = digest.split_once(':')?;
    let is_one = matches!(algorithm, "sha256" | "sha512") && value.len() >= 64;
    (is_one && value.chars().all(|c| c.is_ascii_hexdigit())).then(|| digest.to_owned())
}

/// The query of the next page of a list, as `Link: </v2/…/tags/list?…>; rel="next"` says.
fn next_page(answer: &Answer) -> Option<String> {
    let link = answer.headers.get(LINK)?.to_str().ok()?;
    let (target, rest) = link.trim_start().strip_prefix('<')?.split_once('>')?;
    let (_, query) = target.split_once('?')?;
    rest.contains("next").then(|| query.to_owned())
}
