//! Tags of prebuilt images: each is resolved to a digest once, and what that was is recorded as `NAME:TAG@DIGEST`. Pure.

/// What to do about an image that the spec names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// Use this.
    Keep(String),
    /// Ask its registry for the digest.
    Resolve,
}

/// `recorded` is what the status says of the component, `looked` whether it says so of this generation of the spec.
pub fn pin(given: &str, recorded: Option<&String>, looked: bool) -> Pin {
    if given.contains('@') || given.starts_with("localhost/") {
        // A digest already, or a name that means something on the nodes only.
        return Pin::Keep(given.to_owned());
    }
    match recorded {
        Some(recorded) if recorded.split_once('@').is_some_and(|(name, _)| name == given) => {
            Pin::Keep(recorded.clone())
        }
        // Nobody could be asked then; asking again would restart what runs.
        Some(_) if looked => Pin::Keep(given.to_owned()),
        _ => Pin::Resolve,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(image: &str) -> Pin {
        Pin::Keep(image.into())
    }

    #[test]
    fn a_digest_is_kept_and_a_tag_is_resolved_once() {
        assert_eq!(pin("q.io/x@sha256:1", None, false), keep("q.io/x@sha256:1"));
        assert_eq!(pin("q.io/x:1", None, false), Pin::Resolve);
        let recorded = "q.io/x:1@sha256:2".to_owned();
        assert_eq!(pin("q.io/x:1", Some(&recorded), true), keep(&recorded));
        assert_eq!(pin("q.io/x:1", Some(&recorded), false), keep(&recorded));
    }

    #[test]
    fn another_tag_is_resolved_again() {
        assert_eq!(pin("q.io/x:2", Some(&"q.io/x:1@sha256:2".to_owned()), false), Pin::Resolve);
    }

    #[test]
    fn what_could_not_be_resolved_stays_as_it_is_until_the_spec_changes() {
        let pulled = "q.io/x@sha256:3".to_owned();
        assert_eq!(pin("q.io/x:1", Some(&pulled), true), keep("q.io/x:1"));
        assert_eq!(pin("q.io/x:1", Some(&pulled), false), Pin::Resolve);
    }

    #[test]
    fn a_name_of_the_nodes_is_not_asked_for() {
        assert_eq!(pin("localhost/copr-x:1", None, false), keep("localhost/copr-x:1"));
    }
}
