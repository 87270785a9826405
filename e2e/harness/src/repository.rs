//! dnf repositories in folders: what they have, and parts of them.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use rpmrepo_metadata::Repository;
use tempfile::TempDir;

/// Makes a repository of those packages of `whole` whose names are wanted. It is gone when the folder is dropped.
pub fn part(whole: &Path, wanted: impl Fn(&str) -> bool) -> Result<TempDir> {
    let mut repository = read(whole)?;
    let before = repository.packages().len();
    repository.packages_mut().retain(|_, package| wanted(package.name()));
    let after = repository.packages().len();
    ensure!(0 < after && after < before, "{after} of {before} packages is no part");
    let part = tempfile::tempdir().context("failed to make a folder")?;
    for package in repository.packages().values() {
        let file = package.location_href();
        fs::copy(whole.join(file), part.path().join(file))
            .with_context(|| format!("failed to copy {file}"))?;
    }
    repository.write_to_directory(part.path()).context("failed to write the repository")?;
    Ok(part)
}

/// Name, version, release and architecture of the package of that name, as a status shows it.
pub fn nevra(repository: &Path, name: &str) -> Result<String> {
    let repository_read = read(repository)?;
    let package = repository_read.packages().values().find(|package| package.name() == name);
    let package = package.with_context(|| format!("no {name} in {}", repository.display()))?;
    let evr = package.as_evr();
    ensure!(matches!(evr.epoch(), "" | "0"), "{name} has an epoch");
    Ok(format!("{name}-{}-{}.{}", evr.version(), evr.release(), package.arch()))
}

fn read(folder: &Path) -> Result<Repository> {
    let shown = || format!("failed to read the repository {}", folder.display());
    Repository::load_from_directory(folder).with_context(shown)
}
