//! Who speaks to a registry: the entries of `.dockerconfigjson`, matched as podman and skopeo do (containers-auth.json(5)). Pure.
//!
//! The crates that read such files match hosts only, and run the credential helpers that a file names; here it's a user's file.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;

use super::name::canonical;

/// As whom a registry is asked.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub enum Login {
    /// As nobody.
    #[default]
    Anonymous,
    /// With user and password.
    Basic(String, String),
    /// With a token that the registry's token service takes for a user and a password (`identitytoken`).
    Identity(String),
    /// With a token that the registry itself takes (`registrytoken`).
    Bearer(String),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Anonymous { "Anonymous" } else { "Login(***)" })
    }
}

/// Credentials for several registries, and where they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Keyring {
    entries: Vec<Entry>,
    /// Where credentials were looked for, such as `Secret robot (registry.pushSecret)`.
    sources: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    host: String,
    /// Empty, or the beginning of a repository's path.
    path: String,
    login: Login,
    source: String,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
}

#[derive(Deserialize, Default)]
struct Auth {
    #[serde(default, rename = "auth")]
    pair: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    identitytoken: String,
    #[serde(default)]
    registrytoken: String,
}

impl Keyring {
    /// One login for one host, from somewhere else than a file.
    pub fn of(host: &str, login: Login, source: &str) -> Self {
        let mut keyring = Self { entries: Vec::new(), sources: vec![source.to_owned()] };
        if login != Login::Anonymous {
            let (host, source) = (canonical(host), source.to_owned());
            keyring.entries.push(Entry { host, path: String::new(), login, source });
        }
        keyring
    }

    /// Adds the entries of a `.dockerconfigjson`, or of the older `.dockercfg`, which is its `auths` alone. The error says where
    /// the file is malformed, and nothing of what is in it.
    pub fn add(&mut self, file: &str, source: &str) -> Result<(), String> {
        let malformed =
            |error: &serde_json::Error| format!("line {}, column {}", error.line(), error.column());
        let value: serde_json::Value = serde_json::from_str(file).map_err(|error| malformed(&error))?;
        let auths = if value.get("auths").is_some() {
            serde_json::from_value::<File>(value).map_err(|_| "auths".to_owned())?.auths
        } else {
            serde_json::from_value(value).unwrap_or_default()
        };
        self.sources.push(source.to_owned());
        for (key, auth) in auths {
            let (host, path) = key_parts(&key);
            self.entries.push(Entry { host, path, login: login(auth), source: source.to_owned() });
        }
        Ok(())
    }

    /// The login for a repository: of the keys of its host the one with the longest path that the repository is below; of two
    /// alike the first that was added. And how to tell people who asked.
    pub fn find(&self, host: &str, repository: &str) -> (Login, String) {
        let host = canonical(host);
        let of_repository = |entry: &&Entry| entry.host == host && is_below(repository, &entry.path);
        // Reversed, because max_by_key takes the last of equals, and the first is wanted.
        let found = self.entries.iter().rev().filter(of_repository).max_by_key(|entry| entry.path.len());
        let asked = match found {
            Some(Entry { login: Login::Anonymous, source, .. }) => {
                format!("without credentials, as what {source} has for {host} can't be read")
            }
            Some(entry) => format!("with the credentials of {}", entry.source),
            None if self.sources.is_empty() => {
                "without credentials, as the spec names no Secret for it".into()
            }
            None => format!(
                "without credentials, as {} has none for {host}/{repository}",
                self.sources.join(", ")
            ),
        };
        (found.map(|entry| entry.login.clone()).unwrap_or_default(), asked)
    }
}

/// `https://index.docker.io/v1/`, `quay.io`, `quay.io/team`: the host, and the path that a key is for. A key with a scheme is
/// for the whole host, as docker writes it.
fn key_parts(key: &str) -> (String, String) {
    let bare = key.trim_start_matches("https://").trim_start_matches("http://");
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let path = path.trim_matches('/');
    let whole = bare.len() != key.len() || matches!(path, "v1" | "v2");
    (canonical(host), if whole { String::new() } else { path.to_owned() })
}

