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

/// What is wrong with a credential. Never its value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key pair can't be made or read.
    #[error("failed to make the SSH key {key}")]
    Pair {
        /// The key of the Secret.
        key: &'static str,
        /// What the library says.
        #[source]
        source: ssh_key::Error,
    },
    /// A value that some of Copr's files would read as something else.
    #[error(
        "{key} may have letters, digits and the characters - . _ ~ only, at most {LONGEST} of them; remove the key to have it \
         generated"
    )]
    Value {
        /// The key of the Secret.
        key: &'static str,
    },
}

/// Copr's column of API logins has this many characters, that of tokens as many.
const LONGEST: usize = 40;

/// Whether a value means the same in a URI, a Python literal, an INI file and on a command line.
fn is_plain(value: &str) -> bool {
    value.len() <= LONGEST && value.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
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

const KEYS: [&str; 9] = [
    DATABASE_PASSWORD,
    SECRET_KEY,
    BACKEND_PASSWORD,
    API_LOGIN,
    API_TOKEN,
    SSH_PRIVATE,
    SSH_PUBLIC,
    HOST_PRIVATE,
    HOST_PUBLIC,
];

/// Where a value is found again when the Secret that keeps it is lost: the Secrets that were rendered from it.
pub struct Copy {
    /// End of the name of the rendered Secret.
    pub secret: &'static str,
    /// Its key.
    key: &'static str,
    /// The name of the setting, where the key is a file of settings.
    setting: Option<&'static str>,
    /// Which credential it is.
    credential: &'static str,
}

/// Every credential but the public halves, which follow from the private ones.
pub const COPIES: [Copy; 7] = [
    copy("database", "password", None, DATABASE_PASSWORD),
    copy("client", "login", None, API_LOGIN),
    copy("client", "token", None, API_TOKEN),
    copy("backend-ssh", "id_ed25519", None, SSH_PRIVATE),
    copy("builder", "ssh_host_ed25519_key", None, HOST_PRIVATE),
    copy("frontend", "copr.conf", Some("SECRET_KEY"), SECRET_KEY),
    copy("frontend", "copr.conf", Some("BACKEND_PASSWORD"), BACKEND_PASSWORD),
];

const fn copy(
    secret: &'static str,
    key: &'static str,
    setting: Option<&'static str>,
    credential: &'static str,
) -> Copy {
    Copy { secret, key, setting, credential }
}

/// The credentials that a rendered Secret still holds. `secret` is the end of its name.
pub fn recover(secret: &str, data: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let found = COPIES.iter().filter(|copy| copy.secret == secret).filter_map(|copy| {
        let text = data.get(copy.key)?;
        let value = match copy.setting {
            None => text.clone(),
            Some(setting) => literal(text, setting)?,
        };
        Some((copy.credential.to_owned(), value))
    });
    found.filter(|(_, value)| !value.is_empty()).collect()
}

/// The value of `NAME = 'value'`. Generated values have nothing that would be escaped.
fn literal(conf: &str, name: &str) -> Option<String> {
    let value =
        conf.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = '")?.strip_suffix('\''))?;
    Some(value.to_owned())
}

/// Whether the data of the Secret holds every credential.
pub fn is_complete(data: &BTreeMap<String, String>) -> bool {
    KEYS.iter().all(|key| present(data, key).is_some())
}

/// A value that there is. An empty password is none.
fn present<'a>(data: &'a BTreeMap<String, String>, key: &str) -> Option<&'a String> {
    data.get(key).filter(|value| !value.trim().is_empty())
}

impl Credentials {
    /// New ones.
    pub fn generate() -> Result<Self, Error> {
        Self::complete(&BTreeMap::new())
    }

