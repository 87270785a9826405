//! Takes secrets out of what streams by. Pure. What is put in their place is as long as they are: the length of a file is known before it
//! is read.

use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::Value;

/// Shorter values would blank ordinary words.
const SHORTEST: usize = 8;
/// Lines of a key that are worth being looked for: its last one may be any few characters.
const SHORTEST_LINE: usize = 16;
/// Keys of Secrets whose values are no secrets.
const OPEN: [&str; 6] = ["username", "user", "copr_url", "host", "ca.crt", "tls.crt"];
/// Settings of a copr-cli configuration that are.
const SETTINGS: [&str; 3] = ["login", "token", "password"];

/// The values that are looked for.
#[derive(Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Adds what is secret in a value of a Secret.
    pub fn add(&mut self, key: &str, value: &str) {
        if OPEN.contains(&key) || key.ends_with("public") {
            return;
        }
        if key.starts_with(".dockerc") {
            return self.add_logins(value);
        }
        let value = value.trim();
        if value.starts_with("-----BEGIN") {
            let lines = value.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
            self.0.extend(lines.filter(|line| line.len() >= SHORTEST_LINE).map(str::to_owned));
        } else if value.contains('\n') {
            self.add_settings(value);
        } else if let Some((_, password)) = value
            .split_once("://")
            .and_then(|(_, rest)| rest.rsplit_once('@'))
            .and_then(|(login, _)| login.split_once(':'))
        {
            // scheme://user:password@host
            self.add_one(password);
        } else {
            self.add_one(value);
        }
    }

    /// Adds those of a file with a setting a line.
    pub fn add_settings(&mut self, file: &str) {
        for (name, value) in file.lines().filter_map(|line| line.split_once('=')) {
            if SETTINGS.contains(&name.trim()) {
                self.add_one(value.trim());
            }
        }
    }

    /// Adds those of a `.dockerconfigjson`.
    pub fn add_logins(&mut self, file: &str) {
        let Ok(file) = serde_json::from_str::<Value>(file) else { return };
        let auths = file.get("auths").unwrap_or(&file).as_object();
        for auth in auths.into_iter().flat_map(|auths| auths.values()) {
            for key in ["auth", "password", "identitytoken", "registrytoken"] {
                self.add_one(auth.get(key).and_then(Value::as_str).unwrap_or_default());
            }
        }
    }

    fn add_one(&mut self, value: &str) {
        if value.len() >= SHORTEST {
            self.0.push(value.to_owned());
        }
    }

    /// What finds them. So many that they can't be looked for are none that anybody has.
    pub fn scrubber(&self) -> Result<Scrubber, aho_corasick::BuildError> {
        let longest = self.0.iter().map(String::len).max().unwrap_or(1);
        let found = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&self.0)?;
        Ok(Scrubber { found, longest })
    }
}

/// Finds secrets.
pub struct Scrubber {
    found: AhoCorasick,
    longest: usize,
}

impl Scrubber {
    /// For one stream.
    pub fn stream(&self) -> Stream<'_> {
        Stream { scrubber: self, held: Vec::new() }
    }

    /// The whole of something, without secrets.
    pub fn clean(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.stream();
        let mut clean = stream.push(bytes);
        clean.extend(stream.finish());
        clean
    }
}

/// What streams by, held back where it may be the beginning of a secret.
pub struct Stream<'a> {
    scrubber: &'a Scrubber,
    held: Vec<u8>,
}

impl Stream<'_> {
    /// Takes what comes; returns what can go on.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        // A match that begins before this one can't get longer by what comes.
        let decided = (self.held.len() + 1).saturating_sub(self.scrubber.longest);
        let end = self.blank(decided);
        let rest = self.held.split_off(end);
        std::mem::replace(&mut self.held, rest)
    }

    /// What was held back.
    pub fn finish(&mut self) -> Vec<u8> {
        self.blank(self.held.len());
        std::mem::take(&mut self.held)
    }

    /// Blanks what begins before `decided`; returns up to where everything is decided then.
    fn blank(&mut self, decided: usize) -> usize {
        let found = self.scrubber.found.find_iter(&self.held).map(|found| found.range());
        let ranges: Vec<_> = found.take_while(|range| range.start < decided).collect();
        for range in &ranges {
            if let Some(secret) = self.held.get_mut(range.clone()) {
                secret.fill(b'*');
            }
        }
        ranges.last().map_or(decided, |last| last.end.max(decided))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: &[(&str, &str)]) -> Scrubber {
        let mut secrets = Secrets::default();
        for (key, value) in values {
            secrets.add(key, value);
        }
        secrets.scrubber().unwrap()
    }

    fn clean(scrubber: &Scrubber, text: &str) -> String {
        String::from_utf8(scrubber.clean(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_secret_is_found_wherever_a_stream_is_cut() {
        let scrubber = secrets(&[("token", "abcdefgh"), ("longer", "abcdefghijkl"), ("short", "abc")]);
        let text = "abc token abcdefgh, longer abcdefghijkl, abcdefg; abcdefghabcdefgh";
        let expected = "abc token ********, longer ************, abcdefg; ****************";
        for size in 1..=text.len() {
            let mut stream = scrubber.stream();
            let mut clean: Vec<u8> = text.as_bytes().chunks(size).flat_map(|c| stream.push(c)).collect();
            clean.extend(stream.finish());
            assert_eq!(String::from_utf8(clean).unwrap(), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn of_each_kind_of_secret_what_is_secret_is_blanked() {
        let config = "[copr-cli]\nusername = frodo-baggins\nlogin = loginlogin\ntoken = tokentoken\n";
        let key = "-----BEGIN KEY-----\nAAAABBBBCCCCDDDD\nEEEE\n-----END KEY-----\n";
        let docker = r#"{"auths": {"quay.io": {"auth": "bWU6aHVudGVyMg==", "username": "robot+robot"}}}"#;
        let scrubber = secrets(&[
            ("copr", config),
            ("ssh-private", key),
            (".dockerconfigjson", docker),
            ("uri", "postgresql://copr:s3cr3ts3cr3t@db/copr"),
            ("username", "frodo-baggins"),
            ("ssh-public", "ssh-ed25519 AAAAC3Nz"),
        ]);
        for (text, expected) in [
            ("frodo-baggins loginlogin tokentoken", "frodo-baggins ********** **********"),
            ("2026 AAAABBBBCCCCDDDD\n2026 EEEE", "2026 ****************\n2026 EEEE"),
            ("bWU6aHVudGVyMg== of robot+robot", "**************** of robot+robot"),
            ("postgresql://copr:s3cr3ts3cr3t@db/copr", "postgresql://copr:************@db/copr"),
            ("ssh-ed25519 AAAAC3Nz", "ssh-ed25519 AAAAC3Nz"),
        ] {
            assert_eq!(clean(&scrubber, text), expected);
        }
    }

    #[test]
    fn without_secrets_everything_goes_on_at_once() {
        let scrubber = secrets(&[]);
        assert_eq!(scrubber.stream().push(b"all of it"), b"all of it");
    }
}
