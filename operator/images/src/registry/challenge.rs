//! How a registry wants its clients to authenticate. Pure.

use reqwest::{
    Url,
    header::{HeaderMap, WWW_AUTHENTICATE},
};

/// What the `WWW-Authenticate` of an answer asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Nothing.
    Open,
    /// User and password with every request.
    Basic,
    /// A token of a token service.
    Token {
        /// Where the service is.
        realm: String,
        /// What the registry is called there.
        service: Option<String>,
    },
}

/// The challenge of an answer that said 401. One that can't be read is taken for Basic.
pub fn challenge(headers: &HeaderMap) -> Challenge {
    let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let parsed: Vec<_> = texts.filter_map(|text| http_auth::parse_challenges(text).ok()).flatten().collect();
    let token = parsed.iter().find(|c| c.scheme.eq_ignore_ascii_case("bearer")).and_then(|bearer| {
        let parameter = |name: &str| {
            let found = bearer.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        Some(Challenge::Token { realm: parameter("realm")?, service: parameter("service") })
    });
    token.unwrap_or(Challenge::Basic)
}

/// Where a token is to be had: for a scope, or just to find out whether user and password are good.
pub fn token_url(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Url> {
    let mut url = Url::parse(realm).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    {
        let mut query = url.query_pairs_mut();
        for (name, value) in [("service", service), ("scope", scope)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Challenge {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        challenge(&headers)
    }

    #[test]
    fn a_token_service_is_found_wherever_it_stands() {
        let bearer = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="x""#;
        let hub = Challenge::Token {
            realm: "https://auth.docker.io/token".into(),
            service: Some("registry.docker.io".into()),
        };
        assert_eq!(of(&[bearer]), hub);
        // OpenShift has both.
        assert_eq!(of(&[r#"Basic realm="openshift""#, bearer]), hub);
        assert_eq!(of(&[r#"Basic realm="x""#]), Challenge::Basic);
        assert_eq!(of(&[]), Challenge::Basic);
    }

    #[test]
    fn a_scope_is_asked_for_beside_what_the_realm_asks_itself() {
        let url = token_url("https://a/token?x=1", Some("s"), Some("repository:a/b:pull,push")).unwrap();
        assert_eq!(url.as_str(), "https://a/token?x=1&service=s&scope=repository%3Aa%2Fb%3Apull%2Cpush");
        assert_eq!(token_url("file:///etc/passwd", None, None), None);
    }
}
