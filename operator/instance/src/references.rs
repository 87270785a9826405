//! Which instances a Secret of somebody else's concerns. Pure.

use copr_operator_api::v1alpha1::{CoprInstanceSpec, SecretRef};

/// The Secrets that the spec names and the operator reads.
fn secrets(spec: &CoprInstanceSpec) -> impl Iterator<Item = &SecretRef> {
    let login = spec.login.as_ref();
    let oidc = login.and_then(|login| login.oidc.as_ref()).map(|oidc| &oidc.client_secret);
    let kerberos = login.and_then(|login| login.kerberos.as_ref()).map(|kerberos| &kerberos.proxy_secret);
    let tokens = spec.users.iter().filter_map(|user| user.token_secret.as_ref());
    let single =
        [spec.database.external_secret.as_ref(), spec.redis.external_secret.as_ref(), oidc, kerberos];
    single.into_iter().flatten().chain(tokens)
}

/// Whether the spec names the Secret.
pub fn names(spec: &CoprInstanceSpec, secret: &str) -> bool {
    secrets(spec).any(|reference| reference.name == secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{EXTERNAL, MINIMAL, PUBLIC, parse};

    #[test]
    fn every_secret_that_is_read_is_watched() {
        let table =
            [(EXTERNAL, "pg"), (EXTERNAL, "valkey"), (PUBLIC, "copr-oidc"), (PUBLIC, "copr-kerberos")];
        for (yaml, secret) in table {
            assert!(names(&parse(yaml).spec, secret), "{secret}");
            assert!(!names(&parse(MINIMAL).spec, secret), "{secret}");
        }
    }
}
