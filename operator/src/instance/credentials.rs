//! Everything secret of an instance: generated once, kept in one Secret, rendered into the others.

use std::{collections::BTreeMap, fmt};

use ssh_key::{
    Algorithm, LineEnding, PrivateKey,
    rand_core::{OsRng, RngCore},
};

/// Passwords, tokens and keys of one instance.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Password of the database's user.
    pub database_password: String,
    /// Flask's SECRET_KEY.
    pub secret_key: String,
    /// What the backend and dist-git show to the frontend.
    pub backend_password: String,
    /// Login half of the administrator's API token.
    pub api_login: String,
    /// Token half of the administrator's API token.
    pub api_token: String,
    /// The backend's key for builders.
    pub ssh: KeyPair,
    /// The builders' host key.
    pub builder_host: KeyPair,
}

/// An OpenSSH key pair.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// PEM.
    pub private: String,
    /// One line.
    pub public: String,
}

// No field is ever printed: a Debug of a validated instance must not carry a secret into a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// What went wrong with credentials.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Secret lacks a key.
    #[error("it has no key {0}; delete the Secret to have all of them generated anew")]
    Missing(&'static str),
    /// A key pair couldn't be made.
    #[error("failed to generate an SSH key")]
    Generate(#[source] ssh_key::Error),
}

const DATABASE_PASSWORD: &str = "database-password";
const SECRET_KEY: &str = "secret-key";
const BACKEND_PASSWORD: &str = "backend-password";
const API_LOGIN: &str = "api-login";
const API_TOKEN: &str = "api-token";
const SSH_PRIVATE: &str = "ssh-private";
const SSH_PUBLIC: &str = "ssh-public";
const HOST_PRIVATE: &str = "builder-host-private";
const HOST_PUBLIC: &str = "builder-host-public";

impl Credentials {
    /// New ones.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self {
            database_password: random(),
            secret_key: random(),
            backend_password: random(),
            api_login: random(),
            api_token: random(),
            ssh: KeyPair::generate("backend")?,
            builder_host: KeyPair::generate("builder")?,
        })
    }

    /// Those that the Secret holds.
    pub fn from_data(data: &BTreeMap<String, String>) -> Result<Self, Error> {
        let get = |key: &'static str| data.get(key).cloned().ok_or(Error::Missing(key));
        Ok(Self {
            database_password: get(DATABASE_PASSWORD)?,
            secret_key: get(SECRET_KEY)?,
            backend_password: get(BACKEND_PASSWORD)?,
            api_login: get(API_LOGIN)?,
            api_token: get(API_TOKEN)?,
            ssh: KeyPair { private: get(SSH_PRIVATE)?, public: get(SSH_PUBLIC)? },
            builder_host: KeyPair { private: get(HOST_PRIVATE)?, public: get(HOST_PUBLIC)? },
        })
    }

    /// The data of the Secret that holds them.
    pub fn to_data(&self) -> BTreeMap<String, String> {
        let Self { database_password, secret_key, backend_password, api_login, api_token, ssh, builder_host } =
            self;
        [
            (DATABASE_PASSWORD, database_password),
            (SECRET_KEY, secret_key),
            (BACKEND_PASSWORD, backend_password),
            (API_LOGIN, api_login),
            (API_TOKEN, api_token),
            (SSH_PRIVATE, &ssh.private),
            (SSH_PUBLIC, &ssh.public),
            (HOST_PRIVATE, &builder_host.private),
            (HOST_PUBLIC, &builder_host.public),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect()
    }
}

impl KeyPair {
    fn generate(comment: &str) -> Result<Self, Error> {
        let mut key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).map_err(Error::Generate)?;
        key.set_comment(comment);
        Ok(Self {
            private: key.to_openssh(LineEnding::LF).map_err(Error::Generate)?.to_string(),
            public: key.public_key().to_openssh().map_err(Error::Generate)?,
        })
    }
}

/// 32 hexadecimal digits: 128 bits, and short enough for Copr's columns (the API login has 40 characters).
fn random() -> String {
    let mut bytes = [0_u8; 16];
    OsRng.fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_survives_the_secret() {
        let credentials = Credentials::generate().unwrap();
        assert!(Credentials::from_data(&credentials.to_data()).unwrap() == credentials);
    }

    #[test]
    fn a_missing_key_is_named() {
        let mut data = Credentials::generate().unwrap().to_data();
        data.remove(API_TOKEN);
        let error = Credentials::from_data(&data).unwrap_err();
        assert!(error.to_string().contains("api-token"), "{error}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials::generate().unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials(…)");
    }
}
