//! What an image is built from, as one hash: its tag in the registry. Pure.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::{
    component::Image,
    context,
    repository::hex,
    resolve::{Content, Picked, resolve},
};
use crate::api::v1alpha1::{CoprInstanceSpec, Repository};

/// Raised when an image comes out different for another reason than its inputs: the way it is built.
const FORMAT: &str = "1";
/// Hexadecimal digits of a tag.
const LENGTH: usize = 32;

/// What images are built from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The base image by digest.
    pub base_image: &'a str,
    /// The repositories of the spec.
    pub repositories: &'a [Repository],
    /// What they have.
    pub contents: &'a [Content],
    /// Architecture in rpm's words.
    pub arch: &'a str,
}

/// A hash of what a spec says of images.
pub fn spec_hash(spec: &CoprInstanceSpec) -> String {
    let external = (&spec.database, &spec.redis);
    // Nothing of it can fail to become JSON; if it did, the repositories would only be looked at less often.
    let text =
        serde_json::to_string(&(&spec.packages, &spec.images, &spec.registry, external)).unwrap_or_default();
    let mut hasher = Hasher::default();
    hasher.add(&[&text]);
    hasher.finish()
}

/// The hash of the inputs of each image.
pub fn hashes(inputs: Inputs<'_>) -> BTreeMap<Image, String> {
    let base = hash(Image::Base, inputs.base_image, inputs);
    let mut hashes: BTreeMap<_, _> =
        Image::ALL.into_iter().map(|image| (image, hash(image, &base, inputs))).collect();
    hashes.insert(Image::Base, base);
    hashes
}

fn hash(image: Image, from: &str, inputs: Inputs<'_>) -> String {
    let mut hasher = Hasher::default();
    hasher.add(&[FORMAT, image.folder(), inputs.arch, from]);
    for (name, content) in context::files(image) {
        hasher.add(&[&name, &hex(&Sha256::digest(&content))]);
    }
    let picked = resolve(&context::installs(image), inputs.contents, inputs.arch);
    hasher.add_packages(&picked, inputs.repositories);
    hasher.finish()
}

/// Parts are told apart by their lengths.
#[derive(Default)]
struct Hasher(Sha256);

impl Hasher {
    fn add(&mut self, parts: &[&str]) {
        for part in parts {
            self.0.update(part.len().to_le_bytes());
            self.0.update(part.as_bytes());
        }
    }

    fn add_packages(&mut self, picked: &BTreeSet<Picked>, repositories: &[Repository]) {
        for Picked { repository, nevra, checksum } in picked {
            self.add(&[repository, nevra, checksum]);
        }
        // The labels of the image name where its packages came from, and that must stay true.
        let serving: BTreeSet<_> = picked.iter().map(|p| p.repository.as_str()).collect();
        for repository in repositories.iter().filter(|r| serving.contains(r.name.as_str())) {
            self.add(&[&repository.base_url, repository.gpg_key.as_deref().unwrap_or_default()]);
        }
    }

    fn finish(self) -> String {
        let mut text = hex(&self.0.finalize());
        text.truncate(LENGTH);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::images::resolve::{Package, Packages};

    fn package(name: &str, release: &str, wants: &[&str]) -> Package {
        Package {
            name: name.into(),
            evr: ("0".into(), "1".into(), release.into()),
            arch: "noarch".into(),
            checksum: format!("sha256:{name}-{release}"),
            provides: BTreeSet::from([name.to_owned()]),
            wants: wants.iter().map(|&want| want.to_owned()).collect(),
        }
    }

    /// As Copr's packages depend on each other.
    fn content(keygen: &str, common: &str) -> Content {
        let packages = vec![
            package("copr-keygen", keygen, &["python3-copr-common"]),
            package("copr-frontend", "1", &["python3-copr-common"]),
            package("copr-backend", "1", &["python3-copr-common", "python3-copr"]),
            package("copr-dist-git", "1", &["python3-copr-common"]),
            package("copr-rpmbuild", "1", &["python3-copr-common"]),
            package("copr-cli", "1", &["python3-copr"]),
            package("python3-copr", "1", &[]),
            package("python3-copr-common", common, &[]),
            package("resalloc-server", "1", &[]),
        ];
        Content { name: "main".into(), priority: 50, packages: Packages::Listed(Arc::new(packages)) }
    }

    fn repository(url: &str) -> Repository {
        Repository {
            name: "main".into(),
            base_url: url.into(),
            priority: 50,
            gpg_key: None,
            credentials_secret: None,
        }
    }

    fn with(base_image: &str, content: Content, url: &str) -> BTreeMap<Image, String> {
        let (contents, repositories) = ([content], [repository(url)]);
        hashes(Inputs { base_image, repositories: &repositories, contents: &contents, arch: "x86_64" })
    }

    fn changed(a: &BTreeMap<Image, String>, b: &BTreeMap<Image, String>) -> Vec<Image> {
        Image::ALL.into_iter().filter(|image| a[image] != b[image]).collect()
    }

    #[test]
    fn the_same_inputs_have_the_same_hash() {
        let (a, b) = (with("f@1", content("1", "1"), "u"), with("f@1", content("1", "1"), "u"));
        assert_eq!(a, b);
        assert_eq!(a[&Image::Frontend].len(), LENGTH);
    }

    #[test]
    fn a_new_keygen_changes_keygen_alone() {
        let (a, b) = (with("f@1", content("1", "1"), "u"), with("f@1", content("2", "1"), "u"));
        assert_eq!(changed(&a, &b), [Image::Keygen]);
    }

    #[test]
    fn a_new_copr_common_changes_all_that_install_it() {
        let (a, b) = (with("f@1", content("1", "1"), "u"), with("f@1", content("1", "2"), "u"));
        assert_eq!(
            changed(&a, &b),
            [Image::Keygen, Image::Frontend, Image::DistGit, Image::Backend, Image::Builder]
        );
    }

    #[test]
    fn a_new_base_image_changes_everything() {
        let (a, b) = (with("f@1", content("1", "1"), "u"), with("f@2", content("1", "1"), "u"));
        assert_eq!(changed(&a, &b), Image::ALL);
    }

    #[test]
    fn another_url_changes_only_what_came_from_there() {
        let (a, b) = (with("f@1", content("1", "1"), "u"), with("f@1", content("1", "1"), "v"));
        assert!(!changed(&a, &b).contains(&Image::Redis));
        assert!(changed(&a, &b).contains(&Image::Sanity));
    }
}
