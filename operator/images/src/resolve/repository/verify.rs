//! Checksums as repomd.xml has them. Pure.

use std::fmt;

use rpmrepo_metadata::Checksum as Said;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// A checksum that can be computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    kind: Kind,
    value: String,
}

#[derive(strum::Display, Clone, Copy, Debug, PartialEq, Eq)]
#[strum(serialize_all = "lowercase")]
enum Kind {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Checksum {
    /// An error names a kind that proves nothing (MD5) or that nobody knows.
    pub fn read(said: &Said) -> Result<Self, String> {
        let (kind, value) = match said {
            Said::Sha1(value) => (Kind::Sha1, value),
            Said::Sha224(value) => (Kind::Sha224, value),
            Said::Sha256(value) => (Kind::Sha256, value),
            Said::Sha384(value) => (Kind::Sha384, value),
            Said::Sha512(value) => (Kind::Sha512, value),
            Said::Md5(_) => return Err("its checksum is an MD5, which proves nothing".into()),
            Said::Unknown(_) | Said::Empty => return Err("its checksum is of an unknown kind".into()),
        };
        Ok(Self { kind, value: value.to_ascii_lowercase() })
    }

    /// Whether nobody can make another file with it, so that it may stand for the content wherever that came from.
    pub fn is_strong(&self) -> bool {
        self.kind != Kind::Sha1
    }

    /// Computes it.
    pub fn hasher(&self) -> Hasher {
        match self.kind {
            Kind::Sha1 => Hasher::Sha1(Sha1::new()),
            Kind::Sha224 => Hasher::Sha224(Sha224::new()),
            Kind::Sha256 => Hasher::Sha256(Sha256::new()),
            Kind::Sha384 => Hasher::Sha384(Sha384::new()),
            Kind::Sha512 => Hasher::Sha512(Sha512::new()),
        }
    }

    /// Compares; an error says what is different.
    pub fn check(&self, hasher: Hasher) -> Result<(), String> {
        let found = hasher.finish();
        if found == self.value {
            return Ok(());
        }
        Err(format!("its checksum is {}:{found}, not {self}", self.kind))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

/// A checksum that is being computed.
#[derive(Clone, Debug)]
pub enum Hasher {
    /// SHA-1.
    Sha1(Sha1),
    /// SHA-224.
    Sha224(Sha224),
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-384.
    Sha384(Sha384),
    /// SHA-512.
    Sha512(Sha512),
}

impl Hasher {
    /// More of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha224(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Sha1(hasher) => hex::encode(hasher.finalize()),
            Self::Sha224(hasher) => hex::encode(hasher.finalize()),
            Self::Sha256(hasher) => hex::encode(hasher.finalize()),
            Self::Sha384(hasher) => hex::encode(hasher.finalize()),
            Self::Sha512(hasher) => hex::encode(hasher.finalize()),
        }
    }
}
