//! Sections of INI files that Copr reads by ConfigParser.

use std::collections::BTreeMap;

/// A section: the operator's settings, each replaced where `extraConfig` has the same key, then the other keys of `extraConfig`.
/// Which of the operator's settings may be replaced is decided by the rules of the API.
pub fn section(name: &str, settings: &[(&str, String)], extra: &BTreeMap<String, String>) -> String {
    let ours = settings.iter().map(|(key, value)| (*key, extra.get(*key).unwrap_or(value)));
    let beside = extra.iter().map(|(key, value)| (key.as_str(), value));
    let beside = beside.filter(|(key, _)| settings.iter().all(|(ours, _)| ours != key));
    // Copr reads the file with Python's interpolation, in which a % is written as %%.
    let lines = ours.chain(beside).map(|(key, value)| format!("{key} = {}\n", value.replace('%', "%%")));
    format!("[{name}]\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    #[test]
    fn settings_are_overridden_in_their_place_and_added_at_the_end() {
        let extra = [("b", "2%"), ("d", "4")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings = [("a", "1".to_owned()), ("b", "1".to_owned()), ("c", "%(x)s".to_owned())];
        let text = super::section("s", &settings, &extra.into());
        assert_eq!(text, "[s]\na = 1\nb = 2%%\nc = %%(x)s\nd = 4\n");
    }
}
