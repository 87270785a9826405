//! Python literals.

use serde_json::Value;

/// A text.
pub fn text(value: &str) -> String {
    let escaped = value.chars().map(|c| match c {
        '\\' | '\'' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        c if c.is_control() => format!("\\x{:02x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("'{}'", escaped.collect::<String>())
}

/// A value of any type.
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::String(string) => text(string),
        Value::Array(items) => format!("[{}]", items.iter().map(self::value).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, entry)| format!("{}: {}", text(key), self::value(entry)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn quotes_backslashes_and_newlines_stay_inside_the_literal() {
        assert_eq!(super::text("a'b\\c\nd\t"), r"'a\'b\\c\nd\x09'");
        // C1 controls are two bytes in UTF-8, and one character to Python.
        assert_eq!(super::text("\u{85}ü"), r"'\x85ü'");
    }

    #[test]
    fn values_keep_their_types() {
        let value = json!({"a": [1, -2.5, true, null], "b'": {"c": "d"}});
        assert_eq!(super::value(&value), r"{'a': [1, -2.5, True, None], 'b\'': {'c': 'd'}}");
    }
}
