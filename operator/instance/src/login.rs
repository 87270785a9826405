//! How people log in, with the secrets that it takes. Pure.

use std::fmt;

use copr_operator_api::v1alpha1::{self as api, CoprInstanceSpec};
use copr_operator_kernel::{dependency::CA_KEY, http::is_authority, report};

use super::{
    dereference::{External, Observed},
    validate::Error,
};

/// How people log in.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// By an OpenID Connect provider.
    pub oidc: Option<Oidc>,
    /// By Kerberos.
    pub kerberos: Option<Kerberos>,
}

/// An OpenID Connect provider.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// What the spec says.
    pub options: api::Oidc,
    /// Who Copr is to the provider.
    pub client_id: String,
    /// How it proves it.
    pub client_secret: Hidden,
    /// Certificate authorities of the provider in PEM, beside those of the frontend's image.
    pub authority: Option<String>,
}

/// Kerberos, checked by a proxy.
#[derive(Clone, Debug)]
pub struct Kerberos {
    /// What the spec says.
    pub options: api::Kerberos,
    /// How the proxy proves that it is the proxy.
    pub token: Hidden,
}

/// A value that no Debug shows.
#[derive(Clone)]
pub struct Hidden(String);

impl Hidden {
    /// The value.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

const AUTHORITY: &str = "login.oidc.caConfigMap";
const OIDC: &str = "login.oidc.clientSecret";
const KERBEROS: &str = "login.kerberos.proxySecret";
const CLIENT_ID: &str = "client_id";
const CLIENT_SECRET: &str = "client_secret";
const TOKEN: &str = "token";

/// Parses the logins of a spec with the Secrets that were read for them.
pub fn validate(spec: &CoprInstanceSpec, observed: &Observed) -> Result<Login, Error> {
    let login = spec.login.as_deref().cloned().unwrap_or_default();
    Ok(Login {
        oidc: login.oidc.map(|options| oidc(options, observed)).transpose()?,
        kerberos: login
            .kerberos
            .map(|options| kerberos(options, observed.proxy_secret.as_ref()))
            .transpose()?,
    })
}

fn oidc(options: api::Oidc, observed: &Observed) -> Result<Oidc, Error> {
    let secret = Named::new(OIDC, &options.client_secret.name, observed.oidc_secret.as_ref())?;
    let client_id = secret.text(CLIENT_ID, "has no key client_id, or nothing in it")?;
    let client_secret = secret.text(CLIENT_SECRET, "has no key client_secret, or nothing in it")?;
    let named = options.ca_config_map.as_ref();
    let authority =
        named.map(|named| authority(&named.name, observed.oidc_authority.as_ref())).transpose()?;
    Ok(Oidc { options, client_id, client_secret: Hidden(client_secret), authority })
}

fn authority(name: &str, found: Option<&External>) -> Result<String, Error> {
    let data = found.and_then(|found| found.data.as_ref());
    let data = data.ok_or_else(|| Error::ConfigMapNotFound { field: AUTHORITY, name: name.to_owned() })?;
    let invalid = |problem| Error::ConfigMapInvalid { field: AUTHORITY, name: name.to_owned(), problem };
    let pem = data.get(CA_KEY).ok_or_else(|| invalid(format!("has no key {CA_KEY}")))?;
    is_authority(pem)
        .map_err(|error| invalid(format!("is malformed at {CA_KEY}: {}", report::chain(&error))))?;
    Ok(pem.clone())
}

fn kerberos(options: api::Kerberos, secret: Option<&External>) -> Result<Kerberos, Error> {
    let secret = Named::new(KERBEROS, &options.proxy_secret.name, secret)?;
    let token = secret.text(TOKEN, "has no key token, or nothing in it")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    if !(16..=128).contains(&token.len()) || !token.chars().all(plain) {
        return Err(
            secret.invalid("has a token that is not 16 to 128 letters, digits and the characters - . _ ~")
        );
    }
    Ok(Kerberos { options, token: Hidden(token) })
}

/// A Secret that was found.
struct Named<'a> {
    field: &'static str,
    name: &'a str,
    data: &'a std::collections::BTreeMap<String, String>,
}

impl<'a> Named<'a> {
    fn new(field: &'static str, name: &str, secret: Option<&'a External>) -> Result<Self, Error> {
        let missing = || Error::SecretNotFound { field, name: name.to_owned() };
        let External { name, data } = secret.ok_or_else(missing)?;
        Ok(Self { field, name, data: data.as_ref().ok_or_else(missing)? })
    }

    fn text(&self, key: &str, missing: &'static str) -> Result<String, Error> {
        // A value that came from a file ends with a newline, which isn't part of it.
        let value = self.data.get(key).map(|value| value.trim()).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| self.invalid(missing))?;
        if value.chars().any(char::is_control) {
            return Err(self.invalid("has a value of more than one line"));
        }
        Ok(value.to_owned())
    }

    fn invalid(&self, problem: &'static str) -> Error {
        Error::SecretInvalid { field: self.field, name: self.name.to_owned(), problem }
    }
}

/// The values of the Secrets of logins that no log may show.
pub fn secrets(observed: &Observed) -> impl Iterator<Item = String> + '_ {
    let of = |secret: &'_ Option<External>, key: &str| {
        let data = secret.as_ref()?.data.as_ref()?;
        Some(data.get(key)?.trim().to_owned())
    };
    [of(&observed.oidc_secret, CLIENT_SECRET), of(&observed.proxy_secret, TOKEN)].into_iter().flatten()
}
