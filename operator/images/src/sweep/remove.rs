//! Client required: takes one image out of its registry, if it is ours and nobody has it by another name.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::used::Used;
use crate::{
    names::HASH_LABEL,
    registry::{Deleted, Error, Name, Registry},
};

/// A repository with more tags isn't looked through: who knows what they are.
const TAGS_MAX: usize = 1000;
const AT_A_TIME: usize = 8;

/// What became of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It's gone.
    Gone,
    /// It isn't what we pushed under this name.
    NotOurs,
    /// Something uses it, by its digest.
    InUse,
    /// The registry can't delete a tag alone, and somebody has the image by another tag, or may have.
    Shared,
    /// The registry deletes nothing: its answer.
    Refused(String),
}

/// What the tags of repositories stand for, asked for once in a sweep.
#[derive(Debug, Default)]
pub struct Tags(BTreeMap<String, Option<BTreeMap<String, String>>>);

/// Removes an image by its tag, and the SBOM attached to it if no other tag has the same image.
pub async fn remove(
    registry: &Registry,
    image: &str,
    used: &Used,
    tags: &mut Tags,
) -> Result<Outcome, Error> {
    let name = Name::parse(image)?;
    let found = match registry.describe(image).await {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Outcome::Gone),
        Err(Error::Denied { why, asked, .. } | Error::Credentials { why, asked, .. }) => {
            return Ok(Outcome::Refused(format!("{why}, asked {asked}")));
        }
        Err(error) => return Err(error),
    };
    if found.labels.get(HASH_LABEL) != Some(&name.reference) {
        return Ok(Outcome::NotOurs);
    }
    if used.has(&found.digest) {
        return Ok(Outcome::InUse);
    }
    if tags.is_alone(registry, &name, &found.digest).await? {
        // In a registry without the referrers API, the SBOM is listed in an index with this tag.
        let sbom = name.with(&found.digest.replace(':', "-"));
        if let Some(index) = registry.digest(&sbom.text).await? {
            match untag(registry, &sbom, &index, tags).await? {
                Outcome::Gone | Outcome::Shared => {}
                other => return Ok(other),
            }
        }
    }
    untag(registry, &name, &found.digest, tags).await
}

/// Deletes a tag. Where a registry can't, the digest goes instead, if no other tag has it.
async fn untag(registry: &Registry, name: &Name, digest: &str, tags: &mut Tags) -> Result<Outcome, Error> {
    match registry.delete(name).await? {
        // A registry that can't delete by tag may answer "not found" though the tag is there. So it is asked for the tag again.
        Deleted::Gone if registry.digest(&name.text).await?.is_none() => {}
        Deleted::Gone | Deleted::No(_) => {
            if !tags.is_alone(registry, name, digest).await? {
                return Ok(Outcome::Shared);
            }
            if let Deleted::No(why) = registry.delete(&name.with(digest)).await? {
                return Ok(Outcome::Refused(why));
            }
        }
    }
    tags.forget(name);
    Ok(Outcome::Gone)
}

impl Tags {
    /// Whether this tag is known to be the only one of its digest.
    async fn is_alone(&mut self, registry: &Registry, name: &Name, digest: &str) -> Result<bool, Error> {
        if !self.0.contains_key(&name.repository) {
            let read = read(registry, name).await?;
            self.0.insert(name.repository.clone(), read);
        }
        let Some(Some(tags)) = self.0.get(&name.repository) else { return Ok(false) };
        // If the list lacks the tag in question, it is incomplete, and others may be missing, too.
        let is_whole = tags.contains_key(&name.reference);
        let is_shared = tags.iter().any(|(tag, of)| of == digest && *tag != name.reference);
        Ok(is_whole && !is_shared)
    }

    fn forget(&mut self, name: &Name) {
        if let Some(Some(tags)) = self.0.get_mut(&name.repository) {
            tags.remove(&name.reference);
        }
    }
}

async fn read(registry: &Registry, name: &Name) -> Result<Option<BTreeMap<String, String>>, Error> {
    let tags = match registry.tags(name).await {
        Ok(Some(tags)) if tags.len() <= TAGS_MAX => tags,
        // Where the tags can't be listed, the digest may have others, so it counts as shared.
        Ok(_) | Err(Error::Denied { .. } | Error::Refused { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let digest = async |tag: String| {
        let digest = registry.digest(&name.with(&tag).text).await?;
        Ok::<_, Error>(digest.map(|digest| (tag, digest)))
    };
    let read: Vec<_> =
        stream::iter(tags.into_iter().map(digest)).buffer_unordered(AT_A_TIME).try_collect().await?;
    Ok(Some(read.into_iter().flatten().collect()))
}
