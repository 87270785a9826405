//! What a build may find in the repositories: what they had when the inputs were made from them. Pure.
//!
//! The tag of an image is the hash of its inputs, so what is built from something else must not get it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::candidates::{Content, Package, Packages};

/// What a build's request may have of NEVRAs: a ConfigMap has room for little more.
const NEVRAS_MAX: usize = 256 << 10;

/// What may be found, by name of the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected(BTreeMap<String, One>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum One {
    /// These packages and no other; more may come and go beside them.
    Packages(Vec<String>),
    /// This primary.xml and no other.
    Primary(String),
}

impl Expected {
    /// From what was read.
    pub fn new(contents: &[Content]) -> Self {
        let mut left = NEVRAS_MAX;
        let of = |content: &Content| {
            let primary = One::Primary(content.primary.clone());
            let one = match &content.packages {
                Packages::Whole => primary,
                Packages::Listed(packages) => {
                    let nevras: Vec<_> = packages.iter().map(Package::nevra).collect();
                    let length = nevras.iter().map(|nevra| nevra.len() + 8).sum();
                    match left.checked_sub(length) {
                        Some(rest) => {
                            left = rest;
                            One::Packages(nevras)
                        }
                        None => primary,
                    }
                }
            };
            (content.name.clone(), one)
        };
        Self(contents.iter().map(of).collect())
    }

    /// Writes what is known of a repository into its part of a request, with the packages from there that the image starts with.
    pub fn tell(&self, repository: &str, beneath: &[String], entry: &mut Value) {
        match self.0.get(repository) {
            Some(One::Packages(nevras)) => {
                let more = beneath.iter().filter(|nevra| !nevras.contains(nevra));
                entry["expected"] = nevras.iter().chain(more).cloned().collect();
            }
            Some(One::Primary(checksum)) => entry["primary"] = checksum.as_str().into(),
            None => {}
        }
    }

    /// What it takes up in memory, roughly.
    pub fn bytes(&self) -> usize {
        let of = |one: &One| match one {
            One::Packages(nevras) => nevras.iter().map(|nevra| nevra.len() + 40).sum(),
            One::Primary(checksum) => checksum.len(),
        };
        self.0.iter().map(|(name, one)| name.len() + of(one)).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn content(packages: Packages) -> Content {
        Content { name: "main".into(), priority: 1, primary: "sha256:1".into(), packages }
    }

    fn listed(count: usize) -> Packages {
        let package = |number| Package {
            name: format!("copr-{number}").into(),
            evr: "0:1-1".into(),
            source: None,
            arch: "noarch",
            checksum: [0; 32],
            own: crate::resolve::candidates::Own::default(),
            open: false,
        };
        Packages::Listed(Arc::new((0..count).map(package).collect()))
    }

    fn told(packages: Packages) -> Value {
        let mut entry = json!({});
        Expected::new(&[content(packages)]).tell(
            "main",
            &["copr-0-1-1.noarch".into(), "copr-0-1-0.noarch".into()],
            &mut entry,
        );
        entry
    }

    #[test]
    fn packages_are_told_by_name_with_those_beneath_as_long_as_there_is_room() {
        assert_eq!(told(listed(1)), json!({"expected": ["copr-0-1-1.noarch", "copr-0-1-0.noarch"]}));
        assert_eq!(told(listed(100_000)), json!({"primary": "sha256:1"}));
        assert_eq!(told(Packages::Whole), json!({"primary": "sha256:1"}));
    }
}
