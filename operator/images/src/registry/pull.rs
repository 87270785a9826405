//! Client required: a blob of any size out of a registry. It is written as it comes, and no more of it is held.

use std::io;

use reqwest::StatusCode;
use sha2::{Digest as _, Sha256};

use super::{Asked, Error, Name, Registry, refused, transport::Answer, unexpected};

/// Why a blob isn't there in the end.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The registry.
    #[error(transparent)]
    Registry(#[from] Error),
    /// Where it is written to.
    #[error("failed to write {digest}")]
    Write {
        /// The blob.
        digest: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Registry {
    /// A blob of the repository, which is `size` bytes long. What isn't as its digest says is an error, and so is a longer one.
    pub async fn pull_blob(
        &self,
        name: &Name,
        digest: &str,
        size: u64,
        to: &mut impl io::Write,
    ) -> Result<(), PullError> {
        let path = format!("blobs/{digest}");
        let asked = Asked { is_large: true, ..Asked::blob(name, &path) };
        let answer = self.transport.ask(&asked).await?;
        let Answer { status: StatusCode::OK, rest: Some(mut body), .. } = answer else {
            return Err(unexpected(name, &format!("the question for {digest}"), &answer).into());
        };
        let (mut hasher, mut got) = (Sha256::new(), 0);
        loop {
            let chunk = body.chunk().await.map_err(|error| cut_off(name, digest, &error))?;
            let Some(chunk) = chunk else { break };
            got += chunk.len() as u64;
            if got > size {
                return Err(refused(name, format!("{digest} is longer than {size} bytes")).into());
            }
            hasher.update(&chunk);
            to.write_all(&chunk).map_err(|source| PullError::Write { digest: digest.to_owned(), source })?;
        }
        let is = format!("sha256:{}", hex::encode(hasher.finalize()));
        if is != digest {
            return Err(refused(name, format!("what it gave isn't {digest}")).into());
        }
        Ok(())
    }
}

fn cut_off(name: &Name, digest: &str, error: &reqwest::Error) -> Error {
    let why = format!("{digest} was cut off: {}", crate::http::innermost(error));
    Error::Away { image: name.text.clone(), why, retry_after: None }
}
