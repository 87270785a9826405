//! What of a status stays where only suites are missing: what an instance runs doesn't change because a suite is added. Pure.

use copr_operator_api::{
    images::Image,
    v1alpha1::{CoprInstanceSpec, ImageStatus, PackagesStatus},
};

use super::builds::{is_awaited, needed};
use crate::resolve::spec_hash;

/// The images that stay as they are, though repositories are looked at again for the others. Nothing unless all that the instance
/// runs is there: images that its components run together come from repositories as they were at one moment.
pub fn kept(known: &PackagesStatus, spec: &CoprInstanceSpec) -> Vec<ImageStatus> {
    let of = |image: Image| {
        known.images.iter().find(|status| status.component == image.key() && status.state.is_there())
    };
    let needed = needed(spec);
    let missing = needed.iter().any(|image| is_awaited(*image, &needed) && of(*image).is_none());
    if missing || !spec_hash::is_but_for_suites(known, spec) {
        return Vec::new();
    }
    needed.into_iter().filter_map(of).cloned().collect()
}

#[cfg(test)]
mod tests {
    use copr_operator_api::v1alpha1::{ImageState, SuiteName};
    use serde_json::json;

    use super::*;

    fn spec(suites: &[SuiteName]) -> CoprInstanceSpec {
        let mut spec: CoprInstanceSpec = serde_json::from_value(json!({
            "chroots": ["fedora-44-x86_64"],
            "packages": {"repositories": [{"name": "main", "baseURL": "https://main.example/"}]},
            "registry": {"url": "quay.io/team"},
        }))
        .unwrap();
        spec.tests.suites = suites.to_vec();
        spec
    }

    fn known(spec: &CoprInstanceSpec) -> PackagesStatus {
        let image = |image: Image| ImageStatus {
            component: image.key().into(),
            state: ImageState::Pushed,
            ..ImageStatus::default()
        };
        PackagesStatus {
            spec_hash: spec_hash::spec_hash(spec),
            images: needed(spec).into_iter().map(image).collect(),
            ..PackagesStatus::default()
        }
    }

    fn names(known: &PackagesStatus, spec: &CoprInstanceSpec) -> Vec<String> {
        kept(known, spec).into_iter().map(|image| image.component).collect()
    }

    #[test]
    fn a_suite_that_is_added_leaves_the_others_alone_and_one_that_goes_is_gone() {
        let smoke = spec(&[SuiteName::Smoke]);
        let both = spec(&[SuiteName::Smoke, SuiteName::Upstream]);
        let before = known(&smoke);
        let all: Vec<_> = before.images.iter().map(|image| image.component.clone()).collect();
        assert_eq!(all.len(), 11);
        assert_eq!(names(&before, &both), all);
        assert_eq!(names(&known(&both), &smoke), all);
        assert_eq!(names(&known(&both), &both).len(), 12);
    }

    #[test]
    fn everything_is_looked_at_anew_with_what_the_instance_runs() {
        let (smoke, both) = (spec(&[SuiteName::Smoke]), spec(&[SuiteName::Smoke, SuiteName::Upstream]));
        let mut unfinished = known(&smoke);
        unfinished.images[3].state = ImageState::Building;
        assert!(kept(&unfinished, &both).is_empty());
        let mut other = both.clone();
        if let Some(packages) = &mut other.packages {
            packages.revision = Some("2".into());
        }
        assert!(kept(&known(&smoke), &other).is_empty());
    }
}
