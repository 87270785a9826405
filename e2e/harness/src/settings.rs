//! What `./check` says in the environment: above all what the tests of built images build from.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

/// The base image, as pods know it.
pub fn base_image() -> Result<String> {
    variable("COPR_E2E_BASE_IMAGE")
}

/// The repository of the packages that the prebuilt images have.
pub fn repository() -> Result<PathBuf> {
    folder("COPR_E2E_REPOSITORY")
}

/// The same, but of copr-keygen a newer release.
pub fn rebuilt_keygen() -> Result<PathBuf> {
    folder("COPR_E2E_REBUILT_KEYGEN")
}

/// The same, but of python3-copr-common a newer release.
pub fn rebuilt_common() -> Result<PathBuf> {
    folder("COPR_E2E_REBUILT_COMMON")
}

/// The program of `e2e/kstatus`.
pub fn kstatus() -> Result<PathBuf> {
    variable("COPR_E2E_KSTATUS").map(PathBuf::from)
}

fn folder(name: &str) -> Result<PathBuf> {
    let folder = PathBuf::from(variable(name)?);
    let metadata = folder.join("repodata/repomd.xml");
    ensure!(metadata.is_file(), "{name}: {} is no dnf repository: it has no repodata", folder.display());
    Ok(folder)
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set: run this by ./check"))
}