    /// Those that there are, and new ones for what is missing.
    pub fn complete(data: &BTreeMap<String, String>) -> Result<Self, Error> {
        let get = |key: &'static str| match present(data, key) {
            None => Ok(random()),
            Some(value) if is_plain(value) => Ok(value.clone()),
            Some(_) => Err(Error::Value { key }),
        };
        Ok(Self {
            database_password: get(DATABASE_PASSWORD)?,
            secret_key: get(SECRET_KEY)?,
            backend_password: get(BACKEND_PASSWORD)?,
            api_login: get(API_LOGIN)?,
            api_token: get(API_TOKEN)?,
            ssh: KeyPair::complete(data, (SSH_PRIVATE, SSH_PUBLIC), "backend")?,
            builder_host: KeyPair::complete(data, (HOST_PRIVATE, HOST_PUBLIC), "builder")?,
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
    /// The pair that there is; a public half that is missing follows from the private one.
    fn complete(
        data: &BTreeMap<String, String>,
        (private, public): (&'static str, &'static str),
        comment: &str,
    ) -> Result<Self, Error> {
        match (present(data, private), present(data, public)) {
            (Some(private), Some(public)) => Ok(Self { private: private.clone(), public: public.clone() }),
            (Some(known), None) => {
                let failed = |source| Error::Pair { key: private, source };
                let key = PrivateKey::from_openssh(known).map_err(failed)?;
                Ok(Self { private: known.clone(), public: key.public_key().to_openssh().map_err(failed)? })
            }
            (None, _) => Self::generate(private, comment),
        }
    }

    fn generate(name: &'static str, comment: &str) -> Result<Self, Error> {
        let failed = |source| Error::Pair { key: name, source };
        let mut key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).map_err(failed)?;
        key.set_comment(comment);
        Ok(Self {
            private: key.to_openssh(LineEnding::LF).map_err(failed)?.to_string(),
            public: key.public_key().to_openssh().map_err(failed)?,
        })
    }
}

/// 32 hexadecimal digits: 128 bits, and short enough for Copr's columns (the API login has 40 characters).
pub fn random() -> String {
    let mut bytes = [0_u8; 16];
    OsRng.fill_bytes(&mut bytes);
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{build, fixtures::minimal};

    #[test]
    fn data_survives_the_secret() {
        let credentials = Credentials::generate().unwrap();
        assert!(is_complete(&credentials.to_data()));
        assert!(Credentials::complete(&credentials.to_data()).unwrap() == credentials);
    }

    #[test]
    fn only_what_is_missing_is_made_anew() {
        let before = Credentials::generate().unwrap();
        let mut data = before.to_data();
        data.remove(API_TOKEN);
        data.remove(SSH_PUBLIC);
        assert!(!is_complete(&data));
        let after = Credentials::complete(&data).unwrap();
        assert_ne!(after.api_token, before.api_token);
        assert_eq!(after.database_password, before.database_password);
        // Half of a pair is of no use alone: it follows from the other.
        assert!(after.ssh == before.ssh);
    }

    #[test]
    fn an_empty_value_counts_as_missing_and_one_that_would_be_misread_is_refused() {
        let mut data = Credentials::generate().unwrap().to_data();
        data.insert(BACKEND_PASSWORD.into(), String::new());
        data.insert(SSH_PRIVATE.into(), String::new());
        assert!(!is_complete(&data));
        let complete = Credentials::complete(&data).unwrap();
        assert!(!complete.backend_password.is_empty() && complete.ssh.private.starts_with("-----BEGIN"));
        data.insert(DATABASE_PASSWORD.into(), "p@ss/w:r#d'x%41".into());
        let said = Credentials::complete(&data).unwrap_err().to_string();
        assert!(said.contains("database-password") && !said.contains("p@ss"), "{said}");
    }

    #[test]
    fn a_lost_secret_is_found_again_in_what_was_rendered_from_it() {
        let mut instance = minimal();
        instance.credentials = Credentials::generate().unwrap();
        let mut found = BTreeMap::new();
        for secret in build::build(&instance).secrets {
            let name = secret.metadata.name.unwrap();
            let data = secret.data.unwrap_or_default();
            let text = data.into_iter().map(|(key, value)| (key, String::from_utf8(value.0).unwrap()));
            found.extend(recover(name.trim_start_matches("demo-"), &text.collect()));
        }
        assert!(Credentials::complete(&found).unwrap() == instance.credentials);
    }

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials::generate().unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials(…)");
    }
}
