//! References of images.

/// As in NAME[:TAG][@DIGEST].
#[derive(Debug, PartialEq, Eq)]
pub struct Image<'a> {
    /// Registry and path.
    pub repository: &'a str,
    /// Empty if there is none.
    pub tag: &'a str,
    /// Empty if there is none.
    pub digest: &'a str,
}

impl<'a> From<&'a str> for Image<'a> {
    fn from(reference: &'a str) -> Self {
        let (name, digest) = reference.split_once('@').unwrap_or((reference, ""));
        // A colon before the last slash is a port's.
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, tag),
            _ => (name, ""),
        };
        Self { repository, tag, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        for (reference, repository, tag, digest) in [
            ("localhost/copr-operator:latest", "localhost/copr-operator", "latest", ""),
            ("registry:5000/copr-operator", "registry:5000/copr-operator", "", ""),
            ("registry:5000/a/b@sha256:0f", "registry:5000/a/b", "", "sha256:0f"),
            ("quay.io/a/b:1.0@sha256:0f", "quay.io/a/b", "1.0", "sha256:0f"),
        ] {
            assert_eq!(Image::from(reference), Image { repository, tag, digest }, "{reference}");
        }
    }
}
