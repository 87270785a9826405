//! Which instances a Secret or a ConfigMap of somebody else's concerns. Pure.

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

/// Whether the spec names a ConfigMap that `validate` needs. Those of `packages` and `registry` aren't watched: while they are
/// wrong, they are read again after a pause.
pub fn names_config_map(spec: &CoprInstanceSpec, map: &str) -> bool {
    let oidc = spec.login.as_ref().and_then(|login| login.oidc.as_ref());
    oidc.and_then(|oidc| oidc.ca_config_map.as_ref()).is_some_and(|reference| reference.name == map)
}

/// Whether the spec names the Secret.
pub fn names(spec: &CoprInstanceSpec, secret: &str) -> bool {
    secrets(spec).any(|reference| reference.name == secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{EXTERNAL, MINIMAL, PUBLIC, parse, private_provider};

    #[test]
    fn every_secret_that_is_read_is_watched() {
        let table =
            [(EXTERNAL, "pg"), (EXTERNAL, "valkey"), (PUBLIC, "copr-oidc"), (PUBLIC, "copr-kerberos")];
        for (yaml, secret) in table {
            assert!(names(&parse(yaml).spec, secret), "{secret}");
            assert!(!names(&parse(MINIMAL).spec, secret), "{secret}");
        }
    }

    #[test]
    fn so_is_the_authority_of_the_provider() {
        let named = parse(&private_provider()).spec;
        assert!(names_config_map(&named, "provider-ca") && !names_config_map(&named, "copr-oidc"));
        assert!(!names_config_map(&parse(PUBLIC).spec, "provider-ca"));
    }
}
