//! Client required: what the images of an instance are to be built from.

use std::sync::Arc;

use copr_operator_api::{
    images::Image,
    v1alpha1::{ImageStatus, Packages, PackagesStatus},
};
use futures::future::try_join_all;

use super::Provider;
use crate::{
    Wanted, arch,
    build::{builds::needed, failure::Error, kept::kept},
    registry::{
        self,
        access::{self, Target},
    },
    resolve::{
        candidates::missing_pins,
        expected::Expected,
        inputs::{self, Inputs},
        repository::source,
        spec_hash,
    },
};

impl Provider {
    /// The images of a spec that the status isn't of.
    pub(super) async fn look_anew(
        &self,
        wanted: &Wanted<'_>,
        spec: &Packages,
        target: &Target,
        known: Option<&PackagesStatus>,
    ) -> Result<PackagesStatus, Error> {
        let kept = known.map(|known| kept(known, wanted.spec)).unwrap_or_default();
        let Some(base_image) = known.and_then(|known| known.base_image.clone()).filter(|_| !kept.is_empty())
        else {
            let base_image = self.base_image(wanted, &spec.base_image, target).await?;
            return Ok(self.resolve(wanted, spec, base_image, Vec::new()).await?.0);
        };
        if kept.len() == needed(wanted.spec).len() {
            let spec_hash = spec_hash::spec_hash(wanted.spec);
            return Ok(PackagesStatus { spec_hash, wait: None, base_image: Some(base_image), images: kept });
        }
        Ok(self.resolve(wanted, spec, base_image, kept).await?.0)
    }

    /// What the images are to be built from, but for those that are kept as they are: the hash of every image's inputs, and what these
    /// were made from.
    pub(super) async fn resolve(
        &self,
        wanted: &Wanted<'_>,
        spec: &Packages,
        base_image: String,
        kept: Vec<ImageStatus>,
    ) -> Result<(PackagesStatus, Arc<Expected>), Error> {
        let sources = try_join_all(
            spec.repositories.iter().map(|repository| source(wanted.client, &wanted.namespace, repository)),
        )
        .await?;
        let (hashes, expected) = {
            let (contents, _permit) = self.reader.read(&sources).await?;
            if let Some(problem) = missing_pins(&spec.pins, &contents, arch::rpm_arch()) {
                return Err(Error::NoSuchPin(problem));
            }
            let inputs = Inputs {
                base_image: &base_image,
                repositories: &spec.repositories,
                contents: &contents,
                pins: &spec.pins,
                arch: arch::rpm_arch(),
            };
            let of_kept =
                kept.iter().filter_map(|s| Some((Image::of_key(&s.component)?, s.input_hash.clone())));
            let hashes = inputs::hashes(inputs, of_kept.collect());
            (hashes, Expected::new(&contents))
        };
        let images = needed(wanted.spec).into_iter().map(|image| {
            let of_kept = kept.iter().find(|status| status.component == image.key());
            of_kept.cloned().unwrap_or_else(|| ImageStatus {
                component: image.key().into(),
                input_hash: hashes.get(&image).cloned().unwrap_or_default(),
                ..ImageStatus::default()
            })
        });
        let known = PackagesStatus {
            spec_hash: spec_hash::spec_hash(wanted.spec),
            wait: None,
            base_image: Some(base_image),
            images: images.collect(),
        };
        let expected = Arc::new(expected);
        let key = if kept.is_empty() { all_hashes(&known) } else { beside_kept(&known) };
        self.expected.insert(key, Arc::clone(&expected)).await;
        Ok((known, expected))
    }

    async fn base_image(&self, wanted: &Wanted<'_>, image: &str, target: &Target) -> Result<String, Error> {
        if image.contains('@') {
            return Ok(image.to_owned());
        }
        let same = registry::host(image) == registry::host_of_prefix(&target.registry.url);
        let access = if same {
            target.access.clone()
        } else {
            access::of_prebuilt(wanted.client, &wanted.namespace, wanted.spec, image).await?
        };
        let digest = self.registries.of(image, &access)?.digest(image).await?;
        let digest = digest.ok_or_else(|| Error::NoBaseImage(image.to_owned()))?;
        let name =
            image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(image, |(name, _)| name);
        Ok(format!("{name}@{digest}"))
    }

    /// What the inputs were made from. An operator that has just started looks again; if the repositories aren't what they were,
    /// there is nothing any more to build from, and the status is made anew.
    pub(super) async fn expected(
        &self,
        wanted: &Wanted<'_>,
        spec: &Packages,
        known: &mut PackagesStatus,
    ) -> Result<Option<Arc<Expected>>, Error> {
        let kept = kept(known, wanted.spec);
        let keys = (!kept.is_empty()).then(|| beside_kept(known)).into_iter().chain([all_hashes(known)]);
        for key in keys {
            if let Some(expected) = self.expected.get(&key).await {
                return Ok(Some(expected));
            }
        }
        let base_image = known.base_image.clone().unwrap_or_default();
        let (fresh, expected) = self.resolve(wanted, spec, base_image, kept).await?;
        if all_hashes(&fresh) == all_hashes(known) {
            return Ok(Some(expected));
        }
        *known = PackagesStatus { wait: known.wait.take(), ..fresh };
        Ok(None)
    }
}

fn all_hashes(known: &PackagesStatus) -> String {
    known.images.iter().map(|image| image.input_hash.as_str()).collect::<Vec<_>>().join(" ")
}

/// The key of what repositories had when suites were added to images that are kept: it tells nothing of what those were made from.
fn beside_kept(known: &PackagesStatus) -> String {
    format!("kept {}", all_hashes(known))
}
