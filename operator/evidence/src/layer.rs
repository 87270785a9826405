//! Client required: parts of the artifact that are compressed and sent while they are made.

use std::io::{self, Write as _};

use copr_operator_images::{Blob, Name, Registry, Upload};
use flate2::{Compression, write::GzEncoder};

use crate::error::Error;

/// The size of a tar's blocks.
const BLOCK: usize = 512;
/// What a tar has where there is nothing. In no future, which would be as large.
static ZEROS: [u8; 1 << 14] = [0; 1 << 14];

/// A compressed file.
pub struct Gzip<'a> {
    upload: Upload<'a>,
    encoder: GzEncoder<Vec<u8>>,
}

impl<'a> Gzip<'a> {
    /// An empty one, for the repository.
    pub fn new(registry: &'a Registry, name: &'a Name) -> Self {
        Self { upload: registry.upload(name), encoder: GzEncoder::new(Vec::new(), Compression::default()) }
    }

    /// Adds bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.encoder.write_all(bytes)?;
        let ready = std::mem::take(self.encoder.get_mut());
        Ok(self.upload.write(&ready).await?)
    }

    /// Ends it.
    pub async fn finish(mut self) -> Result<Blob, Error> {
        let rest = self.encoder.finish()?;
        self.upload.write(&rest).await?;
        Ok(self.upload.finish().await?)
    }
}

/// A compressed folder.
pub struct Tar<'a> {
    gzip: Gzip<'a>,
    /// What is missing of the present file.
    missing: u64,
    padding: usize,
}

impl<'a> Tar<'a> {
    /// An empty one, for the repository.
    pub fn new(registry: &'a Registry, name: &'a Name) -> Self {
        Self { gzip: Gzip::new(registry, name), missing: 0, padding: 0 }
    }

    /// A whole file. `modified` is in seconds of Unix time.
    pub async fn add(&mut self, path: &str, bytes: &[u8], modified: u64) -> Result<(), Error> {
        self.begin(header(path, bytes.len() as u64, modified)?).await?;
        self.data(bytes).await?;
        self.end().await
    }

    /// Begins a file.
    pub async fn begin(&mut self, header: tar::Header) -> Result<(), Error> {
        self.missing = header.entry_size()?;
        let over = usize::try_from(self.missing % BLOCK as u64).unwrap_or_default();
        self.padding = (BLOCK - over) % BLOCK;
        self.gzip.write(header.as_bytes()).await
    }

    /// Adds bytes to it; not more than it was to have.
    pub async fn data(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let wanted = bytes.len().min(usize::try_from(self.missing).unwrap_or(usize::MAX));
        self.missing -= wanted as u64;
        self.gzip.write(bytes.get(..wanted).unwrap_or_default()).await
    }

    /// Ends it. What is missing is zeros.
    pub async fn end(&mut self) -> Result<(), Error> {
        while self.missing > 0 {
            self.data(&ZEROS).await?;
        }
        self.gzip.write(ZEROS.get(..self.padding).unwrap_or_default()).await
    }

    /// Ends the folder.
    pub async fn finish(mut self) -> Result<Blob, Error> {
        self.gzip.write(&[0; 2 * BLOCK]).await?;
        self.gzip.finish().await
    }
}

/// What a tar has before a file. A path of more than 255 bytes has no room.
pub fn header(path: &str, size: u64, modified: u64) -> io::Result<tar::Header> {
    let mut header = tar::Header::new_ustar();
    header.set_path(path)?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(modified);
    header.set_cksum();
    Ok(header)
}
