//! The builds of an instance, as its spec and its status have them now. Pure.

use std::collections::BTreeMap;

use copr_operator_api::{
    images::{Image, given_images, runs},
    v1alpha1::{CoprInstanceSpec, Packages, PackagesStatus, Proxy},
};
use copr_operator_kernel::{resources::merge, scheduling};

use super::job::Build;
use crate::{
    Wanted,
    registry::access::{self, Target},
    resolve::expected::Expected,
};

/// All builds of an instance.
pub struct Builds<'a> {
    /// The instance.
    pub wanted: &'a Wanted<'a>,
    /// What it says of packages.
    pub spec: &'a Packages,
    /// Where the images go.
    pub target: &'a Target,
    /// The image of the program that builds.
    pub builder: &'a str,
    /// Secrets for the pull of that image.
    pub pull_secrets: &'a [String],
}

impl Builds<'_> {
    /// Names of the Jobs that do what is wanted now.
    pub fn names(&self, known: &PackagesStatus) -> BTreeMap<Image, String> {
        images_of(known).map(|image| (image, self.build(known, image, None).name())).collect()
    }

    /// The build of one image.
    pub fn build<'b>(
        &'b self,
        known: &'b PackagesStatus,
        image: Image,
        expected: Option<&'b Expected>,
    ) -> Build<'b> {
        let of = |image: Image| known.images.iter().find(|status| status.component == image.key());
        let from = if image == Image::Base {
            known.base_image.as_deref()
        } else {
            of(Image::Base).and_then(|base| base.image.as_deref())
        };
        let defaults = &self.wanted.spec.defaults;
        Build {
            image,
            hash: of(image).map_or("", |status| &status.input_hash),
            from: from.unwrap_or_default(),
            instance: (&self.wanted.name, &self.wanted.namespace),
            owner: &self.wanted.owner,
            packages: self.spec,
            registry: &self.target.registry,
            builder: self.builder,
            pull_secrets: self.pull_secrets,
            authority_key: self.target.authority_key,
            token_auth: access::by_token(self.wanted.spec),
            resources: merge(
                defaults.resources.clone().unwrap_or_default(),
                self.spec.build.resources.as_ref(),
            ),
            settings: scheduling::resolved(&defaults.pod, &self.spec.build.pod),
            proxy: self.wanted.spec.proxy.as_ref().map(Proxy::variables).unwrap_or_default(),
            expected,
        }
    }
}

/// The images of a status.
pub fn images_of(known: &PackagesStatus) -> impl Iterator<Item = Image> {
    known.images.iter().filter_map(|image| Image::of_key(&image.component))
}

/// The images that have to be built: those that the spec doesn't name, and what they start from.
pub fn needed(spec: &CoprInstanceSpec) -> Vec<Image> {
    let given: Vec<_> = given_images(spec).into_iter().map(|(image, _)| image).collect();
    let is_needed = |image: &Image| match image {
        Image::Base => true,
        image => runs(spec, *image) && !given.contains(image),
    };
    let needed: Vec<_> = Image::ALL.into_iter().filter(is_needed).collect();
    if needed == [Image::Base] { Vec::new() } else { needed }
}
