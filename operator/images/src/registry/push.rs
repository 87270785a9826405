//! Client required: puts blobs and manifests into a registry, as the distribution specification says. A blob goes in parts, of
//! which one at a time is held: nobody has to know how long it gets, nor its digest, before its end.

use bytes::Bytes;
use reqwest::{Method, header::LOCATION};
use sha2::{Digest as _, Sha256};

use super::{
    ANYTHING, Asked, Error, Name, Registry, Transport,
    answer::{self, Meaning},
    content::Content,
    digest_of, refused,
    transport::Answer,
    unexpected,
};

/// The size of a part. GitHub's registry takes no larger ones.
const PART: usize = 4 << 20;
/// Some registries take no smaller parts than they say. More than this isn't held for any.
const LARGEST_PART: usize = 16 << 20;
const MIN_LENGTH: &str = "oci-chunk-min-length";
const OCTETS: &str = "application/octet-stream";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const ACTIONS: &str = "pull,push";

/// A blob that a registry has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A blob on its way.
pub struct Upload<'a> {
    transport: &'a Transport,
    name: &'a Name,
    hash: Sha256,
    /// What isn't sent yet.
    rest: Vec<u8>,
    sent: u64,
    part: usize,
    /// Where the registry wants what comes next; nothing before the first part.
    location: Option<String>,
}

impl Registry {
    /// Begins a blob of the repository. Nothing is sent before a part is full.
    pub fn upload<'a>(&'a self, name: &'a Name) -> Upload<'a> {
        Upload {
            transport: &self.transport,
            name,
            hash: Sha256::new(),
            rest: Vec::new(),
            sent: 0,
            part: PART,
            location: None,
        }
    }

    /// A whole blob.
    pub async fn push_blob(&self, name: &Name, bytes: &[u8]) -> Result<Blob, Error> {
        let mut upload = self.upload(name);
        upload.write(bytes).await?;
        upload.finish().await
    }

    /// Whether the repository has a blob.
    pub async fn has_blob(&self, name: &Name, digest: &str) -> Result<bool, Error> {
        has_blob(&self.transport, name, digest).await
    }

    /// Puts a manifest under the name's tag; returns its digest.
    pub async fn push_manifest(&self, name: &Name, manifest: Vec<u8>) -> Result<String, Error> {
        let digest = digest_of(&manifest);
        let content = Content { type_: MANIFEST, range: None, bytes: manifest.into() };
        let path = format!("manifests/{}", name.reference);
        let answer = ask(&self.transport, name, Method::PUT, &path, Some(&content)).await?;
        if answer.status.is_success() { Ok(digest) } else { Err(unexpected(name, "the manifest", &answer)) }
    }
}

impl Upload<'_> {
    /// Adds bytes.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.hash.update(bytes);
        while !bytes.is_empty() {
            if self.rest.len() >= self.part {
                // There is more to come, so it isn't the last part.
                self.send_part().await?;
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(self.part - self.rest.len()));
            self.rest.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.sent + self.rest.len() as u64
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends the blob. One that the registry has already, from whomever, isn't sent again if it's a single part.
    pub async fn finish(mut self) -> Result<Blob, Error> {
        let blob = Blob {
            digest: format!("sha256:{}", hex::encode(std::mem::take(&mut self.hash).finalize())),
            size: self.len(),
        };
        if self.location.is_none() {
            if has_blob(self.transport, self.name, &blob.digest).await? {
                return Ok(blob);
            }
            self.begin().await?;
        }
        let location = self.location.take().unwrap_or_default();
        let path = with_digest(&location, &blob.digest);
        let range = (self.sent > 0).then(|| (self.sent, blob.size.saturating_sub(1)));
        let content = Content { type_: OCTETS, range, bytes: std::mem::take(&mut self.rest).into() };
        let answer = ask(self.transport, self.name, Method::PUT, &path, Some(&content)).await?;
        // A second try of which the first one was heard.
        if answer.status.is_success() || has_blob(self.transport, self.name, &blob.digest).await? {
            return Ok(blob);
        }
        Err(unexpected(self.name, "the end of a blob", &answer))
    }

    async fn begin(&mut self) -> Result<(), Error> {
        let content = Content { type_: OCTETS, range: None, bytes: Bytes::new() };
        let answer = ask(self.transport, self.name, Method::POST, "blobs/uploads/", Some(&content)).await?;
        if !answer.status.is_success() {
            return Err(unexpected(self.name, "the beginning of a blob", &answer));
        }
        let least = answer.headers.get(MIN_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        self.part = least.unwrap_or(PART).clamp(PART, LARGEST_PART);
        self.location = Some(location(self.name, &answer)?);
        Ok(())
    }

    async fn send_part(&mut self) -> Result<(), Error> {
        if self.location.is_none() {
            self.begin().await?;
            if self.rest.len() < self.part {
                return Ok(());
            }
        }
        let path = self.location.clone().unwrap_or_default();
        let bytes: Bytes = std::mem::take(&mut self.rest).into();
        let length = bytes.len() as u64;
        let content = Content { type_: OCTETS, range: Some((self.sent, self.sent + length - 1)), bytes };
        let answer = ask(self.transport, self.name, Method::PATCH, &path, Some(&content)).await?;
        if !answer.status.is_success() {
            return Err(unexpected(self.name, "a part of a blob", &answer));
        }
        self.sent += length;
        self.location = Some(location(self.name, &answer)?);
        Ok(())
    }
}

async fn has_blob(transport: &Transport, name: &Name, digest: &str) -> Result<bool, Error> {
    let answer = ask(transport, name, Method::HEAD, &format!("blobs/{digest}"), None).await?;
    match answer::meaning(answer.status, &answer::codes(&answer.body)) {
        Meaning::Fine => Ok(true),
        Meaning::NotThere => Ok(false),
        _ => Err(unexpected(name, "the question for a blob", &answer)),
    }
}

async fn ask(
    transport: &Transport,
    name: &Name,
    method: Method,
    path: &str,
    content: Option<&Content>,
) -> Result<Answer, Error> {
    let asked = Asked { name, method, path, actions: ACTIONS, accept: ANYTHING, content, is_large: false };
    transport.ask(&asked).await
}

fn location(name: &Name, answer: &Answer) -> Result<String, Error> {
    let said = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    said.map(str::to_owned)
        .ok_or_else(|| refused(name, "it doesn't say where the blob is to be sent (no Location)".into()))
}

fn with_digest(location: &str, digest: &str) -> String {
    let separator = if location.contains('?') { '&' } else { '?' };
    format!("{location}{separator}digest={digest}")
}
