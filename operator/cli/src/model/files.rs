//! Files named after tests, whose names may be anything.

use std::collections::HashSet;

/// Names of files end here, with room for a number.
const MAX: usize = 80;

/// A name for a test's folder that no other test has, and that leads nowhere else.
pub fn name(test: &str, taken: &mut HashSet<String>) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let mut name: String = test.chars().map(fits).take(MAX).collect();
    if name.is_empty() || name.starts_with('.') || name.starts_with('-') {
        name.insert(0, '_');
    }
    // Some file systems don't tell capitals from small letters.
    let mut free = name.clone();
    let mut number = 1;
    while !taken.insert(free.to_ascii_lowercase()) {
        number += 1;
        free = format!("{name}-{number}");
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_folder_and_is_its_own() {
        let mut taken = HashSet::new();
        let names: Vec<_> = ["build-spec", "../../etc", "/a b", "_a_b", "Build-Spec", "-rf"]
            .map(|test| name(test, &mut taken))
            .into();
        assert_eq!(names, ["build-spec", "_.._.._etc", "_a_b", "_a_b-2", "Build-Spec-2", "_-rf"]);
        assert_eq!(name(&"ä".repeat(100), &mut taken).len(), 80);
    }
}
