//! What an image is built from, as one hash: its tag in the registry. Pure.

use std::collections::{BTreeMap, BTreeSet};

use copr_operator_api::{images::Image, v1alpha1::Repository};
use sha2::{Digest, Sha256};

use super::candidates::{Choice, Content, Packages, Picked};
use crate::context;

/// Raised when an image comes out different for another reason than its inputs: the way it is built.
const FORMAT: &str = "2";
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
    /// Versions that the spec wants of packages by name.
    pub pins: &'a BTreeMap<String, String>,
    /// Architecture in rpm's words.
    pub arch: &'a str,
}

/// The hash of the inputs of each image. Those that are `kept` have theirs: what starts from them starts from what they are.
pub fn hashes(inputs: Inputs<'_>, kept: BTreeMap<Image, String>) -> BTreeMap<Image, String> {
    let choice = Choice::new(inputs.contents, inputs.arch, inputs.pins);
    let mut hashes = kept;
    // In this order an image comes after what it starts from.
    for image in Image::ALL {
        if !hashes.contains_key(&image) {
            let from = image.starts_from().and_then(|from| hashes.get(&from));
            let from = from.map_or(inputs.base_image, String::as_str);
            let hash = hash(image, from, &choice, inputs);
            hashes.insert(image, hash);
        }
    }
    hashes
}

fn hash(image: Image, from: &str, choice: &Choice<'_>, inputs: Inputs<'_>) -> String {
    let mut hasher = Hasher::default();
    hasher.add(&[FORMAT, image.folder(), inputs.arch, from]);
    for (name, content) in context::files(image) {
        hasher.add(&[&name, &hex::encode(Sha256::digest(&content))]);
    }
    hasher.add_packages(&choice.resolve(&context::installs(image)), inputs.repositories);
    if inputs.contents.iter().any(|content| matches!(content.packages, Packages::Whole)) {
        // The packages of one repository at least weren't read one by one, so it's unknown which of them the pins choose: the pins
        // count themselves.
        for (name, version) in inputs.pins {
            hasher.add(&[name, version]);
        }
    }
    hasher.finish()
}

/// Parts are told apart by their lengths.
#[derive(Default)]
pub(super) struct Hasher(Sha256);

impl Hasher {
    pub(super) fn add(&mut self, parts: &[&str]) {
        for part in parts {
            self.0.update(part.len().to_le_bytes());
            self.0.update(part.as_bytes());
        }
    }

    fn add_packages(&mut self, picked: &BTreeSet<Picked>, repositories: &[Repository]) {
        for Picked { repository, nevra, checksum } in picked {
            self.add(&[repository, nevra, &hex::encode(checksum)]);
        }
        // The image's labels name the URLs that its packages came from, so other URLs make it another image.
        let serving: BTreeSet<_> = picked.iter().map(|p| p.repository.as_str()).collect();
        for repository in repositories.iter().filter(|r| serving.contains(r.name.as_str())) {
            self.add(&[&repository.base_url, repository.gpg_key.as_deref().unwrap_or_default()]);
        }
    }

    pub(super) fn finish(self) -> String {
        let mut text = hex::encode(self.0.finalize());
        text.truncate(LENGTH);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::resolve::candidates::{Own, Package, is_copr};

    fn package(name: &str, release: &str, wants: &[&str]) -> Package {
        Package {
            name: name.into(),
            evr: format!("0:1-{release}").into(),
            source: None,
            arch: "noarch",
            checksum: Sha256::digest(format!("{name}-{release}")).into(),
            own: Own {
                provides: [name.into()].into(),
                wants: wants.iter().map(|&want| want.into()).collect(),
                follows: Box::default(),
            },
            open: !is_copr(name),
        }
    }

    /// As Copr's packages depend on each other.
    fn content(keygen: &str, common: &str) -> Content {
        let packages = vec![
            package("copr-keygen", keygen, &["python3-copr-common"]),
            package("copr-frontend", "1", &["python3-copr-common"]),
            package("copr-frontend-fedora", "1", &[]),
            package("copr-builder", "1", &[]),
            package("resalloc", "1", &[]),
            package("copr-backend", "1", &["python3-copr-common", "python3-copr"]),
            package("copr-dist-git", "1", &["python3-copr-common"]),
            package("copr-rpmbuild", "1", &["python3-copr-common"]),
            package("copr-cli", "1", &["python3-copr"]),
            package("python3-copr", "1", &[]),
            package("python3-copr-common", common, &[]),
            package("resalloc-server", "1", &[]),
        ];
        let packages = Packages::Listed(Arc::new(packages));
        Content { name: "main".into(), priority: 50, primary: "sha256:0".into(), packages }
    }

    fn repository(url: &str) -> Repository {
        Repository {
            name: "main".into(),
            base_url: url.into(),
            priority: 50,
            gpg_key: None,
            credentials_secret: None,
            ca_config_map: None,
        }
    }

    fn with(base_image: &str, content: Content, url: &str) -> BTreeMap<Image, String> {
        let (contents, repositories) = ([content], [repository(url)]);
        let pins = &BTreeMap::new();
        let all =
            Inputs { base_image, repositories: &repositories, contents: &contents, pins, arch: "x86_64" };
        hashes(all, BTreeMap::new())
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
    fn what_is_kept_is_what_a_suite_starts_from() {
        let (before, contents) = (with("f@1", content("1", "1"), "u"), [content("2", "2")]);
        let kept: BTreeMap<_, _> =
            before.clone().into_iter().filter(|(image, _)| !image.is_of_suite()).collect();
        let pins = &BTreeMap::new();
        let repositories = [repository("u")];
        let inputs = Inputs {
            base_image: "f@2",
            repositories: &repositories,
            contents: &contents,
            pins,
            arch: "x86_64",
        };
        // Nothing of what these two install is another one.
        assert_eq!(hashes(inputs, kept), before);
        assert_eq!(changed(&hashes(inputs, BTreeMap::new()), &before), Image::ALL);
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

    #[test]
    fn what_no_one_of_copr_asks_for_may_be_in_every_image() {
        let with_flask = |release| {
            let mut content = content("1", "1");
            if let Packages::Listed(packages) = &mut content.packages {
                Arc::make_mut(packages).push(package("python3-werkzeug", release, &[]));
            }
            with("f@1", content, "u")
        };
        assert_eq!(changed(&with_flask("1"), &with_flask("2")), Image::ALL);
    }
}
