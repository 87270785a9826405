//! The builds of an instance, as its spec and its status have them now. Pure.

use std::collections::{BTreeMap, BTreeSet};

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
        let built = image.starts_from().and_then(of);
        let from = match image.starts_from() {
            None => known.base_image.as_deref(),
            Some(_) => built.and_then(|from| from.image.as_deref()),
        };
        let defaults = &self.wanted.spec.defaults;
        Build {
            image,
            hash: of(image).map_or("", |status| &status.input_hash),
            from: from.unwrap_or_default(),
            beneath: built.map_or(&[], |from| &from.packages),
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
    let mut needed: BTreeSet<_> = Image::ALL
        .into_iter()
        .filter(|image| *image != Image::Base && is_wanted(spec, *image) && !given.contains(image))
        .collect();
    // Also an image that the spec names is built where another one starts from it: what it names may be no such image.
    let mut from: Vec<_> = needed.iter().copied().collect();
    while let Some(image) = from.pop() {
        from.extend(image.starts_from().filter(|image| needed.insert(*image)));
    }
    Image::ALL.into_iter().filter(|image| needed.contains(image)).collect()
}

/// Whether an instance waits for one of the images that are built for it: it doesn't for a suite's, which none of its pods runs, nor
/// for what is built for these alone.
pub fn is_awaited(image: Image, built: &[Image]) -> bool {
    let is_for_pods = |image: Image| image != Image::Base && !image.is_of_suite();
    is_for_pods(image) || image == Image::Base && built.iter().any(|image| is_for_pods(*image))
}

fn is_wanted(spec: &CoprInstanceSpec, image: Image) -> bool {
    if image.is_of_suite() {
        spec.tests.suites.iter().any(|suite| Image::of_suite(*suite) == image)
    } else {
        runs(spec, image)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(spec: &Value) -> Vec<Image> {
        needed(&serde_json::from_value(spec.clone()).unwrap())
    }

    #[test]
    fn a_suite_is_built_for_who_asks_for_it_with_what_it_starts_from() {
        let mut spec = json!({
            "chroots": ["fedora-44-x86_64"],
            "images": {"registry": "quay.io/copr"},
            "packages": {"repositories": [{"name": "main", "baseURL": "https://main.example/"}]},
        });
        assert_eq!(of(&spec), [Image::Base, Image::Sanity]);
        spec["tests"] = json!({"suites": ["upstream"]});
        assert_eq!(of(&spec), [Image::Base, Image::Sanity, Image::SanityUpstream]);
        spec["tests"] = json!({"suites": ["smoke", "upstream"], "image": "quay.io/me/suite:1"});
        assert_eq!(of(&spec), [Image::Base, Image::Sanity, Image::SanityUpstream]);
        spec["tests"] = json!({"image": "quay.io/me/suite:1"});
        assert!(of(&spec).is_empty());
        spec["tests"] = json!({"suites": []});
        assert!(of(&spec).is_empty());
    }

    #[test]
    fn an_instance_waits_for_what_its_pods_run() {
        let suites = [Image::Base, Image::Sanity, Image::SanityUpstream];
        assert!(suites.iter().all(|image| !is_awaited(*image, &suites)));
        let all = [Image::Base, Image::Keygen, Image::Sanity];
        assert_eq!(all.map(|image| is_awaited(image, &all)), [true, true, false]);
    }
}
