//! A repository on its way into the cluster: a tar, and what unpacks it there.

use std::{
    fs::File,
    io::{self, Read as _},
};

use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::folder::Repository;
use crate::model::packages::FOLDER;

/// The size of a tar's blocks; two empty ones end it.
const BLOCK: usize = 512;
const CHUNK: usize = 1 << 16;

/// Unpacks a tar of so many bytes beside the folder that is served, and puts it into place when it is complete: an upload that is
/// interrupted leaves nothing that is served. tar reads to the end of its input, which not every cluster passes on, so `head` ends
/// it; and takes one that ends early after a whole file for a whole one, so the last file is looked for. Others may send the same
/// packages at the same time: each upload has a folder of its own, named after its process.
pub fn script(volume: &str) -> String {
    format!(
        "set -eu\n\
         cd {volume}\n\
         if [ -e {FOLDER} ]; then exit 0; fi\n\
         for old in part.*; do [ -e \"/proc/${{old#part.}}\" ] || rm -rf \"$old\"; done\n\
         part=part.$$\n\
         rm -rf \"$part\"\n\
         mkdir \"$part\"\n\
         head -c \"$1\" | tar -x -o -f - -C \"$part\"\n\
         if [ ! -s \"$part/repodata/repomd.xml\" ]; then echo 'the upload was cut off' >&2; exit 1; fi\n\
         if [ -e {FOLDER} ]; then rm -rf \"$part\"; else mv \"$part\" {FOLDER}; fi\n"
    )
}

/// Headers of a file: two if its name is too long for one.
fn header(name: &str, size: u64) -> io::Result<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, name, io::empty())?;
    Ok(builder.get_ref().clone())
}

fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}

/// How many bytes `write` writes.
pub fn size(repository: &Repository) -> io::Result<u64> {
    let mut bytes = 2 * BLOCK as u64;
    for (name, _, size) in &repository.files {
        bytes += header(name, *size)?.len() as u64 + size + padding(*size) as u64;
    }
    Ok(bytes)
}

pub async fn write(repository: &Repository, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    for (name, path, size) in &repository.files {
        to.write_all(&header(name, *size)?).await?;
        let mut file = File::open(path)?.take(*size);
        let mut sent = 0;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            sent += read as u64;
            to.write_all(buffer.get(..read).unwrap_or_default()).await?;
        }
        if sent != *size {
            return Err(io::Error::other(format!("{} got shorter", path.display())));
        }
        to.write_all(&vec![0; padding(*size)]).await?;
    }
    to.write_all(&[0; 2 * BLOCK]).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::Write as _,
        path::Path,
        process::{Command, Stdio},
    };

    use super::*;
    use crate::commands::{packages::folder::Found, testing};

    /// By the shell and the tar of this machine.
    fn unpack(volume: &Path, size: u64, archive: &[u8]) -> (bool, String) {
        let mut command = Command::new("sh");
        command.args(["-c", &script(volume.to_str().unwrap()), "receive", &size.to_string()]);
        let mut process = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may have ended before it has read anything.
        _ = process.stdin.take().unwrap().write_all(archive);
        let output = process.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    }

    async fn archive(long: &str) -> (testing::Folder, Vec<u8>, u64) {
        let here = testing::Folder::new();
        fs::write(here.path().join(long), "x".repeat(1000)).unwrap();
        fs::write(here.path().join("a-1-1.noarch.rpm"), "a").unwrap();
        let createrepo = here.path().join("createrepo");
        fs::write(
            &createrepo,
            "#!/bin/sh\nfor last; do :; done; mkdir $last/repodata; echo 1 >$last/repodata/repomd.xml\n",
        )
        .unwrap();
        fs::set_permissions(&createrepo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let found = Found::look(here.path()).unwrap();
        let repository = found.repository(createrepo.to_str().unwrap()).unwrap();
        let mut bytes = Vec::new();
        write(&repository, &mut bytes).await.unwrap();
        let size = size(&repository).unwrap();
        (here, bytes, size)
    }

    #[tokio::test]
    async fn what_is_sent_is_served_when_it_is_there_and_not_before() {
        // Longer than a header has room for.
        let long = format!("{}-1-1.noarch.rpm", "n".repeat(120));
        let (_here, bytes, size) = archive(&long).await;
        assert_eq!(bytes.len() as u64, size);
        let volume = testing::Folder::new();
        let served = volume.path().join(FOLDER);

        // In the middle of a file, and after a whole one.
        let cut = bytes.windows(9).position(|part| part == b"repodata/").unwrap();
        for cut in [cut + 600, cut] {
            let (fine, words) = unpack(volume.path(), size, &bytes[..cut]);
            assert!(!fine && !words.is_empty(), "{words}");
            assert!(!served.exists());
        }
        // The connection stays open after the last byte.
        let more = [bytes.clone(), vec![7; 100_000]].concat();
        assert_eq!(unpack(volume.path(), size, &more), (true, String::new()));
        assert_eq!(fs::read(served.join(&long)).unwrap().len(), 1000);
        assert_eq!(fs::read_to_string(served.join("repodata/repomd.xml")).unwrap(), "1\n");
        assert_eq!(fs::read_dir(volume.path()).unwrap().count(), 1);
        // Once more it has nothing to do.
        assert_eq!(unpack(volume.path(), size, b""), (true, String::new()));
    }
}
