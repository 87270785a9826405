//! Client required: the evidence of a run, out of the registry.

mod logins;
mod settled;
mod unpack;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use copr_operator_images::{Access, Keyring, Name, PullError, Registries, RegistryError};
use serde::Deserialize;

use crate::args::RegistryAddress;
pub use settled::{is_awaited, settled};
use unpack::Budget;

/// What is fetched at most, and how long that may take.
const BYTES_MAX: u64 = 2 << 30;
const TIME: Duration = Duration::from_secs(600);
/// What that may become, and how many files.
const UNPACKED_MAX: u64 = 4 << 30;
const FILES_MAX: usize = 50_000;
const TITLE: &str = "org.opencontainers.image.title";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Pull(#[from] PullError),
    #[error("{host} answers plain HTTP; if that is wanted, add --registry-address {host}={host}")]
    PlainHttp { host: String },
    #[error("it isn't in the registry any more")]
    Gone,
    #[error("the registry gave another manifest than that")]
    Forged,
    #[error("its manifest can't be read")]
    Malformed,
    #[error("it is larger than {} MiB", BYTES_MAX >> 20)]
    TooLarge,
    #[error("that took longer than {} seconds", TIME.as_secs())]
    TooSlow,
    #[error("{0} can't be read: {1}")]
    Logins(PathBuf, String),
    #[error("{} can't be written", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{part} can't be unpacked")]
    Unpack {
        part: String,
        #[source]
        source: io::Error,
    },
}

/// What was got.
#[derive(Debug, PartialEq, Eq)]
pub struct Got {
    pub files: usize,
    /// Links, devices, and what would lie elsewhere.
    pub left_out: usize,
}

#[derive(Deserialize)]
struct Manifest {
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// An artifact, unpacked into a folder that isn't there yet, as whoever is logged in on this machine.
pub async fn fetch(artifact: &str, addresses: &[RegistryAddress], folder: &Path) -> Result<Got, Error> {
    let keyring = logins::keyring().map_err(|(path, why)| Error::Logins(path, why))?;
    fetch_as(keyring, artifact, addresses, folder).await
}

async fn fetch_as(
    keyring: Keyring,
    artifact: &str,
    addresses: &[RegistryAddress],
    folder: &Path,
) -> Result<Got, Error> {
    let time = tokio::time::timeout(TIME, all(keyring, artifact, addresses, folder));
    match time.await.unwrap_or(Err(Error::TooSlow)) {
        Err(Error::Registry(RegistryError::PlainHttp { image })) => {
            let host = image.split('/').next().unwrap_or_default().to_owned();
            Err(Error::PlainHttp { host })
        }
        got => got,
    }
}

async fn all(
    keyring: Keyring,
    artifact: &str,
    addresses: &[RegistryAddress],
    folder: &Path,
) -> Result<Got, Error> {
    let (image, insecure) = reached(artifact, addresses);
    let name = Name::parse(&image)?;
    let registry = Registries::default().of(&image, &Access { insecure, authority: None, keyring })?;
    let (digest, manifest) = registry.raw_manifest(&name).await?.ok_or(Error::Gone)?;
    if name.reference.contains(':') && name.reference != digest {
        return Err(Error::Forged);
    }
    let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|_| Error::Malformed)?;
    let bytes = manifest.layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
    if bytes > BYTES_MAX {
        return Err(Error::TooLarge);
    }
    fs::create_dir(folder).map_err(|source| Error::Write { path: folder.to_owned(), source })?;
    let mut budget = Budget { bytes: UNPACKED_MAX, files: FILES_MAX };
    let mut left_out = 0;
    for layer in &manifest.layers {
        let title = layer.annotations.get(TITLE).map(String::as_str).unwrap_or_default();
        let Some(title) = unpack::plain(Path::new(title)).filter(|path| path.iter().count() == 1) else {
            left_out += 1;
            continue;
        };
        let path = folder.join(&title);
        let mut file =
            File::create_new(&path).map_err(|source| Error::Write { path: path.clone(), source })?;
        registry.pull_blob(&name, &layer.digest, layer.size, &mut file).await?;
        drop(file);
        left_out += unpack::part(&path, &mut budget)
            .map_err(|source| Error::Unpack { part: title.display().to_string(), source })?;
    }
    Ok(Got { files: FILES_MAX - budget.files, left_out })
}

/// What the artifact is called from this machine, and whether that may be without TLS.
fn reached(artifact: &str, addresses: &[RegistryAddress]) -> (String, bool) {
    let (host, rest) = artifact.split_once('/').unwrap_or((artifact, ""));
    match addresses.iter().find(|address| address.registry == host) {
        Some(address) => (format!("{}/{rest}", address.address), true),
        None => (artifact.to_owned(), false),
    }
}

#[cfg(test)]
mod tests;
