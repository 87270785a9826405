//! Client required: the images that the spec names, pinned to digests.

use std::collections::BTreeMap;

use futures::future::join_all;

use super::{
    Wanted, access,
    pin::{Pin, pin},
    provide::Error,
    registry::Registry,
};
use crate::{
    api::v1alpha1::{CoprInstance, PullPolicy},
    instance::validate,
};

/// The images that the spec names, pinned to a digest where one can be had, and what that was impossible for.
pub async fn prebuilt(
    wanted: &Wanted<'_>,
    instance: &CoprInstance,
) -> Result<(BTreeMap<String, String>, Vec<String>), Error> {
    let status = instance.status.as_ref();
    let looked =
        status.is_some_and(|s| s.observed_generation.is_some() && s.observed_generation == wanted.generation);
    let pinned = join_all(validate::given_images(wanted.spec).into_iter().map(async |(image, given)| {
        if wanted.spec.images.pull_policy == PullPolicy::Never {
            // The nodes have it by this name, whatever a registry says.
            return Ok::<_, Error>((image, given, None));
        }
        let recorded = status.and_then(|status| status.images.get(image.field()));
        let kept = match pin(&given, recorded, looked) {
            Pin::Keep(kept) => return Ok((image, kept, None)),
            Pin::Resolve => resolve_tag(wanted, &given).await,
        };
        match kept {
            Ok(Some(digest)) => Ok((image, format!("{given}@{digest}"), None)),
            Ok(None) => Ok((image, given.clone(), Some(format!("{given}: there is no such image")))),
            Err(Error::Registry(error)) => Ok((image, given.clone(), Some(error.to_string()))),
            Err(error) => Err(error),
        }
    }))
    .await;
    let (mut images, mut unresolved) = (BTreeMap::new(), Vec::new());
    for entry in pinned {
        let (image, reference, why) = entry?;
        images.insert(image.field().to_owned(), reference);
        unresolved.extend(why);
    }
    Ok((images, unresolved))
}

async fn resolve_tag(wanted: &Wanted<'_>, image: &str) -> Result<Option<String>, Error> {
    let access = access::of_prebuilt(wanted.client, &wanted.namespace, wanted.spec, image).await?;
    Ok(Registry::new(access)?.digest(image).await?)
}
