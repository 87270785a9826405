//! Whether what was installed is what the spec requires. Pure.

use std::collections::BTreeSet;

use rpmrepo_metadata::Nevra;

use crate::api::v1alpha1::{ImageStatus, InstalledPackage, Packages, Repository, Require};

/// What of `packages.require` doesn't hold, as a sentence; nothing if all does.
pub fn unmet(spec: &Packages, images: &[ImageStatus]) -> Option<String> {
    let Require { commit, versions } = spec.require.as_ref()?;
    let mut problems = Vec::new();
    if let Some(commit) = commit {
        problems.extend(of_commit(commit, &spec.repositories, images));
    }
    for (name, version) in versions.iter().flatten() {
        problems.extend(of_version(name, version, &spec.repositories, images));
    }
    (!problems.is_empty()).then(|| problems.join("; "))
}

fn of_commit(commit: &str, repositories: &[Repository], images: &[ImageStatus]) -> Vec<String> {
    let Some(first) = repositories.iter().map(|r| r.priority).min() else { return Vec::new() };
    let preferred: BTreeSet<_> =
        repositories.iter().filter(|r| r.priority == first).map(|r| r.name.as_str()).collect();
    let installed: BTreeSet<_> = images
        .iter()
        .flat_map(|image| &image.packages)
        .filter(|package| preferred.contains(package.repository.as_str()))
        .collect();
    if installed.is_empty() {
        let names = preferred.into_iter().collect::<Vec<_>>().join(", ");
        return vec![format!("require.commit is {commit}, but no package was installed from {names}")];
    }
    installed
        .into_iter()
        .filter(|package| !names_commit(Nevra::parse(&package.nevra).release(), commit))
        .map(|package| format!("require.commit is {commit}, but {}", served(package, repositories)))
        .collect()
}

/// Whether a release such as `1.git.5.5d37cd8.fc44` or `0.2026.pr4305.38.g5d37cd838` names the commit.
fn names_commit(release: &str, commit: &str) -> bool {
    release.split(['.', '_', '~', '^', '+']).any(|part| {
        let hash = part.strip_prefix('g').unwrap_or(part);
        let hexadecimal = hash.len() >= 7 && hash.chars().all(|c| c.is_ascii_hexdigit());
        hexadecimal && (hash.starts_with(commit) || commit.starts_with(hash))
    })
}

fn of_version(name: &str, version: &str, repositories: &[Repository], images: &[ImageStatus]) -> Vec<String> {
    let installed: BTreeSet<_> = images
        .iter()
        .flat_map(|image| &image.packages)
        .filter(|package| Nevra::parse(&package.nevra).name() == name)
        .collect();
    if installed.is_empty() {
        return vec![format!(
            "require.versions wants {name} {version}, but no image has it from packages.repositories"
        )];
    }
    installed
        .into_iter()
        .filter(|package| !is_version(&Nevra::parse(&package.nevra), version))
        .map(|package| {
            format!("require.versions wants {name} {version}, but {}", served(package, repositories))
        })
        .collect()
}

fn is_version(installed: &Nevra<'_>, wanted: &str) -> bool {
    let (epoch, rest) = wanted.split_once(':').unwrap_or(("", wanted));
    let (version, release) = rest.split_once('-').unwrap_or((rest, ""));
    let normal = |epoch: &str| if epoch.is_empty() { "0".to_owned() } else { epoch.to_owned() };
    normal(installed.epoch()) == normal(epoch)
        && installed.version() == version
        && (release.is_empty() || installed.release() == release)
}

fn served(package: &InstalledPackage, repositories: &[Repository]) -> String {
    let url = repositories.iter().find(|r| r.name == package.repository).map_or("?", |r| r.base_url.as_str());
    format!("{} ({url}) served {}", package.repository, package.nevra)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::api::v1alpha1::Build;

    fn spec(require: Require) -> Packages {
        let repository = |name: &str, priority| Repository {
            name: name.into(),
            base_url: format!("https://{name}.example/"),
            priority,
            gpg_key: None,
            credentials_secret: None,
        };
        Packages {
            base_image: "fedora:44".into(),
            repositories: vec![repository("main", 50), repository("pr", 10)],
            require: Some(require),
            revision: None,
            build: Build::default(),
        }
    }

    fn commit(commit: &str) -> Packages {
        spec(Require { commit: Some(commit.into()), versions: None })
    }

    fn version(name: &str, version: &str) -> Packages {
        spec(Require { commit: None, versions: Some(BTreeMap::from([(name.into(), version.into())])) })
    }

    fn images(packages: &[(&str, &str)]) -> Vec<ImageStatus> {
        let packages = packages
            .iter()
            .map(|(nevra, repository)| InstalledPackage {
                nevra: (*nevra).into(),
                repository: (*repository).into(),
            })
            .collect();
        vec![ImageStatus { component: "keygen".into(), packages, ..ImageStatus::default() }]
    }

    #[test]
    fn a_commit_is_looked_for_in_the_preferred_repository_only() {
        let images = images(&[
            ("copr-keygen-2.2-1.git.5.5d37cd8.fc44.noarch", "pr"),
            ("copr-common-1.7-1.fc44.noarch", "main"),
        ]);
        assert_eq!(unmet(&commit("5d37cd838a"), &images), None);
        let said = unmet(&commit("aaaaaaaa"), &images).unwrap();
        assert!(
            said.contains("pr (https://pr.example/) served copr-keygen-2.2-1.git.5.5d37cd8.fc44.noarch"),
            "{said}"
        );
    }

    #[test]
    fn a_commit_that_nothing_was_installed_of_is_unmet() {
        let said = unmet(&commit("5d37cd8"), &images(&[("copr-keygen-2.2-1.fc44.noarch", "main")])).unwrap();
        assert!(said.contains("no package was installed from pr"), "{said}");
    }

    #[test]
    fn packits_way_to_name_a_commit_counts() {
        assert!(names_commit("0.20260806123456.pr4305.38.g5d37cd838.fc44", "5d37cd838"));
        assert!(!names_commit("0.20260806123456.fc44", "5d37cd838"));
    }

    #[test]
    fn versions_are_compared_as_far_as_they_are_given() {
        let images = images(&[("copr-frontend-1:2.7-1.fc44.noarch", "main")]);
        assert_eq!(unmet(&version("copr-frontend", "1:2.7"), &images), None);
        assert_eq!(unmet(&version("copr-frontend", "1:2.7-1.fc44"), &images), None);
        let said = unmet(&version("copr-frontend", "2.7"), &images).unwrap();
        assert!(
            said.contains("main (https://main.example/) served copr-frontend-1:2.7-1.fc44.noarch"),
            "{said}"
        );
        assert!(unmet(&version("copr-keygen", "2.2"), &images).unwrap().contains("no image has it"));
    }
}
