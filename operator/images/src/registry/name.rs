//! Names of images, taken apart. Pure.

use std::str::FromStr as _;

use oci_spec::distribution::Reference;

use super::Error;

/// What Docker Hub is called in names of images.
pub const HUB: &str = "docker.io";
/// Where Docker Hub's API answers.
const HUB_API: &str = "registry-1.docker.io";

/// An image: where it is, what it's called there, and which one of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The whole name, as it was written.
    pub text: String,
    /// Host, and port if there is one. Docker Hub is always `docker.io`.
    pub host: String,
    /// The path.
    pub repository: String,
    /// A digest, or a tag.
    pub reference: String,
}

impl Name {
    /// The parts of a name.
    pub fn parse(image: &str) -> Result<Self, Error> {
        let parsed = Reference::from_str(image)
            .map_err(|error| Error::Reference { image: image.to_owned(), why: error.to_string() })?;
        let reference = parsed.digest().or(parsed.tag()).unwrap_or("latest").to_owned();
        Ok(Self {
            text: image.to_owned(),
            host: canonical(parsed.registry()),
            repository: parsed.repository().to_owned(),
            reference,
        })
    }

    /// Where its registry answers.
    pub fn endpoint(&self) -> &str {
        if self.host == HUB { HUB_API } else { &self.host }
    }

    /// The same repository, another image.
    #[must_use]
    pub fn with(&self, reference: &str) -> Self {
        let separator = if reference.contains(':') { '@' } else { ':' };
        Self {
            text: format!("{}/{}{separator}{reference}", self.host, self.repository),
            reference: reference.to_owned(),
            ..self.clone()
        }
    }
}

/// One name for hosts that are the same registry.
pub fn canonical(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    match host.as_str() {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => HUB.to_owned(),
        _ => host,
    }
}

/// The host of an image.
pub fn host(image: &str) -> Option<String> {
    Name::parse(image).ok().map(|name| name.host)
}

/// The host of the prefix that images of a registry have in common.
pub fn host_of_prefix(prefix: &str) -> Option<String> {
    host(&format!("{prefix}/x"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_told_from_a_path() {
        let host = |image| host(image).unwrap();
        assert_eq!(host("registry.kube-registry.svc:5000/copr/x:1"), "registry.kube-registry.svc:5000");
        assert_eq!(host("localhost/copr-x:1"), "localhost");
        assert_eq!(host("fedora:44"), HUB);
    }

    #[test]
    fn docker_hub_has_one_name_and_answers_elsewhere() {
        for image in
            ["docker.io/you/x:1", "index.docker.io/you/x:1", "registry-1.docker.io/you/x:1", "you/x:1"]
        {
            let name = Name::parse(image).unwrap();
            assert_eq!((name.host.as_str(), name.repository.as_str()), (HUB, "you/x"), "{image}");
            assert_eq!(name.endpoint(), "registry-1.docker.io");
        }
        assert_eq!(Name::parse("docker.io/fedora:44").unwrap().repository, "library/fedora");
        assert_eq!(host_of_prefix("docker.io/you").as_deref(), Some(HUB));
    }

    #[test]
    fn a_digest_says_more_than_a_tag() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let name = Name::parse(&format!("quay.io/a/b:1@{digest}")).unwrap();
        assert_eq!(name.reference, digest);
        assert_eq!(name.with("2").text, "quay.io/a/b:2");
        assert_eq!(name.with(&digest).text, format!("quay.io/a/b@{digest}"));
    }
}
