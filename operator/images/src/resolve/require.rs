//! Whether what was installed is what the spec requires. Pure.

use std::collections::BTreeSet;

use copr_operator_api::v1alpha1::{
    ImageStatus, InstalledPackage, MissingPackage, Packages, Repository, Require,
};
use copr_operator_kernel::report::truncate;
use rpmrepo_metadata::Nevra;

/// What of `packages.require` doesn't hold, as a sentence; nothing if all does.
pub fn unmet(spec: &Packages, images: &[ImageStatus]) -> Option<String> {
    let require = spec.require.as_ref()?;
    let mut problems = Vec::new();
    if let Some(commit) = &require.commit {
        problems.extend(of_commit(commit, &spec.repositories, images));
    }
    for (field, name, wanted) in named(require) {
        problems.extend(of_package(field, name, wanted, &spec.repositories, images));
    }
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Of what is said of one missing package.
const FOUND_MAX: usize = 300;

/// What of `packages.require` the repositories don't have, given what dnf would take from them.
pub fn missing(spec: &Packages, offered: &[InstalledPackage]) -> Vec<MissingPackage> {
    let Some(require) = &spec.require else { return Vec::new() };
    let found = |packages: &[&InstalledPackage]| {
        let told: Vec<_> = packages.iter().map(|p| format!("{} ({})", p.nevra, p.repository)).collect();
        (!told.is_empty()).then(|| truncate(told.join(", "), FOUND_MAX))
    };
    let mut missing: Vec<MissingPackage> = Vec::new();
    if let Some(commit) = &require.commit {
        let preferred = preferred(&spec.repositories);
        let of_preferred = |package: &&InstalledPackage| preferred.contains(package.repository.as_str());
        let there: Vec<_> = offered.iter().filter(of_preferred).collect();
        if !there.iter().any(|package| Wanted::Commit(commit).is_met(&Nevra::parse(&package.nevra))) {
            let from = preferred.into_iter().collect::<Vec<_>>().join(", ");
            missing.push(MissingPackage {
                name: "*".into(),
                wanted: format!("of commit {commit} from {from}"),
                found: found(&there),
            });
        }
    }
    for (_, name, wanted) in named(require) {
        let there = of_name(name, offered.iter());
        let is_met = |package: &&InstalledPackage| wanted.is_met(&Nevra::parse(&package.nevra));
        if (there.is_empty() || !there.iter().all(is_met)) && missing.iter().all(|known| known.name != *name)
        {
            missing.push(MissingPackage {
                name: name.clone(),
                wanted: wanted.to_string(),
                found: found(&there),
            });
        }
    }
    missing
}

/// Whether a package is one of those that are required.
pub fn is_named(require: &Require, package: &str, source: Option<&str>) -> bool {
    named(require).any(|(_, name, _)| name == package || Some(name.as_str()) == source)
}

/// Everything that is required of a package by its name, and by which field.
fn named(require: &Require) -> impl Iterator<Item = (&'static str, &String, Wanted<'_>)> {
    let of = |wanted| if is_commit(wanted) { Wanted::Commit(wanted) } else { Wanted::Version(wanted) };
    let packages = require.packages.iter().flatten();
    let commits = require.commits.iter().flatten();
    let versions = require.versions.iter().flatten();
    packages
        .map(move |(name, wanted)| ("require.packages", name, of(wanted)))
        .chain(commits.map(|(name, commits)| (COMMITS, name, Wanted::AnyOf(commits))))
        .chain(versions.map(|(name, version)| ("require.versions", name, Wanted::Version(version))))
}

/// The field whose packages no image needs to have.
const COMMITS: &str = "require.commits";

/// What a package must be.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Commit(&'a str),
    AnyOf(&'a [String]),
    Version(&'a str),
}

impl Wanted<'_> {
    fn is_met(self, installed: &Nevra<'_>) -> bool {
        match self {
            Self::Commit(commit) => names_commit(installed.release(), commit),
            Self::AnyOf(commits) => commits.iter().any(|commit| names_commit(installed.release(), commit)),
            Self::Version(version) => is_version(installed, version),
        }
    }
}

impl std::fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Commit(commit) => write!(f, "of commit {commit}"),
            Self::AnyOf(commits) => write!(f, "of commit {}", commits.join(" or ")),
            Self::Version(version) => f.write_str(version),
        }
    }
}

fn is_commit(wanted: &str) -> bool {
    (7..=40).contains(&wanted.len()) && wanted.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// A release carries the last commit that touched the package's own folder, so other packages of the same push carry others.
fn of_commit(commit: &str, repositories: &[Repository], images: &[ImageStatus]) -> Option<String> {
    let preferred = preferred(repositories);
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

/// The repositories with the lowest priority number.
fn preferred(repositories: &[Repository]) -> BTreeSet<&str> {
    let first = repositories.iter().map(|r| r.priority).min();
    repositories.iter().filter(|r| Some(r.priority) == first).map(|r| r.name.as_str()).collect()
}

/// The packages of that name, or those that were built from the source package of that name.
fn of_name<'a>(
    name: &str,
    packages: impl Iterator<Item = &'a InstalledPackage> + Clone,
) -> Vec<&'a InstalledPackage> {
    let named: Vec<_> = packages.clone().filter(|p| Nevra::parse(&p.nevra).name() == name).collect();
    if named.is_empty() { packages.filter(|p| p.source.as_deref() == Some(name)).collect() } else { named }
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
    let packages = images.iter().flat_map(|image| &image.packages);
    let installed: BTreeSet<_> = of_name(name, packages).into_iter().collect();
    if installed.is_empty() && field == COMMITS {
        return Vec::new();
    }
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
