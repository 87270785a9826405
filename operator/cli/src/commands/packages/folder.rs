//! A folder of RPMs of this machine, and the dnf repository that is made of it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::SystemTime,
};

use sha2::{Digest as _, Sha256};

use crate::{
    error::Error,
    model::{count, packages},
};

pub const CREATEREPO: &str = "createrepo_c";
/// Folders in folders; more than that is a link that leads back.
const DEPTH_MAX: usize = 32;
const HASH_LENGTH: usize = 12;
const ATTEMPTS: u32 = 100;

/// The binary packages in and below a folder.
#[derive(Clone, Debug)]
pub struct Found {
    folder: PathBuf,
    /// By their names.
    files: BTreeMap<String, PathBuf>,
    pub bytes: u64,
    /// Of their names and contents.
    hash: String,
}

impl Found {
    pub fn look(folder: &Path) -> Result<Self, Error> {
        let mut paths = Vec::new();
        collect(folder, 0, &mut paths)?;
        paths.sort();
        let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
        let mut sums: BTreeMap<String, String> = BTreeMap::new();
        let mut bytes = 0;
        for path in paths {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let (sum, size) = sum(&path)?;
            match (sums.get(&name), files.get(&name)) {
                (Some(other), Some(there)) if *other != sum => return Err(differ(&path, there)),
                (Some(_), _) => {}
                (None, _) => {
                    bytes += size;
                    sums.insert(name.clone(), sum);
                    files.insert(name, path);
                }
            }
        }
        if files.is_empty() {
            return Err(Error::Said(format!(
                "there is no binary RPM in {}, nor below it: is it the folder that rpmbuild or mock wrote to?",
                folder.display()
            )));
        }
        let mut lines: Vec<_> = sums.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
        lines.sort();
        let mut hash = hex::encode(Sha256::digest(lines.concat()));
        hash.truncate(HASH_LENGTH);
        Ok(Self { folder: folder.to_owned(), files, bytes, hash })
    }

    /// Of what serves them in the cluster.
    pub fn name(&self) -> String {
        packages::name(&self.hash)
    }

    /// As they are expected in images.
    pub fn nevras(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(|name| name.trim_end_matches(".rpm"))
    }

    /// In words.
    pub fn describe(&self) -> String {
        let size = self.bytes.div_ceil(1 << 20);
        format!("{} ({size} MiB) of {}", count(self.files.len(), "package"), self.folder.display())
    }

    /// A dnf repository of them. The same packages give the same files: times and names are fixed.
    pub fn repository(&self, createrepo: &str) -> Result<Repository, Error> {
        let folder =
            Temporary::new(&self.name()).map_err(Error::file("make a folder in", std::env::temp_dir()))?;
        for (name, path) in &self.files {
            copy(path, &folder.0.join(name))?;
        }
        if Self::look(&folder.0)?.hash != self.hash {
            return Err(Error::Said(format!(
                "packages in {} change while they are read: wait until they are all there",
                self.folder.display()
            )));
        }
        let mut command = Command::new(createrepo);
        // Older ones leave out what they can't read, and don't say so.
        command.args(["--quiet", "--no-database", "--error-exit-val"]);
        command.args(["--revision", "1", "--set-timestamp-to-revision", "--simple-md-filenames"]);
        let made = command.arg(&folder.0).stdin(Stdio::null()).output();
        let made = made.map_err(|error| {
            let install = "install it ('dnf install createrepo_c' or 'apt install createrepo-c')";
            Error::Said(format!(
                "{createrepo} makes a dnf repository of packages, and doesn't run: {error}; {install}"
            ))
        })?;
        if !made.status.success() {
            let words = String::from_utf8_lossy(&made.stderr);
            return Err(Error::Said(format!(
                "{createrepo} failed on {} ({}); is each file in it a whole RPM ('rpm -K' says so)? {}",
                self.folder.display(),
                made.status,
                words.split_whitespace().collect::<Vec<_>>().join(" ")
            )));
        }
        Repository::of(folder)
    }
}

/// A dnf repository in a folder that goes with this.
pub struct Repository {
    _folder: Temporary,
    /// Their paths in it, where they are, and their sizes. repomd.xml is the last: where it is all others are.
    pub files: Vec<(String, PathBuf, u64)>,
}

impl Repository {
    fn of(folder: Temporary) -> Result<Self, Error> {
        let mut files = Vec::new();
        for part in ["", "repodata/"] {
            let path = folder.0.join(part);
            for entry in fs::read_dir(&path).map_err(Error::file("look into", &path))? {
                let entry = entry.map_err(Error::file("look into", &path))?;
                let metadata = entry.metadata().map_err(Error::file("read", entry.path()))?;
                if metadata.is_file() {
                    let name = format!("{part}{}", entry.file_name().to_string_lossy());
                    files.push((name, entry.path(), metadata.len()));
                }
            }
        }
        files.sort_by_cached_key(|(name, ..)| (name.ends_with("/repomd.xml"), name.clone()));
        Ok(Self { _folder: folder, files })
    }
}

struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> io::Result<Self> {
        // One that was killed may have left its folder.
        let path = |number: u32| std::env::temp_dir().join(format!("kubectl-copr-{name}-{number}"));
        let made = (0..ATTEMPTS).map(path).find_map(|path| match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
            made => Some(made.map(|()| Self(path))),
        });
        made.unwrap_or_else(|| Err(io::ErrorKind::AlreadyExists.into()))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(Error::Said(format!(
            "{} is {DEPTH_MAX} folders deep: a link in it leads back to itself",
            folder.display()
        )));
    }
    for entry in fs::read_dir(folder).map_err(Error::file("look into", folder))? {
        let path = entry.map_err(Error::file("look into", folder))?.path();
        let is_source = path.file_stem().is_some_and(|name| name.to_string_lossy().ends_with(".src"));
        let is_package = !is_source && path.extension().is_some_and(|extension| extension == "rpm");
        // Of what it links to, as people gather packages by links, too.
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => collect(&path, depth + 1, found)?,
            Ok(metadata) if is_package && metadata.is_file() => found.push(path),
            Err(error) if is_package => return Err(Error::file("read", path)(error)),
            _ => {}
        }
    }
    Ok(())
}

