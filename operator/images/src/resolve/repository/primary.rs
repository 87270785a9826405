//! What is kept of a primary.xml, read package by package. Pure.

use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Cursor, Read},
    rc::Rc,
};

use rpmrepo_metadata::{
    FileType,
    visitor::{PrimaryVisitor, RequirementData, parse_primary},
};
use sha2::{Digest as _, Sha256};

use super::{
    KEPT_MAX,
    record::Record,
    verify::{Checksum, Hasher},
};
use crate::{
    arch::rpm_arch,
    resolve::candidates::{Own, Package, is_copr, names_in},
};

/// A primary.xml that unpacks to more isn't read on: the time of a core is limited, too.
pub const OPEN_MAX: u64 = 256 << 20;
/// The XML of one package may have this many bytes: the parser holds it.
const PACKAGE_MAX: usize = 1 << 20;

/// Why it can't be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// It isn't what repomd.xml says.
    Unverified(String),
    /// It isn't what it should be.
    Malformed(String),
}

/// The packages, or nothing if they are more than is kept.
pub fn parse(compressed: Vec<u8>, record: &Record) -> Result<Option<Vec<Package>>, Error> {
    read(compressed, record, KEPT_MAX, OPEN_MAX)
}

fn read(
    compressed: Vec<u8>,
    record: &Record,
    kept_max: usize,
    open_max: u64,
) -> Result<Option<Vec<Package>>, Error> {
    let malformed = |error: &dyn std::fmt::Display| Error::Malformed(error.to_string());
    let progress = Rc::new(Progress::default());
    let (unpacked, _) =
        niffler::get_reader(Box::new(Cursor::new(compressed))).map_err(|error| malformed(&error))?;
    let max = record.open_size.unwrap_or(open_max).min(open_max);
    let bounded = Bounded {
        // One byte more than is admitted, to tell a file that is too large from one that is just as large.
        inner: BufReader::new(unpacked.take(max.saturating_add(1))),
        hasher: record.open_checksum.as_ref().map(Checksum::hasher),
        bytes: 0,
        max,
        progress: Rc::clone(&progress),
    };
    let mut packages = Collector { kept_max, progress: Rc::clone(&progress), ..Collector::default() };
    let mut reader = rpmrepo_metadata::utils::create_xml_reader(bounded);
    let parsed = parse_primary(&mut reader, &mut packages);
    if progress.over.get() {
        return Ok(None);
    }
    let mut bounded = reader.into_inner();
    // The parser stops after the last package. The rest is read as well, since the checksum is that of the whole file.
    let parsed = parsed
        .map_err(|error| malformed(&error))
        .and_then(|_| io::copy(&mut bounded, &mut io::sink()).map_err(|error| malformed(&error)));
    match (parsed, record.open_size) {
        (Err(_), Some(size)) if bounded.bytes > size => {
            Err(Error::Unverified(format!("unpacked, it has more than {size} bytes")))
        }
        (Err(_), _) if bounded.bytes > max => Ok(None),
        (Err(error), _) => Err(error),
        (Ok(_), _) => {
            bounded.verify(record).map_err(Error::Unverified)?;
            packages.packages.shrink_to_fit();
            Ok(Some(packages.packages))
        }
    }
}

/// What reader and collector tell each other.
#[derive(Default)]
struct Progress {
    /// Bytes of the package under way.
    package: Cell<usize>,
    /// There is more than is kept.
    over: Cell<bool>,
}

/// Counts and hashes what goes through, and ends where it is too much.
struct Bounded<R> {
    inner: R,
    hasher: Option<Hasher>,
    bytes: u64,
    max: u64,
    progress: Rc<Progress>,
}

