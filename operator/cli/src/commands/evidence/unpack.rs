//! Parts of evidence, unpacked beside where they are: only regular files, none outside of the folder, none over another, and no more
//! than there is room for.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Component, Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

/// What may still be written.
#[derive(Debug)]
pub struct Budget {
    pub bytes: u64,
    pub files: usize,
}

/// A path that leads nowhere else.
pub fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            _ => return None,
        }
    }
    (!plain.as_os_str().is_empty()).then_some(plain)
}

/// A file: what is compressed becomes what was compressed. Says how many files of it are left out.
pub fn part(path: &Path, budget: &mut Budget) -> io::Result<usize> {
    let name = path.to_string_lossy();
    if let Some(folder) = name.strip_suffix(".tar.gz") {
        let left_out = folder_of(path, Path::new(folder), budget)?;
        fs::remove_file(path)?;
        Ok(left_out)
    } else if let Some(file) = name.strip_suffix(".gz") {
        write(&mut decoder(path)?, Path::new(file), budget)?;
        fs::remove_file(path)?;
        Ok(0)
    } else {
        budget.take(fs::metadata(path)?.len())?;
        budget.files = budget.files.saturating_sub(1);
        Ok(0)
    }
}

fn decoder(path: &Path) -> io::Result<impl Read> {
    Ok(MultiGzDecoder::new(BufReader::new(File::open(path)?)))
}

fn folder_of(path: &Path, folder: &Path, budget: &mut Budget) -> io::Result<usize> {
    fs::create_dir(folder)?;
    let mut left_out = 0;
    // Also what the archive has beside files may be no larger than all.
    let limit = budget.bytes.saturating_add(1 << 20);
    let mut archive = tar::Archive::new(decoder(path)?.take(limit));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            continue;
        }
        let target = plain(&entry.path()?).filter(|_| kind.is_file()).map(|path| folder.join(path));
        // There are no links in the folder: nothing of this leads out of it.
        let Some(target) =
            target.filter(|target| target.parent().is_some_and(|parent| fs::create_dir_all(parent).is_ok()))
        else {
            left_out += 1;
            continue;
        };
        match write(&mut entry, &target, budget) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => left_out += 1,
            written => written?,
        }
    }
    Ok(left_out)
}

fn write(from: &mut impl Read, to: &Path, budget: &mut Budget) -> io::Result<()> {
    if budget.files == 0 {
        return Err(full("files"));
    }
    let mut file = File::create_new(to)?;
    budget.files -= 1;
    let written = io::copy(&mut from.take(budget.bytes.saturating_add(1)), &mut file)?;
    budget.take(written)
}

impl Budget {
    fn take(&mut self, bytes: u64) -> io::Result<()> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(|| full("bytes"))?;
        Ok(())
    }
}

fn full(what: &str) -> io::Error {
    io::Error::other(format!("there are more {what} in it than are unpacked"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use tar::{EntryType, Header};

    use super::*;
    use crate::commands::testing;

    fn budget() -> Budget {
        Budget { bytes: 1 << 20, files: 10 }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Names are taken as they are, as somebody who means harm would write them.
    fn archive(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, content) in entries {
            let mut header = Header::new_ustar();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            if !kind.is_file() {
                header.set_link_name(if content.is_empty() { "x" } else { content }).unwrap();
            }
            let content = if kind.is_file() { content.as_bytes() } else { b"" };
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, content).unwrap();
        }
        gzip(&builder.into_inner().unwrap())
    }

    fn unpack(name: &str, content: &[u8], budget: &mut Budget) -> (testing::Folder, io::Result<usize>) {
        let folder = testing::Folder::new();
        fs::create_dir(folder.path().join("in")).unwrap();
        let path = folder.path().join("in").join(name);
        fs::write(&path, content).unwrap();
        let left_out = part(&path, budget);
        (folder, left_out)
    }

    #[test]
    fn what_is_compressed_becomes_what_was_compressed() {
        let mut budget = budget();
        let (folder, left_out) = unpack("a-1.log.gz", &gzip(b"one\n"), &mut budget);
        assert_eq!(left_out.unwrap(), 0);
        assert_eq!(fs::read_to_string(folder.path().join("in/a-1.log")).unwrap(), "one\n");
        assert!(!folder.path().join("in/a-1.log.gz").exists());
        let files = [
            ("junit.xml", EntryType::Regular, "<x/>"),
            ("logs", EntryType::Directory, ""),
            ("logs/cli.log", EntryType::Regular, "l"),
        ];
        let (folder, left_out) = unpack("a-1.tar.gz", &archive(&files), &mut budget);
        assert_eq!(left_out.unwrap(), 0);
        assert_eq!(fs::read_to_string(folder.path().join("in/a-1/logs/cli.log")).unwrap(), "l");
        let (_folder, left_out) = unpack("status.json", b"{}", &mut budget);
        assert_eq!(left_out.unwrap(), 0);
        assert_eq!((budget.files, budget.bytes), (6, (1 << 20) - 11));
    }

    #[test]
    fn nothing_gets_out_of_the_folder() {
        let harm = [
            ("../out", EntryType::Regular, "1"),
            ("/tmp/out", EntryType::Regular, "2"),
            ("a/../../out", EntryType::Regular, "3"),
            ("link", EntryType::Symlink, ".."),
            ("link/out", EntryType::Regular, "in a folder of this name"),
            ("hard", EntryType::Link, "/etc/passwd"),
            ("null", EntryType::Char, ""),
            ("pipe", EntryType::Fifo, ""),
            ("fine", EntryType::Regular, "4"),
            ("fine", EntryType::Regular, "twice"),
        ];
        let (folder, left_out) = unpack("a.tar.gz", &archive(&harm), &mut budget());
        assert_eq!(left_out.unwrap(), 8);
        let there = |path: &str| folder.path().join(path).symlink_metadata().is_ok();
        for path in ["out", "in/out", "in/a/hard", "in/a/null", "in/a/pipe"] {
            assert!(!there(path), "{path}");
        }
        assert!(folder.path().join("in/a/link").symlink_metadata().unwrap().is_dir());
        assert_eq!(fs::read_to_string(folder.path().join("in/a/fine")).unwrap(), "4");
    }

    #[test]
    fn what_swells_is_not_unpacked_to_its_end() {
        let bomb = "0".repeat(3 << 20);
        for (name, content) in [
            ("a.log.gz", gzip(bomb.as_bytes())),
            ("a.tar.gz", archive(&[("a", EntryType::Regular, &bomb)])),
            ("a.json", bomb.clone().into_bytes()),
        ] {
            let (folder, left_out) = unpack(name, &content, &mut budget());
            assert!(left_out.unwrap_err().to_string().contains("more bytes in it"), "{name}");
            let written = folder.path().join("in/a.log").metadata().map_or(0, |file| file.len());
            assert!(written <= (1 << 20) + 1);
        }
        let many: Vec<_> = (0..11).map(|number| (number.to_string(), EntryType::Regular, "")).collect();
        let many: Vec<_> =
            many.iter().map(|(name, kind, content)| (name.as_str(), *kind, *content)).collect();
        let (_folder, left_out) = unpack("a.tar.gz", &archive(&many), &mut budget());
        assert!(left_out.unwrap_err().to_string().contains("more files in it"));
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        assert!(unpack("a.tar.gz", b"x", &mut budget()).1.is_err());
        assert!(unpack("a.log.gz", b"x", &mut budget()).1.is_err());
    }
}
