//! Whether what was installed is what the spec requires. Pure.

use std::collections::BTreeSet;

use copr_operator_api::v1alpha1::{ImageStatus, InstalledPackage, Packages, Repository, Require};
use rpmrepo_metadata::Nevra;

/// What of `packages.require` doesn't hold, as a sentence; nothing if all does.
pub fn unmet(spec: &Packages, images: &[ImageStatus]) -> Option<String> {
    let Require { commit, packages, versions } = spec.require.as_ref()?;
    let mut problems = Vec::new();
    if let Some(commit) = commit {
        problems.extend(of_commit(commit, &spec.repositories, images));
    }
    for (name, wanted) in packages.iter().flatten() {
        let wanted = if is_commit(wanted) { Wanted::Commit(wanted) } else { Wanted::Version(wanted) };
        problems.extend(of_package("require.packages", name, wanted, &spec.repositories, images));
    }
    for (name, version) in versions.iter().flatten() {
        let wanted = Wanted::Version(version);
        problems.extend(of_package("require.versions", name, wanted, &spec.repositories, images));
    }
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// What a package must be.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Commit(&'a str),
    Version(&'a str),
}

impl Wanted<'_> {
    fn is_met(self, installed: &Nevra<'_>) -> bool {
        match self {
            Self::Commit(commit) => names_commit(installed.release(), commit),
            Self::Version(version) => is_version(installed, version),
        }
    }
}

impl std::fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Commit(commit) => write!(f, "of commit {commit}"),
            Self::Version(version) => f.write_str(version),
        }
    }
}

fn is_commit(wanted: &str) -> bool {
    (7..=40).contains(&wanted.len()) && wanted.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A release carries the last commit that touched the package's own folder, so other packages of the same push carry others.
fn of_commit(commit: &str, repositories: &[Repository], images: &[ImageStatus]) -> Option<String> {
    let first = repositories.iter().map(|r| r.priority).min()?;
    let preferred: BTreeSet<_> =
        repositories.iter().filter(|r| r.priority == first).map(|r| r.name.as_str()).collect();
    let installed: BTreeSet<_> = images
        .iter()
        .flat_map(|image| &image.packages)
        .filter(|package| preferred.contains(package.repository.as_str()))
        .collect();
    if installed.is_empty() {
        let names = preferred.into_iter().collect::<Vec<_>>().join(", ");
        return Some(format!("require.commit is {commit}, but no package was installed from {names}"));
    }
    if installed.iter().any(|package| names_commit(Nevra::parse(&package.nevra).release(), commit)) {
        return None;
    }
    let served: Vec<_> = installed.into_iter().map(|package| served(package, repositories)).collect();
    Some(format!("require.commit is {commit}, but no package carries it: {}", served.join(", ")))
}

/// Whether a release such as `1.git.5.5d37cd8.fc44` or `0.2026.pr4305.38.g5d37cd838` names the commit.
fn names_commit(release: &str, commit: &str) -> bool {
    release.split(['.', '_', '~', '^', '+']).any(|part| {
        let hash = part.strip_prefix('g').unwrap_or(part);
        let hexadecimal = hash.len() >= 7 && hash.chars().all(|c| c.is_ascii_hexdigit());
        hexadecimal && (hash.starts_with(commit) || commit.starts_with(hash))
    })
}

/// A name stands for the package, or for all that was built from the source package of that name.
fn of_package(
    field: &str,
    name: &str,
    wanted: Wanted<'_>,
    repositories: &[Repository],
    images: &[ImageStatus],
) -> Vec<String> {
    let of = |is: &dyn Fn(&InstalledPackage) -> bool| -> BTreeSet<_> {
        images.iter().flat_map(|image| &image.packages).filter(|package| is(package)).collect()
    };
    let named = of(&|package| Nevra::parse(&package.nevra).name() == name);
    let installed =
        if named.is_empty() { of(&|package| package.source.as_deref() == Some(name)) } else { named };
    if installed.is_empty() {
        return vec![format!(
            "{field} wants {name} {wanted}, but no image has it from packages.repositories"
        )];
    }
    installed
        .into_iter()
        .filter(|package| !wanted.is_met(&Nevra::parse(&package.nevra)))
        .map(|package| format!("{field} wants {name} {wanted}, but {}", served(package, repositories)))
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
mod tests;
