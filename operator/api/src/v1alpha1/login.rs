//! How people log in. Users of the API, tests among them, need neither: they have tokens.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigMapRef, SecretRef};

/// How people log in to the web UI. A user is made at the first login.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.oidc) || has(self.kerberos)").message("login is oidc, kerberos, or both"))]
pub struct Login {
    /// By an OpenID Connect provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<Oidc>,
    /// By Kerberos, which a proxy in front of the frontend checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kerberos: Option<Kerberos>,
}

/// An OpenID Connect provider. Register Copr there as a confidential client with the redirect URI
/// `<scheme>://<url.frontend>/oidc_auth/`. Its user info must have the claim `email`; where it has `groups`, they become the user's
/// groups in Copr.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.caConfigMap) || self.metadataURL.startsWith('https://')")
    .message("login.oidc.caConfigMap is for a metadataURL with https"))]
pub struct Oidc {
    /// What the login link says before the word "login".
    #[serde(default = "default_oidc_name")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[^\x00-\x1f\x7f]+$"))]
    pub display_name: String,
    /// The provider's discovery document, for example `https://id.example.org/.well-known/openid-configuration`. The frontend's pod must
    /// reach it.
    #[serde(rename = "metadataURL")]
    #[schemars(length(min = 8, max = 2048), regex(pattern = r"^https?://[^\s\x00-\x1f\x7f]+$"))]
    pub metadata_url: String,
    /// A Secret with the keys `client_id` and `client_secret`.
    pub client_secret: SecretRef,
    /// A ConfigMap whose key `ca.crt` is the certificate authority of the provider, in PEM, beside those that everybody trusts. A change
    /// restarts the frontend. Absent: the provider's certificate is from one of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_config_map: Option<ConfigMapRef>,
    /// The claim whose value is the user's name in Copr. Whoever has the same value is the same user, so it must be unique: check this
    /// for `preferred_username`, of which the standard doesn't promise it.
    #[serde(default)]
    pub username_claim: UsernameClaim,
    /// The scopes that are asked for; they have to give the claims above.
    #[serde(default = "default_scopes")]
    #[schemars(
        length(min = 1, max = 16),
        inner(length(min = 1, max = 128), regex(pattern = r"^[!#-\[\]-~]+$"))
    )]
    #[x_kube(validation = Rule::new("'openid' in self").message("login.oidc.scopes has to have openid"))]
    pub scopes: Vec<String>,
    /// How the frontend shows the client's secret to the provider.
    #[serde(default)]
    pub token_auth_method: TokenAuthMethod,
}

/// The claims that Copr takes for a user's name.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum UsernameClaim {
    /// Of Fedora's identity provider (Ipsilon).
    Username,
    /// Of the standard.
    #[default]
    PreferredUsername,
}

impl UsernameClaim {
    /// As Copr's configuration has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::PreferredUsername => "preferred_username",
        }
    }
}

/// How a client proves itself to the provider.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum TokenAuthMethod {
    /// In the header `Authorization`.
    #[default]
    ClientSecretBasic,
    /// In the body of the request.
    ClientSecretPost,
}

impl TokenAuthMethod {
    /// As Copr's configuration has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }
}

/// Kerberos, checked by a proxy of yours that requests for `/api_3/gssapi_login` come through. It tells the principal in a header, and
/// proves by a token in the header `X-Copr-Proxy-Token` that it is the proxy.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Kerberos {
    /// What the login link says.
    #[serde(default = "default_kerberos_name")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[^\x00-\x1f\x7f]+$"))]
    pub display_name: String,
    /// The domain of the users' e-mail addresses: a user's is `<name>@<emailDomain>`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?$"))]
    pub email_domain: String,
    /// The header with the principal (`user@REALM`), of which Copr takes the part before the `@`.
    #[serde(default = "default_user_header")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z][-A-Za-z0-9]*$"))]
    pub user_header: String,
    /// A Secret with the key `token`: 16 to 128 letters, digits and the characters `-._~`. Without it a request's header is believed
    /// from nobody.
    pub proxy_secret: SecretRef,
}

fn default_oidc_name() -> String {
    "OpenID Connect".into()
}

fn default_scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).into()
}

fn default_kerberos_name() -> String {
    "Kerberos login".into()
}

fn default_user_header() -> String {
    "X-Remote-User".into()
}
