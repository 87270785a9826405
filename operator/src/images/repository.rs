//! Client required: reads what dnf repositories have.

use std::{
    collections::{HashMap, HashSet},
    io::Read as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rpmrepo_metadata::{FileType, PrimaryXml, RepomdXml, Repository as Metadata, Requirement};
use sha2::{Digest, Sha256};

use super::{
    http,
    resolve::{Content, Package, Packages, names_in},
};

/// A repomd.xml is a few kilobytes.
const REPOMD_MAX: usize = 1 << 20;
/// A compressed primary.xml that is larger is not read: such a repository isn't one of Copr's projects, and the operator's
/// memory is limited.
const PRIMARY_MAX: usize = 4 << 20;
/// The same, decompressed.
const PRIMARY_OPEN_MAX: u64 = 48 << 20;
/// How many repositories' packages are remembered.
const REMEMBERED: usize = 32;
const TIMEOUT: Duration = Duration::from_secs(30);

/// A repository to be read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in the spec.
    pub name: String,
    /// Its URL.
    pub base_url: String,
    /// dnf's priority.
    pub priority: i32,
    /// User and password.
    pub credentials: Option<Credentials>,
}

/// User and password of a repository.
#[derive(Clone)]
pub struct Credentials {
    /// User.
    pub username: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// Why a repository couldn't be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not an answer, or not the wanted one.
    #[error("repository {name}: {source}")]
    Fetch {
        /// Name of the repository.
        name: String,
        /// What went wrong.
        source: http::Error,
    },
    /// Not a repository's metadata.
    #[error("repository {name}: {url} is not what dnf expects there: {problem}")]
    Malformed {
        /// Name of the repository.
        name: String,
        /// What was read.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads repositories, and remembers what it read by the checksum of repomd.xml.
#[derive(Debug)]
pub struct Reader {
    client: reqwest::Client,
    known: Mutex<HashMap<String, Packages>>,
}

impl Reader {
    /// Made once.
    pub fn new() -> Result<Self, http::Error> {
        Ok(Self { client: http::client(None, TIMEOUT)?, known: Mutex::default() })
    }

    /// What the repository has now.
    pub async fn read(&self, source: &Source) -> Result<Content, Error> {
        let fetched = |source_error| Error::Fetch { name: source.name.clone(), source: source_error };
        let base = source.base_url.trim_end_matches('/');
        let url = format!("{base}/repodata/repomd.xml");
        let repomd = self.get(source, &url, REPOMD_MAX).await.map_err(fetched)?;
        let checksum = format!("sha256:{}", hex(&Sha256::digest(&repomd)));
        let packages = if let Some(packages) = self.known(&checksum) {
            packages
        } else {
            let read = self.primary(source, base, &url, &repomd, &checksum).await?;
            self.remember(checksum, read.clone());
            read
        };
        Ok(Content { name: source.name.clone(), priority: source.priority, packages })
    }

    async fn primary(
        &self,
        source: &Source,
        base: &str,
        repomd_url: &str,
        repomd: &[u8],
        checksum: &str,
    ) -> Result<Packages, Error> {
        let malformed = |url: &str, problem: String| Error::Malformed {
            name: source.name.clone(),
            url: url.into(),
            problem,
        };
        let mut metadata = Metadata::new();
        metadata
            .load_metadata_bytes::<RepomdXml>(repomd)
            .map_err(|error| malformed(repomd_url, error.to_string()))?;
        let record = metadata
            .repomd()
            .get_record("primary")
            .ok_or_else(|| malformed(repomd_url, "it names no primary.xml".into()))?;
        let whole = || Packages::Whole(checksum.to_owned());
        if record.size.is_some_and(|size| size > PRIMARY_MAX as u64) {
            return Ok(whole());
        }
        let url = format!("{base}/{}", record.location_href.display());
        let compressed = match self.get(source, &url, PRIMARY_MAX).await {
            Ok(bytes) => bytes,
            Err(http::Error::TooLarge { .. }) => return Ok(whole()),
            Err(error) => return Err(Error::Fetch { name: source.name.clone(), source: error }),
        };
        // Off the reconcilers' threads, and where a parser that panics on somebody's file ends nothing else.
        let parsed = tokio::task::spawn_blocking(move || parse(compressed, PRIMARY_OPEN_MAX)).await;
        parsed
            .map_err(|_| malformed(&url, "it can't be parsed".into()))?
            .map(|packages| packages.map_or_else(whole, |packages| Packages::Listed(Arc::new(packages))))
            .map_err(|problem| malformed(&url, problem))
    }

    async fn get(&self, source: &Source, url: &str, max: usize) -> Result<Vec<u8>, http::Error> {
        let mut request = self.client.get(url);
        if let Some(Credentials { username, password }) = &source.credentials {
            request = request.basic_auth(username, Some(password));
        }
        http::body(request, url, max).await
    }

    fn known(&self, checksum: &str) -> Option<Packages> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(checksum).cloned()
    }

    fn remember(&self, checksum: String, packages: Packages) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(checksum, packages);
    }
}

