//! Text as Markdown shows it and nothing else. What a test says is whatever a build printed.

use std::fmt::Write as _;

/// As code: on a forge nobody is mentioned and no issue is referred to from within.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// Everything that could be markup as a character reference, and all on one line.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            c if c.is_control() || c.is_whitespace() => escaped.push(' '),
            c if c.is_ascii_punctuation()
                && !matches!(c, '.' | ',' | ':' | ';' | '/' | '-' | '=' | '%' | '\'') =>
            {
                // Writing into a String cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_says_is_no_markup() {
        assert_eq!(code("a | b\n<!-- x -->"), "<code>a &#124; b &#60;&#33;-- x --&#62;</code>");
        assert_eq!(
            escape("@team `x` #12 **y** [z](u)"),
            "&#64;team &#96;x&#96; &#35;12 &#42;&#42;y&#42;&#42; &#91;z&#93;&#40;u&#41;"
        );
        assert_eq!(escape("libsolv.so.1: not found, 5 %"), "libsolv.so.1: not found, 5 %");
    }
}
