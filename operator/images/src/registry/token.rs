//! What a token service is asked, and what it gives. Pure.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

/// What a token lives that doesn't say how long (by the token specification), and how long before its end it's renewed.
const LIFE: u64 = 60;
const MARGIN: u64 = 10;

/// A token, or how it was refused.
pub enum Granted {
    /// To be shown to the registry.
    Token(String),
    /// The service's answer.
    Refused(String),
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the specification's names")]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// The token in an answer, and how long it's good.
pub fn parse(body: &[u8]) -> Option<(String, Duration)> {
    let token: Token = serde_json::from_slice(body).ok()?;
    let life = token.expires_in.unwrap_or(LIFE).saturating_sub(MARGIN);
    let text = token.token.or(token.access_token).filter(|text| !text.is_empty())?;
    Some((text, Duration::from_secs(life)))
}

/// Where an identity token is exchanged, and the form to send there.
pub fn exchange(url: &Url, identity: &str) -> (Url, String) {
    let mut form = url.clone();
    form.query_pairs_mut()
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", "copr-operator")
        .append_pair("refresh_token", identity);
    let body = form.query().unwrap_or_default().to_owned();
    form.set_query(None);
    (form, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_two_names_and_an_end() {
        let seconds = Duration::from_secs;
        assert_eq!(parse(br#"{"token":"t","expires_in":300}"#), Some(("t".into(), seconds(290))));
        assert_eq!(parse(br#"{"access_token":"a"}"#), Some(("a".into(), seconds(50))));
        assert_eq!(parse(br#"{"token":"","expires_in":5}"#), None);
        assert_eq!(parse(b"<html>"), None);
    }

    #[test]
    fn an_identity_token_is_never_in_a_url() {
        let url = Url::parse("https://a/token?service=s&scope=x").unwrap();
        let (url, body) = exchange(&url, "secret&more");
        assert_eq!(url.as_str(), "https://a/token");
        assert!(body.starts_with("service=s&scope=x&grant_type=refresh_token"), "{body}");
        assert!(body.ends_with("refresh_token=secret%26more"), "{body}");
    }
}
