//! Client required: the images that the spec names, pinned to digests.

use std::collections::BTreeMap;

use copr_operator_api::{
    images::given_images,
    v1alpha1::{CoprInstance, PullPolicy, ResolvedTag},
};
use futures::future::join_all;

use super::pin::{Pin, Recorded, pin, reference};
use crate::{
    Wanted,
    registry::{
        Registries,
        access::{self, Error},
    },
};

/// The images that the spec names.
#[derive(Clone, Debug, Default)]
pub struct Prebuilt {
    /// By component as pods are given them: by digest where one can be had.
    pub images: BTreeMap<String, String>,
    /// What their tags were found to stand for.
    pub resolved: BTreeMap<String, ResolvedTag>,
}

impl Prebuilt {
    /// Why some are used by tag, as a sentence.
    pub fn unresolved(&self) -> Option<String> {
        let why: Vec<_> = self.resolved.values().filter_map(|tag| tag.message.as_deref()).collect();
        // Only the first reason is repeated: mostly it is the same for all of them.
        let (first, more) = why.split_first()?;
        let more = if more.is_empty() {
            String::new()
        } else {
            format!(" (and {} more, see status.resolved)", more.len())
        };
        Some(format!("used by tag, as no digest could be had: {first}{more}"))
    }
}

/// Pins what isn't pinned yet.
pub async fn prebuilt(
    registries: &Registries,
    wanted: &Wanted<'_>,
    instance: &CoprInstance,
) -> Result<Prebuilt, Error> {
    let status = instance.status.as_ref();
    let is_current =
        status.is_some_and(|s| s.observed_generation.is_some() && s.observed_generation == wanted.generation);
    let pinned = join_all(given_images(wanted.spec).into_iter().map(async |(image, given)| {
        if wanted.spec.images.pull_policy == PullPolicy::Never {
            // The nodes have the image already, by this name, and never pull: a digest from a registry would name another image.
            return Ok::<_, Error>((image, given, None));
        }
        let resolved = status.and_then(|status| status.resolved.get(image.key()));
        let runs = status.and_then(|status| status.images.get(image.key()));
        let tag = match pin(&given, Recorded { resolved, runs, is_current }) {
            Pin::Given => return Ok((image, given, None)),
            Pin::Known(known) => known,
            Pin::Resolve => resolve(registries, wanted, given).await?,
        };
        Ok((image, reference(&tag), Some(tag)))
    }))
    .await;
    let mut prebuilt = Prebuilt::default();
    for entry in pinned {
        let (image, reference, tag) = entry?;
        prebuilt.images.insert(image.key().to_owned(), reference);
        prebuilt.resolved.extend(tag.map(|tag| (image.key().to_owned(), tag)));
    }
    Ok(prebuilt)
}

/// That the operator can't ask is no reason not to run: the nodes may have credentials of their own.
async fn resolve(registries: &Registries, wanted: &Wanted<'_>, image: String) -> Result<ResolvedTag, Error> {
    let access = access::of_prebuilt(wanted.client, &wanted.namespace, wanted.spec, &image).await?;
    let digest = match registries.of(&image, &access) {
        Ok(registry) => registry.digest(&image).await,
        Err(error) => Err(error),
    };
    let (digest, message) = match digest {
        Ok(Some(digest)) => (Some(digest), None),
        Ok(None) => (None, Some(format!("{image}: there is no such image"))),
        Err(error) => (None, Some(error.to_string())),
    };
    Ok(ResolvedTag { image, digest, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_images_that_are_used_by_tag_one_says_why() {
        let tag = |message: Option<&str>| ResolvedTag {
            message: message.map(Into::into),
            ..ResolvedTag::default()
        };
        let prebuilt = |tags: &[(&str, Option<&str>)]| Prebuilt {
            resolved: tags.iter().map(|(name, message)| ((*name).to_owned(), tag(*message))).collect(),
            ..Prebuilt::default()
        };
        assert_eq!(prebuilt(&[("redis", None)]).unresolved(), None);
        let said = prebuilt(&[("database", None), ("redis", Some("no TLS"))]).unresolved().unwrap();
        assert_eq!(said, "used by tag, as no digest could be had: no TLS");
        let said = prebuilt(&[("backend", Some("away")), ("redis", Some("away"))]).unresolved().unwrap();
        assert_eq!(said, "used by tag, as no digest could be had: away (and 1 more, see status.resolved)");
    }
}