/// The packages, or nothing if there are too many.
fn parse(compressed: Vec<u8>, max: u64) -> Result<Option<Vec<Package>>, String> {
    let (reader, _) =
        niffler::get_reader(Box::new(std::io::Cursor::new(compressed))).map_err(|error| error.to_string())?;
    let mut xml = Vec::new();
    reader.take(max + 1).read_to_end(&mut xml).map_err(|error| error.to_string())?;
    if xml.len() as u64 > max {
        return Ok(None);
    }
    let mut metadata = Metadata::new();
    metadata.load_metadata_bytes::<PrimaryXml>(&xml).map_err(|error| error.to_string())?;
    Ok(Some(metadata.packages().values().map(package).collect()))
}

fn package(package: &rpmrepo_metadata::Package) -> Package {
    let names = |requirements: &[Requirement]| -> HashSet<String> {
        requirements.iter().flat_map(|requirement| names_in(requirement.name())).collect()
    };
    let mut provides = names(package.provides());
    provides.insert(package.name().to_owned());
    // Those files of it that others may require by path.
    package.for_each_file(|kind, path| {
        if !matches!(kind, FileType::Ghost) {
            provides.insert(path.to_owned());
        }
    });
    let mut wants = names(package.requires());
    wants.extend(names(package.recommends()));
    let evr = package.as_evr();
    let (kind, value) = package.checksum().to_values().unwrap_or(("none", ""));
    Package {
        name: package.name().to_owned(),
        evr: (evr.epoch().to_owned(), evr.version().to_owned(), evr.release().to_owned()),
        arch: package.arch().to_owned(),
        checksum: format!("{kind}:{value}"),
        provides: provides.into_iter().collect(),
        wants: wants.into_iter().collect(),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIMARY: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1">
<package type="rpm">
  <name>copr-keygen</name><arch>noarch</arch><version epoch="0" ver="2.2" rel="1.standin"/>
  <checksum type="sha256" pkgid="YES">e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855</checksum>
  <summary>x</summary><description>x</description><packager/><url/>
  <time file="1" build="1"/><size package="1" installed="1" archive="1"/><location href="copr-keygen.rpm"/>
  <format>
    <rpm:license>x</rpm:license><rpm:vendor/><rpm:group>x</rpm:group><rpm:buildhost>x</rpm:buildhost><rpm:sourcerpm>x</rpm:sourcerpm>
    <rpm:header-range start="1" end="2"/>
    <rpm:provides><rpm:entry name="copr-keygen" flags="EQ" epoch="0" ver="2.2" rel="1.standin"/></rpm:provides>
    <rpm:requires><rpm:entry name="python3-copr-common"/><rpm:entry name="(a if b)"/></rpm:requires>
    <file>/usr/bin/gpg-copr</file>
  </format>
</package>
</metadata>"#;

    #[test]
    fn a_package_is_read_with_what_it_provides_and_wants() {
        let packages = parse(PRIMARY.as_bytes().to_vec(), PRIMARY_OPEN_MAX).unwrap().unwrap();
        assert_eq!(packages[0].nevra(), "copr-keygen-2.2-1.standin.noarch");
        assert!(packages[0].provides.contains("/usr/bin/gpg-copr"));
        let wants: Vec<_> = packages[0].wants.iter().map(String::as_str).collect();
        assert_eq!(wants, ["a", "b", "python3-copr-common"]);
        assert!(packages[0].checksum.starts_with("sha256:e3b0"));
    }

    #[test]
    fn what_is_not_primary_xml_is_an_error() {
        assert!(parse(b"<html>404</html>".to_vec(), PRIMARY_OPEN_MAX).is_err());
        assert!(parse(b"".to_vec(), PRIMARY_OPEN_MAX).is_err());
    }

    #[test]
    fn what_is_too_large_when_it_is_unpacked_is_not_read() {
        use std::io::Write as _;

        let mut packed = Vec::new();
        let mut writer =
            niffler::get_writer(Box::new(&mut packed), niffler::Format::Gzip, niffler::Level::One).unwrap();
        writer.write_all(PRIMARY.as_bytes()).unwrap();
        drop(writer);
        let unpacked = PRIMARY.len() as u64;
        assert_eq!(parse(packed.clone(), unpacked - 1), Ok(None));
        assert!(parse(packed, unpacked).unwrap().is_some());
    }
}
