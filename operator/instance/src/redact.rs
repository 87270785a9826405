//! Removes secrets from what logs say, since that gets into conditions, which more people may read than Secrets. Pure.

use super::{dereference::Observed, login};

/// Shorter values aren't removed, as they may be ordinary words.
const SHORTEST: usize = 8;

/// The same for a password that somebody else chose.
const SHORTEST_OF_OTHERS: usize = 4;

/// Removes an instance's secrets from texts.
#[derive(Clone)]
pub struct Redactor(Vec<String>);

impl Redactor {
    /// For the credentials of the instance, of its users, of the database that it may have elsewhere, and of its logins.
    pub fn new(observed: &Observed) -> Self {
        let mut secrets: Vec<String> =
            observed.credentials.to_data().into_values().filter(|secret| secret.len() >= SHORTEST).collect();
        let external = observed.database_secret.as_ref().and_then(|secret| secret.data.as_ref());
        if let Some(uri) = external.and_then(|data| data.get("uri")).map(|uri| uri.trim()) {
            secrets.push(uri.to_owned());
            // scheme://user:password@host
            let password = uri
                .split_once("://")
                .and_then(|(_, rest)| rest.rsplit_once('@'))
                .and_then(|(user, _)| user.split_once(':'));
            secrets.extend(password.map(|(_, password)| password.to_owned()));
        }
        secrets.extend(login::secrets(observed));
        let tokens = observed.user_tokens.values().filter_map(|secret| secret.data.as_ref());
        secrets.extend(tokens.filter_map(|data| data.get("token")).map(|token| token.trim().to_owned()));
        // A password of two or three letters would be found in ordinary words, and blank them.
        secrets.retain(|secret| secret.len() >= SHORTEST_OF_OTHERS);
        Self(secrets)
    }

    /// The text without them.
    pub fn clean(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{secret, with_secrets};

    #[test]
    fn no_secret_of_the_instance_or_of_its_database_is_left() {
        let mut observed = with_secrets();
        observed.database_secret = Some(secret("pg", &[("uri", "postgresql://me:s3cr3t@h/d\n")]));
        let clean = Redactor::new(&observed)
            .clean("token api-token-1, password s3cr3t, at postgresql://me:s3cr3t@h/d");
        assert_eq!(clean, "token ***, password ***, at ***");
    }
}