impl<R> Bounded<R> {
    fn verify(self, record: &Record) -> Result<(), String> {
        if let Some(size) = record.open_size
            && size != self.bytes
        {
            return Err(format!("unpacked, it has {} bytes, not {size}", self.bytes));
        }
        match (&record.open_checksum, self.hasher) {
            (Some(checksum), Some(hasher)) => {
                checksum.check(hasher).map_err(|problem| format!("unpacked, {problem}"))
            }
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.progress.package.get() > PACKAGE_MAX {
            self.progress.over.set(true);
        }
        if self.progress.over.get() || self.bytes > self.max {
            return Err(io::Error::other("it is too large"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // `fill_buf` returns the bytes that are about to be consumed again, without reading on, so they can be hashed here.
        if let (Some(hasher), Ok(filled)) = (&mut self.hasher, self.inner.fill_buf()) {
            hasher.update(filled.get(..amount).unwrap_or(filled));
        }
        self.bytes += amount as u64;
        self.progress.package.set(self.progress.package.get().saturating_add(amount));
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The XML parser uses `fill_buf` only. Who reads this way is past the last package, so its size is counted no more.
        self.progress.package.set(0);
        let mut filled = self.fill_buf()?;
        let read = filled.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[derive(Default)]
struct Collector {
    packages: Vec<Package>,
    bytes: usize,
    kept_max: usize,
    progress: Rc<Progress>,
    current: Option<Current>,
}

struct Current {
    name: Box<str>,
    evr: Box<str>,
    source: Option<Box<str>>,
    arch: Option<&'static str>,
    checksum: [u8; 32],
    provides: Vec<Box<str>>,
    wants: Vec<Box<str>>,
    follows: Vec<Box<str>>,
    open: bool,
}

impl Current {
    fn provide(&mut self, name: &str) {
        // `bundled(x)` only declares that the package has a copy of x in it: no package requires that.
        if name.starts_with("bundled(") {
            return;
        }
        self.open |= !is_copr(name);
        keep(&mut self.provides, name);
    }

    fn follow(&mut self, requirement: &str) {
        for name in names_in(requirement).into_iter().filter(|name| !is_version(name)) {
            self.open |= !is_copr(&name);
            keep(&mut self.follows, &name);
        }
    }

    fn want(&mut self, requirement: &str) {
        for name in names_in(requirement) {
            keep(&mut self.wants, &name);
        }
    }
}

fn keep(names: &mut Vec<Box<str>>, name: &str) {
    if is_copr(name) {
        names.push(name.into());
    }
}

/// Of a rich dependency, the versions are words as well.
fn is_version(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

impl PrimaryVisitor for Collector {
    fn begin_package(&mut self, name: &str, arch: &str, checksum_type: &str, pkgid: &str) {
        let arch = match arch {
            "noarch" => Some("noarch"),
            arch if arch == rpm_arch() => Some(rpm_arch()),
            _ => None,
        };
        let mut current = Current {
            name: name.into(),
            evr: Box::default(),
            source: None,
            arch,
            checksum: Sha256::digest(format!("{checksum_type}:{pkgid}").as_bytes()).into(),
            provides: Vec::new(),
            wants: Vec::new(),
            follows: Vec::new(),
            open: false,
        };
        current.provide(name);
        self.current = Some(current);
    }

    fn set_evr(&mut self, epoch: &str, version: &str, release: &str) {
        if let Some(current) = &mut self.current {
            let epoch = if epoch.is_empty() { "0" } else { epoch };
            current.evr = format!("{epoch}:{version}-{release}").into();
        }
    }

    fn set_rpm_sourcerpm(&mut self, sourcerpm: &str) {
        // Name, version and release, of which only the name may have dashes.
        let Some((name, _)) = sourcerpm.rsplit_once('-').and_then(|(rest, _)| rest.rsplit_once('-')) else {
            return;
        };
        if let Some(current) = &mut self.current {
            current.source = Some(name).filter(|name| **name != *current.name).map(Into::into);
        }
    }

    fn add_provide(&mut self, req: RequirementData<'_>) {
        if let Some(current) = &mut self.current {
            current.provide(req.name);
        }
    }

    fn add_file(&mut self, filetype: FileType, path: &str) {
        if let Some(current) = &mut self.current
            && !matches!(filetype, FileType::Ghost)
        {
            current.provide(path);
        }
    }

    fn add_require(&mut self, req: RequirementData<'_>) {
        if let Some(current) = &mut self.current {
            current.want(req.name);
        }
    }

    fn add_recommend(&mut self, req: RequirementData<'_>) {
        self.add_require(req);
    }

    fn add_obsolete(&mut self, req: RequirementData<'_>) {
        if let Some(current) = &mut self.current {
            current.follow(req.name);
        }
    }

    fn add_supplement(&mut self, req: RequirementData<'_>) {
        self.add_obsolete(req);
    }

    fn add_enhance(&mut self, req: RequirementData<'_>) {
        self.add_obsolete(req);
    }

    fn end_package(&mut self) {
        self.progress.package.set(0);
        let Some(current) = self.current.take() else { return };
        let Some(arch) = current.arch else { return };
        let names = |mut names: Vec<Box<str>>| {
            names.sort_unstable();
            names.dedup();
            names.into_boxed_slice()
        };
        let package = Package {
            name: current.name,
            evr: current.evr,
            source: current.source,
            arch,
            checksum: current.checksum,
            own: Own {
                provides: names(current.provides),
                wants: names(current.wants),
                follows: names(current.follows),
            },
            open: current.open,
        };
        self.bytes += package.bytes();
        if self.bytes > self.kept_max {
            self.progress.over.set(true);
            self.packages = Vec::new();
        } else {
            self.packages.push(package);
        }
    }
}

#[cfg(test)]
mod tests;
