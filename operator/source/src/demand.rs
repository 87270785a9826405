//! From folders and their commits to packages. Pure.

use std::collections::{BTreeMap, BTreeSet};

use copr_operator_api::v1alpha1::SourcePackage;

/// Digits of a commit that are kept: tito writes 7 of them into a release, Packit 9.
const DIGITS: usize = 12;

/// Copr's packages that images may have, and the folders that they are made from.
pub fn folders_of_copr() -> BTreeMap<String, String> {
    [
        ("copr-backend", "backend"),
        ("copr-builder", "rpmbuild"),
        ("copr-cli", "cli"),
        ("copr-dist-git", "dist-git"),
        ("copr-frontend", "frontend"),
        ("copr-keygen", "keygen"),
        ("copr-rpmbuild", "rpmbuild"),
        ("copr-selinux", "selinux"),
        ("python3-copr", "python"),
        ("python3-copr-common", "common"),
        ("python3-copr-messaging", "messaging"),
    ]
    .map(|(package, folder)| (package.to_owned(), folder.to_owned()))
    .into()
}

/// Each folder once.
pub fn distinct(folders: &BTreeMap<String, String>) -> BTreeSet<&str> {
    folders.values().map(String::as_str).collect()
}

/// The folders that have one of these files; every folder if the files aren't known.
pub fn changed<'a>(folders: &'a BTreeMap<String, String>, files: Option<&[String]>) -> BTreeSet<&'a str> {
    let all = distinct(folders);
    let Some(files) = files else { return all };
    let is_in =
        |file: &str, folder: &str| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    all.into_iter().filter(|folder| files.iter().any(|file| is_in(file, folder))).collect()
}

/// The packages of these folders, and the commits of which each must carry one.
pub fn packages(
    folders: &BTreeMap<String, String>,
    commits: &BTreeMap<&str, Vec<String>>,
) -> Vec<SourcePackage> {
    let of = |(name, folder): (&String, &String)| {
        let mut accepted: Vec<String> = Vec::new();
        for commit in commits.get(folder.as_str())? {
            let short = commit.get(..DIGITS).unwrap_or(commit);
            if !accepted.iter().any(|known| known == short) {
                accepted.push(short.to_owned());
            }
        }
        Some(SourcePackage {
            name: name.clone(),
            folder: folder.clone(),
            commits: accepted,
            ..SourcePackage::default()
        })
    };
    folders.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> BTreeMap<String, String> {
        [("copr-builder", "rpmbuild"), ("copr-rpmbuild", "rpmbuild"), ("copr-cli", "cli"), ("x", "a/b")]
            .map(|(package, folder)| (package.to_owned(), folder.to_owned()))
            .into()
    }

    #[test]
    fn a_folder_is_changed_by_the_files_below_it_and_by_no_other() {
        for (files, expected) in [
            (&["cli/copr_cli/main.py"][..], &["cli"][..]),
            (&["cli/a", "rpmbuild/b", "rpmbuild/c"], &["cli", "rpmbuild"]),
            (&["a/b/c"], &["a/b"]),
            (&["a/c", "client/x", "cli", "doc/cli/x", "README.md"], &[]),
            (&[], &[]),
        ] {
            let files: Vec<_> = files.iter().map(|&file| file.to_owned()).collect();
            let folders = folders();
            let found: Vec<_> = changed(&folders, Some(&files)).into_iter().collect();
            assert_eq!(found, expected, "{files:?}");
        }
        assert_eq!(changed(&folders(), None).len(), 3);
    }

    #[test]
    fn packages_of_one_folder_have_the_same_commits_each_once_and_short() {
        let one = "5d37cd838e4b1f6a2c0d9e8f7a6b5c4d3e2f1a0b".to_owned();
        let commits = BTreeMap::from([("rpmbuild", vec![one.clone(), one])]);
        let found = packages(&folders(), &commits);
        let told: Vec<_> = found.iter().map(|p| (p.name.as_str(), p.commits.join(" "))).collect();
        assert_eq!(
            told,
            [("copr-builder", "5d37cd838e4b".into()), ("copr-rpmbuild", "5d37cd838e4b".to_owned())]
        );
    }
}