fn sum(path: &Path) -> Result<(String, u64), Error> {
    let failed = || Error::file("read", path);
    let mut file = BufReader::new(File::open(path).map_err(failed())?);
    let (mut hasher, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer).map_err(failed())?;
        if read == 0 {
            return Ok((hex::encode(hasher.finalize()), bytes));
        }
        bytes += read as u64;
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

fn differ(one: &Path, other: &Path) -> Error {
    Error::Said(format!(
        "{} and {} have one name and differ: which one is to be tested?",
        one.display(),
        other.display()
    ))
}

/// The packages' own times are in the metadata, and their modes don't matter: they may be for reading only.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let mut original = File::open(from).map_err(Error::file("read", from))?;
    let mut file = File::create(to).map_err(Error::file("write", to))?;
    io::copy(&mut original, &mut file).map_err(Error::file("copy into $TMPDIR", from))?;
    file.set_modified(SystemTime::UNIX_EPOCH).map_err(Error::file("write", to))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::commands::testing;

    fn folder(files: &[(&str, &str)]) -> testing::Folder {
        let folder = testing::Folder::new();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    fn refusal(folder: &testing::Folder) -> String {
        Found::look(folder.path()).unwrap_err().text()
    }

    #[test]
    fn binary_packages_in_and_below_a_folder_are_found_wherever_they_are() {
        let here = folder(&[
            ("b-1-1.noarch.rpm", "b"),
            ("x/a-1-1.noarch.rpm", "a"),
            ("a-1-1.src.rpm", "s"),
            ("log", ""),
        ]);
        symlink(here.path().join("b-1-1.noarch.rpm"), here.path().join("x/b-1-1.noarch.rpm")).unwrap();
        let found = Found::look(here.path()).unwrap();
        assert_eq!(found.nevras().collect::<Vec<_>>(), ["a-1-1.noarch", "b-1-1.noarch"]);
        assert!(found.describe().starts_with("2 packages (1 MiB) of /"), "{}", found.describe());
        let there = folder(&[("b-1-1.noarch.rpm", "b"), ("a-1-1.noarch.rpm", "a")]);
        assert_eq!(found.name(), Found::look(there.path()).unwrap().name());
        let other = folder(&[("b-1-1.noarch.rpm", "b"), ("a-1-1.noarch.rpm", "A")]);
        assert_ne!(found.name(), Found::look(other.path()).unwrap().name());
        // As `sha256sum` and `sort` make it.
        assert_eq!(found.name(), "packages-04b61d5bead7");
    }

    #[test]
    fn what_can_not_be_served_is_refused() {
        assert!(refusal(&folder(&[("a-1-1.src.rpm", "s")])).contains("there is no binary RPM in"));
        let twice = folder(&[("a-1-1.noarch.rpm", "a"), ("x/a-1-1.noarch.rpm", "A")]);
        assert!(refusal(&twice).ends_with("have one name and differ: which one is to be tested?"));
        let dangling = folder(&[]);
        symlink("nowhere", dangling.path().join("a-1-1.noarch.rpm")).unwrap();
        assert!(refusal(&dangling).contains("a-1-1.noarch.rpm: No such file"));
        let round = folder(&[]);
        symlink(round.path(), round.path().join("again")).unwrap();
        assert!(refusal(&round).contains("leads back to itself"));
        assert!(
            Found::look(Path::new("/no/such/folder")).unwrap_err().text().contains("failed to look into")
        );
    }

    /// A createrepo_c that does what this script does.
    fn stand_in(folder: &testing::Folder, script: &str) -> String {
        let path = folder.path().join("createrepo");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn of_a_repository_repomd_is_the_last_and_times_are_fixed() {
        let here = folder(&[("x/a-1-1.noarch.rpm", "a")]);
        let found = Found::look(here.path()).unwrap();
        let script = r#"for last; do :; done; mkdir "$last/repodata"; cd "$last"; stat -c %Y *.rpm >repodata/primary.xml
            echo "$@" >repodata/repomd.xml; touch repodata/z"#;
        let repository = found.repository(&stand_in(&here, script)).unwrap();
        let names: Vec<_> = repository.files.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["a-1-1.noarch.rpm", "repodata/primary.xml", "repodata/z", "repodata/repomd.xml"]);
        let read = |number: usize| fs::read_to_string(&repository.files[number].1).unwrap();
        assert_eq!(read(1), "0\n");
        assert!(read(3).contains("--simple-md-filenames"));
        let path = repository.files[0].1.clone();
        drop(repository);
        assert!(!path.parent().unwrap().exists());
    }

    #[test]
    fn a_createrepo_that_is_not_there_or_fails_is_told() {
        let here = folder(&[("a-1-1.noarch.rpm", "a")]);
        let found = Found::look(here.path()).unwrap();
        let said = |createrepo: &str| found.repository(createrepo).err().unwrap().text();
        assert!(said("/no/such/program").contains("install it ('dnf install createrepo_c'"));
        let failing = stand_in(&here, "echo 'Cannot read package' >&2; exit 2");
        assert!(said(&failing).ends_with(
            "(exit status: 2); is each file in it a whole RPM ('rpm -K' says so)? Cannot read package"
        ));
    }
}
