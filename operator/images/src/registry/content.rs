//! What a request carries, and where it goes. Pure.

use bytes::Bytes;
use reqwest::{
    RequestBuilder, Url,
    header::{CONTENT_RANGE, CONTENT_TYPE},
};

/// What a request carries.
pub(super) struct Content {
    pub type_: &'static str,
    /// Its first and last byte in the whole, if it is a part.
    pub range: Option<(u64, u64)>,
    pub bytes: Bytes,
}

impl Content {
    /// The request with it.
    pub fn add_to(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.header(CONTENT_TYPE, self.type_).body(self.bytes.clone());
        match self.range {
            Some((first, last)) => request.header(CONTENT_RANGE, format!("{first}-{last}")),
            None => request,
        }
    }
}

/// Where a path of a repository is, or what a registry said where to go on, and whether that is the registry itself.
pub(super) fn url(origin: &str, repository: &str, path: &str) -> Option<(Url, bool)> {
    let origin = Url::parse(origin).ok()?;
    if path.starts_with('/') {
        return Some((origin.join(path).ok().filter(|url| url.host() == origin.host())?, true));
    }
    if !path.starts_with("http://") && !path.starts_with("https://") {
        return Some((origin.join(&format!("/v2/{repository}/{path}")).ok()?, true));
    }
    let said = Url::parse(path).ok()?;
    if (said.host(), said.port()) != (origin.host(), origin.port()) {
        return Some((said, false));
    }
    // One behind a proxy may not know that it speaks TLS.
    let mut own = said;
    own.set_scheme(origin.scheme()).ok()?;
    Some((own, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_names_is_its_own_where_the_host_is() {
        let said = |path: &str| {
            let (url, is_own) = url("https://r.example:5000", "team/x", path)?;
            Some((url.to_string(), is_own))
        };
        let own = |path: &str| Some((format!("https://r.example:5000{path}"), true));
        assert_eq!(said("blobs/uploads/"), own("/v2/team/x/blobs/uploads/"));
        assert_eq!(said("/v2/team/x/blobs/uploads/1?_state=a"), own("/v2/team/x/blobs/uploads/1?_state=a"));
        assert_eq!(said("https://r.example:5000/u/1"), own("/u/1"));
        assert_eq!(said("http://r.example:5000/u/1"), own("/u/1"));
        assert_eq!(said("https://s3.example/u/1"), Some(("https://s3.example/u/1".into(), false)));
        assert_eq!(said("https://r.example/u/1"), Some(("https://r.example/u/1".into(), false)));
        assert_eq!(said("//s3.example/u/1"), None);
    }
}
