//! What a registry's answer means. Pure.

use reqwest::StatusCode;
use serde::Deserialize;

/// What is to be made of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It's what was asked for.
    Fine,
    /// There is no such thing.
    NotThere,
    /// The credentials don't suffice. Many registries say this of what doesn't exist, too.
    Denied,
    /// The registry is busy or unwell: the same request may succeed a moment later.
    Passing,
    /// Anything else.
    Other,
}

/// The error codes of the distribution specification.
#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    errors: Vec<Code>,
}

#[derive(Deserialize)]
struct Code {
    #[serde(default)]
    code: String,
}

/// The error codes in a body. Nothing else of it: whoever writes a host into a spec must not read through the operator.
pub fn codes(body: &[u8]) -> Vec<String> {
    let envelope = serde_json::from_slice::<Envelope>(body);
    let is_code = |code: &String| {
        !code.is_empty() && code.len() <= 40 && code.chars().all(|c| c.is_ascii_uppercase() || c == '_')
    };
    envelope.map_or(Vec::new(), |e| e.errors.into_iter().map(|c| c.code).filter(is_code).take(3).collect())
}

/// What an answer with this status and these error codes means.
pub fn meaning(status: StatusCode, codes: &[String]) -> Meaning {
    let says = |wanted: &[&str]| codes.iter().any(|code| wanted.contains(&code.as_str()));
    match status.as_u16() {
        200..300 => Meaning::Fine,
        404 => Meaning::NotThere,
        400..500 if says(&["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND", "BLOB_UNKNOWN"]) => {
            Meaning::NotThere
        }
        // Docker Hub limits requests with 429, others say TOOMANYREQUESTS with 403.
        408 | 425 | 429 | 500..600 => Meaning::Passing,
        400..500 if says(&["TOOMANYREQUESTS"]) => Meaning::Passing,
        401 | 403 => Meaning::Denied,
        _ => Meaning::Other,
    }
}

/// An answer in a few words: `401 UNAUTHORIZED`.
pub fn words(status: StatusCode, codes: &[String]) -> String {
    if codes.is_empty() { status.to_string() } else { format!("{} {}", status.as_u16(), codes.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_say_the_same_in_different_ways() {
        let rows = [
            (
                "distribution: no such image",
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#,
                Meaning::NotThere,
            ),
            ("ECR: no such repository", 404, r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#, Meaning::NotThere),
            ("Quay: no such repository", 401, r#"{"errors":[{"code":"UNAUTHORIZED"}]}"#, Meaning::Denied),
            ("GHCR: no such package", 403, r#"{"errors":[{"code":"DENIED"}]}"#, Meaning::Denied),
            (
                "Docker Hub: too much at a time",
                429,
                r#"{"errors":[{"code":"TOOMANYREQUESTS"}]}"#,
                Meaning::Passing,
            ),
            ("a proxy before it is ill", 502, "<html>", Meaning::Passing),
            ("an old registry", 400, r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#, Meaning::NotThere),
            ("no registry at all", 418, "teapot", Meaning::Other),
            ("fine", 200, "{}", Meaning::Fine),
        ];
        for (what, status, body, expected) in rows {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(meaning(status, &codes(body.as_bytes())), expected, "{what}");
        }
    }

    #[test]
    fn words_are_the_status_and_the_codes_and_nothing_else_of_the_body() {
        let body = br#"{"errors":[{"code":"DENIED","message":"internal"},{"code":"<script>"}]}"#;
        assert_eq!(words(StatusCode::FORBIDDEN, &codes(body)), "403 DENIED");
        assert_eq!(words(StatusCode::FORBIDDEN, &codes(b"internal")), "403 Forbidden");
    }
}
