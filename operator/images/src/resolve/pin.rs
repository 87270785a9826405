//! Tags of prebuilt images: each is resolved to a digest once, and used as `NAME:TAG@DIGEST`. Pure.

use copr_operator_api::v1alpha1::ResolvedTag;

/// What to do about an image that the spec names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// Use it as it is: it's a digest already, or a name that means something on the nodes only.
    Given,
    /// Use what was found when the spec first named it.
    Known(ResolvedTag),
    /// Ask its registry for the digest.
    Resolve,
}

/// What the status has to say of a component's image.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recorded<'a> {
    /// What was found out about its tag.
    pub resolved: Option<&'a ResolvedTag>,
    /// The image that runs. Versions before `status.resolved` wrote down here what they had found.
    pub runs: Option<&'a String>,
    /// Whether the status is about this generation of the spec.
    pub is_current: bool,
}

/// What to do about an image, `given` as in the spec.
pub fn pin(given: &str, recorded: Recorded<'_>) -> Pin {
    if given.contains('@') || given.starts_with("localhost/") {
        return Pin::Given;
    }
    let known = |digest| Pin::Known(ResolvedTag { image: given.to_owned(), digest, message: None });
    if let Some(resolved) = recorded.resolved {
        // If the names differ, the spec names another image than when the tag was resolved.
        return if resolved.image == given { Pin::Known(resolved.clone()) } else { Pin::Resolve };
    }
    match recorded.runs.map(|runs| (runs.split_once('@'), recorded.is_current)) {
        Some((Some((name, digest)), _)) if name == given => known(Some(digest.to_owned())),
        // An earlier version of the operator ran this image by its tag, as no registry told it a digest. A digest that is found
        // only now would change the pod's template, and restart what runs.
        Some((_, true)) => known(None),
        _ => Pin::Resolve,
    }
}

/// The image as pods are given it.
pub fn reference(resolved: &ResolvedTag) -> String {
    match &resolved.digest {
        Some(digest) => format!("{}@{digest}", resolved.image),
        None => resolved.image.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(image: &str, digest: Option<&str>) -> ResolvedTag {
        ResolvedTag { image: image.into(), digest: digest.map(str::to_owned), message: None }
    }

    fn resolved(resolved: &ResolvedTag) -> Recorded<'_> {
        Recorded { resolved: Some(resolved), ..Recorded::default() }
    }

    #[test]
    fn a_digest_is_kept_and_a_tag_is_resolved_once() {
        assert_eq!(pin("q.io/x@sha256:1", Recorded::default()), Pin::Given);
        assert_eq!(pin("q.io/x:1", Recorded::default()), Pin::Resolve);
        let known = tag("q.io/x:1", Some("sha256:2"));
        assert_eq!(pin("q.io/x:1", resolved(&known)), Pin::Known(known.clone()));
        assert_eq!(reference(&known), "q.io/x:1@sha256:2");
    }

    #[test]
    fn another_tag_is_resolved_again() {
        let known = tag("q.io/x:1", Some("sha256:2"));
        assert_eq!(pin("q.io/x:2", Recorded { is_current: true, ..resolved(&known) }), Pin::Resolve);
    }

    #[test]
    fn what_could_not_be_resolved_stays_a_tag_whatever_else_of_the_spec_changes() {
        let unknown = ResolvedTag { message: Some("away".into()), ..tag("q.io/x:1", None) };
        let pulled = "q.io/x@sha256:3".to_owned();
        for is_current in [true, false] {
            let recorded = Recorded { runs: Some(&pulled), is_current, ..resolved(&unknown) };
            assert_eq!(pin("q.io/x:1", recorded), Pin::Known(unknown.clone()));
        }
        assert_eq!(reference(&unknown), "q.io/x:1");
    }

    #[test]
    fn what_an_earlier_version_found_is_taken_over() {
        let runs = |runs, is_current| Recorded { runs: Some(runs), is_current, resolved: None };
        let pinned = "q.io/x:1@sha256:2".to_owned();
        for is_current in [true, false] {
            let known = Pin::Known(tag("q.io/x:1", Some("sha256:2")));
            assert_eq!(pin("q.io/x:1", runs(&pinned, is_current)), known);
        }
        let pulled = "q.io/x@sha256:3".to_owned();
        assert_eq!(pin("q.io/x:1", runs(&pulled, true)), Pin::Known(tag("q.io/x:1", None)));
        assert_eq!(pin("q.io/x:1", runs(&pulled, false)), Pin::Resolve);
    }

    #[test]
    fn a_name_of_the_nodes_is_not_asked_for() {
        assert_eq!(pin("localhost/copr-x:1", Recorded::default()), Pin::Given);
    }
}
