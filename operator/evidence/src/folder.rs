//! What is kept of a folder that a test wrote: regular files and nothing else, for whoever wrote it may have meant somebody else's.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use copr_operator_images::Blob;

use crate::{
    error::Error,
    layer::{Tar, header},
    scrub::Scrubber,
};

/// A folder of more isn't looked through to its end.
const FILES_MAX: usize = 10_000;
const DEPTH_MAX: usize = 32;
const PIECE: usize = 1 << 16;
/// A link isn't followed, and a pipe isn't waited for.
const PLAIN: i32 = libc::O_NOFOLLOW | libc::O_NONBLOCK;

/// A file that can be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    path: PathBuf,
    /// Its path in the folder.
    name: String,
    size: u64,
    modified: u64,
}

/// What is kept of a folder, and how much isn't.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// These, in this order.
    pub entries: Vec<Entry>,
    /// So many aren't: too much, no regular files, or not to be read.
    pub left_out: usize,
}

/// Chooses what fits into `max` bytes: reports and journals, then the small before the large.
pub fn choose(folder: &Path, max: u64) -> Choice {
    let mut choice = Choice::default();
    let mut found = Vec::new();
    walk(folder, folder, 0, &mut found, &mut choice.left_out);
    found.sort_by_key(|entry| (!is_report(&entry.name), entry.size, entry.name.clone()));
    let mut left = max;
    for entry in found {
        if entry.size <= left {
            left -= entry.size;
            choice.entries.push(entry);
        } else {
            choice.left_out += 1;
        }
    }
    choice
}

fn is_report(name: &str) -> bool {
    matches!(name, "junit.xml" | "journal.xml" | "journal.txt")
}

fn walk(root: &Path, folder: &Path, depth: usize, found: &mut Vec<Entry>, left_out: &mut usize) {
    let Ok(listed) = fs::read_dir(folder) else {
        *left_out += 1;
        return;
    };
    for path in listed.filter_map(|entry| Some(entry.ok()?.path())) {
        if found.len() >= FILES_MAX {
            *left_out += 1;
            return;
        }
        // Of a link what it is, not where it leads.
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            *left_out += 1;
            continue;
        };
        if metadata.is_dir() && depth < DEPTH_MAX {
            walk(root, &path, depth + 1, found, left_out);
            continue;
        }
        let name = path.strip_prefix(root).ok().and_then(Path::to_str).map(str::to_owned);
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |time| time.as_secs());
        match name.filter(|name| metadata.is_file() && header(name, metadata.len(), modified).is_ok()) {
            Some(name) => found.push(Entry { path, name, size: metadata.len(), modified }),
            None => *left_out += 1,
        }
    }
}

/// Sends what was chosen; returns it, how many files it has, and how many couldn't be read.
pub async fn send(
    choice: &Choice,
    scrubber: &Scrubber,
    mut tar: Tar<'_>,
) -> Result<(Blob, usize, usize), Error> {
    let (mut kept, mut unread) = (0, 0);
    let mut buffer = vec![0; PIECE];
    for entry in &choice.entries {
        let Ok(mut file) = open(&entry.path) else {
            unread += 1;
            continue;
        };
        tar.begin(header(&entry.name, entry.size, entry.modified)?).await?;
        let mut clean = scrubber.stream();
        // One that can't be read to its end has zeros there.
        while let Ok(n @ 1..) = file.read(&mut buffer) {
            tar.data(&clean.push(buffer.get(..n).unwrap_or_default())).await?;
        }
        tar.data(&clean.finish()).await?;
        tar.end().await?;
        kept += 1;
    }
    Ok((tar.finish().await?, kept, unread))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(PLAIN).open(path)
}

#[cfg(test)]
mod tests {
    use std::{env, os::unix::fs::symlink, process};

    use super::*;

    /// A folder that goes with the test.
    pub struct Folder(pub PathBuf);

    impl Folder {
        pub fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("copr-evidence-{}-{name}", process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        pub fn file(&self, name: &str, content: &[u8]) {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn names(choice: &Choice) -> Vec<&str> {
        choice.entries.iter().map(|entry| entry.name.as_str()).collect()
    }

    #[test]
    fn reports_come_first_and_the_largest_is_left_out() {
        let folder = Folder::new("order");
        folder.file("huge.log", &[b'x'; 600]);
        folder.file("logs/small.log", b"x");
        folder.file("middle.log", &[b'x'; 100]);
        folder.file("junit.xml", &[b'x'; 300]);
        let choice = choose(&folder.0, 500);
        assert_eq!(names(&choice), ["junit.xml", "logs/small.log", "middle.log"]);
        assert_eq!(choice.left_out, 1);
    }

    #[test]
    fn links_are_not_followed_wherever_they_lead() {
        let (folder, other) = (Folder::new("links"), Folder::new("elsewhere"));
        other.file("credentials", b"hunter2");
        folder.file("plain", b"x");
        symlink(other.0.join("credentials"), folder.0.join("file")).unwrap();
        symlink(&other.0, folder.0.join("folder")).unwrap();
        let choice = choose(&folder.0, 500);
        assert_eq!(names(&choice), ["plain"]);
        assert_eq!(choice.left_out, 2);
        assert!(open(&folder.0.join("file")).is_err(), "nor where one takes a file's place");
        assert!(open(&folder.0.join("plain")).is_ok());
    }
}