fn is_below(repository: &str, path: &str) -> bool {
    path.is_empty()
        || repository.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn login(auth: Auth) -> Login {
    if !auth.registrytoken.is_empty() {
        return Login::Bearer(auth.registrytoken);
    }
    if !auth.identitytoken.is_empty() {
        return Login::Identity(auth.identitytoken);
    }
    // Only `auth` is read, as podman and docker do, though kubectl also writes `username` and `password`.
    let decoded =
        BASE64_STANDARD.decode(auth.pair.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
    match pair {
        Some((user, password)) => Login::Basic(user.to_owned(), password.trim_end_matches('\0').to_owned()),
        None if !auth.username.is_empty() => Login::Basic(auth.username, auth.password),
        None => Login::Anonymous,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(user: &str) -> Login {
        Login::Basic(user.into(), "p".into())
    }

    fn keyring(file: &str) -> Keyring {
        let mut keyring = Keyring::default();
        keyring.add(file, "Secret robot (registry.pushSecret)").unwrap();
        keyring
    }

    /// `{key: user}` as a file.
    fn file(entries: &[(&str, &str)]) -> String {
        let auths: BTreeMap<_, _> = entries
            .iter()
            .map(|(key, user)| {
                (*key, serde_json::json!({"auth": BASE64_STANDARD.encode(format!("{user}:p"))}))
            })
            .collect();
        serde_json::json!({"auths": auths}).to_string()
    }

    #[test]
    fn every_key_of_docker_hub_is_for_every_name_of_it() {
        let keys = [
            "https://index.docker.io/v1/",
            "https://index.docker.io/v1",
            "index.docker.io",
            "docker.io",
            "registry-1.docker.io",
            "https://registry-1.docker.io/v2/",
            "https://docker.io",
            "index.docker.io/v1/",
            "http://docker.io/",
        ];
        for key in keys {
            for host in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
                assert_eq!(
                    keyring(&file(&[(key, "you")])).find(host, "you/x").0,
                    basic("you"),
                    "{key} {host}"
                );
            }
        }
    }

    #[test]
    fn the_longest_path_wins_whatever_the_order() {
        let keys = [
            ("r.example", "all"),
            ("r.example/team", "team"),
            ("r.example/team/copr-x", "image"),
            ("r.example/tea", "no"),
        ];
        for file in [file(&keys), file(&keys.iter().rev().copied().collect::<Vec<_>>())] {
            let user = |repository| keyring(&file).find("r.example", repository).0;
            assert_eq!(user("team/copr-x"), basic("image"));
            assert_eq!(user("team/copr-y"), basic("team"));
            assert_eq!(user("team"), basic("team"));
            assert_eq!(user("teammate/x"), basic("all"));
        }
    }

    #[test]
    fn of_paths_without_a_common_host_key_no_other_is_taken() {
        let two = keyring(&file(&[("r.example:5000/a", "a"), ("r.example:5000/b/", "b")]));
        assert_eq!(two.find("r.example:5000", "b/x").0, basic("b"));
        let (login, asked) = two.find("r.example:5000", "c/x");
        assert_eq!(login, Login::Anonymous);
        assert!(
            asked.contains("Secret robot (registry.pushSecret) has none for r.example:5000/c/x"),
            "{asked}"
        );
        assert_eq!(two.find("r.example", "a/x").0, Login::Anonymous);
    }

    #[test]
    fn a_path_of_docker_hub_is_one_too() {
        let hub = keyring(&file(&[("https://index.docker.io/v1/", "all"), ("docker.io/you", "you")]));
        assert_eq!(hub.find("docker.io", "you/x").0, basic("you"));
        assert_eq!(hub.find("docker.io", "library/fedora").0, basic("all"));
    }

    #[test]
    fn every_kind_of_entry_is_read() {
        let rows = [
            (r#"{"auth": "bWU6c2U6Y3JldA=="}"#, Login::Basic("me".into(), "se:cret".into())),
            (r#"{"username": "u", "password": "p"}"#, basic("u")),
            (r#"{"auth": "bWU6", "identitytoken": "t"}"#, Login::Identity("t".into())),
            (r#"{"registrytoken": "t"}"#, Login::Bearer("t".into())),
            (r#"{"auth": "%%%"}"#, Login::Anonymous),
            ("{}", Login::Anonymous),
        ];
        for (entry, login) in rows {
            assert_eq!(
                keyring(&format!(r#"{{"auths": {{"q.io": {entry}}}}}"#)).find("q.io", "a/b").0,
                login,
                "{entry}"
            );
            // The older kind of Secret.
            assert_eq!(keyring(&format!(r#"{{"q.io": {entry}}}"#)).find("q.io", "a/b").0, login, "{entry}");
        }
    }

    #[test]
    fn of_several_files_the_most_specific_key_wins_and_of_equal_ones_the_first() {
        let mut keyring = Keyring::default();
        keyring.add(&file(&[("q.io", "first")]), "Secret a").unwrap();
        keyring.add(&file(&[("q.io", "second"), ("q.io/team", "team")]), "Secret b").unwrap();
        assert_eq!(keyring.find("q.io", "x/y"), (basic("first"), "with the credentials of Secret a".into()));
        assert_eq!(
            keyring.find("q.io", "team/y"),
            (basic("team"), "with the credentials of Secret b".into())
        );
    }

    #[test]
    fn a_malformed_file_is_an_error_that_tells_nothing_of_it() {
        let error = Keyring::default().add(r#"{"auths": hunter2}"#, "x").unwrap_err();
        assert_eq!(error, "line 1, column 11");
        assert_eq!(Keyring::default().add(r#"{"auths": ["hunter2"]}"#, "x").unwrap_err(), "auths");
        assert!(!format!("{:?}", keyring(&file(&[("q.io", "hunter2")]))).contains("hunter2"));
    }
}
