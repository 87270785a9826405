//! Errors as people read them: the whole chain, once, without what kube repeats.

use std::error::Error;

use jiff::SignedDuration;

/// The chain of an error on one line, at most 1024 characters.
///
/// Some errors, kube's own among them, print their source already: what is there isn't said again. Of an answer of the API server
/// only its message is shown.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(current) = next {
        let boxed = || current.downcast_ref::<Box<kube::Error>>().map(AsRef::as_ref);
        let (words, source) = match current.downcast_ref::<kube::Error>().or_else(boxed) {
            Some(kube::Error::Api(status)) => (status.message.clone(), None),
            _ => (current.to_string(), current.source()),
        };
        if !text.contains(&words) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&words);
        }
        next = source;
    }
    truncate(text, 1024)
}

/// The text, cut at a character boundary.
pub fn truncate(mut text: String, max: usize) -> String {
    if text.len() > max {
        let mut end = max.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The end of a text, cut at a character boundary.
pub fn tail(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut begin = text.len() - max.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(begin) {
        begin += 1;
    }
    format!("…{}", text.get(begin..).unwrap_or_default())
}

/// A duration as the spec writes it: `41s`, `1m5s`, `1h0m5s`.
pub fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to read {name}")]
    struct Outer {
        name: &'static str,
        #[source]
        source: std::io::Error,
    }

    #[test]
    fn chain_names_every_cause_once() {
        let error = Outer { name: "the Secret x", source: std::io::Error::other("refused") };
        assert_eq!(chain(&error), "failed to read the Secret x: refused");
    }

    #[test]
    fn of_an_answer_of_the_api_server_only_its_message_is_shown() {
        let answer = kube::core::Status::failure("it is forbidden", "Forbidden");
        let error = crate::apply::Error::Apply {
            kind: "Secret".into(),
            name: "x".into(),
            source: Box::new(kube::Error::Api(Box::new(answer))),
        };
        assert_eq!(chain(&error), "failed to apply Secret x: it is forbidden");
    }

    #[test]
    fn of_a_server_that_can_t_be_reached_the_innermost_cause_is_shown() {
        let refused = Outer { name: "from the socket", source: std::io::Error::other("Connection refused") };
        let error =
            Outer { name: "the run", source: std::io::Error::other(kube::Error::Service(refused.into())) };
        assert_eq!(
            chain(&error),
            "failed to read the run: ServiceError: failed to read from the socket: Connection refused"
        );
    }

    #[test]
    fn truncate_keeps_characters_whole() {
        assert_eq!(truncate("ääää".into(), 6), "ä…");
        assert_eq!(truncate("short".into(), 6), "short");
        assert_eq!(tail("ääää", 6), "…ä");
        assert_eq!(tail("short", 6), "short");
    }
}
