//! Client required: what an image registry has. Everything that is known of a built image is there.

use std::{collections::BTreeMap, str::FromStr as _, time::Duration};

use oci_client::{
    Client, Reference,
    client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol},
    errors::{OciDistributionError, OciErrorCode},
    secrets::RegistryAuth,
};
use reqwest::{StatusCode, header::WWW_AUTHENTICATE};
use serde::Deserialize;

use super::http;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// How a registry is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Plain HTTP.
    pub insecure: bool,
    /// Certificate authorities in PEM, beside the system's.
    pub authority: Option<String>,
    /// Who speaks.
    pub auth: RegistryAuth,
}

impl Default for Access {
    fn default() -> Self {
        Self { insecure: false, authority: None, auth: RegistryAuth::Anonymous }
    }
}

/// What is known of an image in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Digest of its manifest.
    pub digest: String,
    /// Labels of its configuration.
    pub labels: BTreeMap<String, String>,
}

/// Why a registry didn't tell.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the name of an image.
    #[error("{image} is not a reference of an image: {why}")]
    Reference {
        /// The name.
        image: String,
        /// What is wrong with it.
        why: String,
    },
    /// The client couldn't be made.
    #[error(transparent)]
    Setup(#[from] http::Error),
    /// It couldn't be asked, or refused to answer.
    #[error("the registry of {image}: {why}")]
    Refused {
        /// What was asked about.
        image: String,
        /// Its answer, or why there was none.
        why: String,
    },
}

/// A registry.
pub struct Registry {
    client: Client,
    access: Access,
}

impl Registry {
    /// A client of the registry.
    pub fn new(access: Access) -> Result<Self, Error> {
        let config = ClientConfig {
            protocol: if access.insecure { ClientProtocol::Http } else { ClientProtocol::Https },
            extra_root_certificates: access
                .authority
                .iter()
                .flat_map(|bundle| certificates(bundle))
                .collect(),
            connect_timeout: Some(CONNECT_TIMEOUT),
            read_timeout: Some(READ_TIMEOUT),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| http::Error::Setup(error.to_string()))?;
        Ok(Self { client, access })
    }

    /// The digest that a tag stands for; nothing if there is no such image.
    pub async fn digest(&self, image: &str) -> Result<Option<String>, Error> {
        let reference = parse(image)?;
        found(image, self.client.fetch_manifest_digest(&reference, &self.access.auth).await)
    }

    /// Digest and labels of an image; nothing if there is no such image.
    pub async fn describe(&self, image: &str) -> Result<Option<Found>, Error> {
        let reference = parse(image)?;
        let pulled = self.client.pull_manifest_and_config(&reference, &self.access.auth).await;
        let Some((_, digest, config)) = found(image, pulled)? else { return Ok(None) };
        let config: Config =
            serde_json::from_str(&config).map_err(|error| refused(image, error.to_string()))?;
        Ok(Some(Found { digest, labels: config.config.labels }))
    }

    /// Deletes a tag, what it stands for and the SBOM attached to it. What is gone already is no error.
    pub async fn delete(&self, image: &str) -> Result<(), Error> {
        let Some(digest) = self.digest(image).await? else { return Ok(()) };
        let reference = parse(image)?;
        // oci-client doesn't delete.
        let http = http::client(self.access.authority.as_deref(), READ_TIMEOUT)?;
        // Where a registry has no referrers API, an index of the referrers is under this tag.
        let referrers = Reference::with_tag(
            reference.registry().into(),
            reference.repository().into(),
            digest.replace(':', "-"),
        );
        if let Some(index) = self.digest(&referrers.whole()).await? {
            self.delete_manifest(&http, &reference, &index).await?;
        }
        self.delete_manifest(&http, &reference, &digest).await
    }

    async fn delete_manifest(
        &self,
        http: &reqwest::Client,
        image: &Reference,
        digest: &str,
    ) -> Result<(), Error> {
        let scheme = if self.access.insecure { "http" } else { "https" };
        let url =
            format!("{scheme}://{}/v2/{}/manifests/{digest}", image.resolve_registry(), image.repository());
        let failed = |error: reqwest::Error| refused(&image.whole(), http::innermost(&error));
        let send = async |token: Option<&str>| {
            let request = http.delete(&url);
            let request = match (token, &self.access.auth) {
                (Some(token), _) => request.bearer_auth(token),
                (None, RegistryAuth::Basic(user, password)) => request.basic_auth(user, Some(password)),
                (None, RegistryAuth::Bearer(token)) => request.bearer_auth(token),
                (None, RegistryAuth::Anonymous) => request,
            };
            request.send().await.map_err(failed)
        };
        let mut answer = send(None).await?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Some(challenge) = answer.headers().get(WWW_AUTHENTICATE).and_then(|h| h.to_str().ok())
            && let Some(token) = self.token(http, image, challenge).await?
        {
            answer = send(Some(&token)).await?;
        }
        match answer.status() {
            status if status.is_success() || status == StatusCode::NOT_FOUND => Ok(()),
            status => Err(refused(&image.whole(), format!("DELETE of {digest} was answered with {status}"))),
        }
    }

    /// A token that may delete, from where the registry's challenge says.
    async fn token(
        &self,
        http: &reqwest::Client,
        image: &Reference,
        challenge: &str,
    ) -> Result<Option<String>, Error> {
        let bad = |why: String| refused(&image.whole(), why);
        let challenges = http_auth::parse_challenges(challenge).map_err(|error| bad(error.to_string()))?;
        let Some(bearer) = challenges.iter().find(|c| c.scheme.eq_ignore_ascii_case("bearer")) else {
            return Ok(None);
        };
        let parameter = |name: &str| {
            let found = bearer.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped())
        };
        let Some(realm) = parameter("realm") else { return Ok(None) };
        let scope = format!("repository:{}:pull,push,delete", image.repository());
        let mut url = reqwest::Url::parse(&realm).map_err(|error| bad(error.to_string()))?;
        url.query_pairs_mut().append_pair("scope", &scope);
        if let Some(service) = parameter("service") {
            url.query_pairs_mut().append_pair("service", &service);
        }
        let mut request = http.get(url.clone());
        if let RegistryAuth::Basic(user, password) = &self.access.auth {
            request = request.basic_auth(user, Some(password));
        }
        let body = http::body(request, url.as_str(), 1 << 20).await?;
        let token: Token = serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))?;
        Ok(token.token.or(token.access_token))
    }
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// The part of an image's configuration that matters here.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    config: Process,
}

#[derive(Deserialize, Default)]
struct Process {
    #[serde(rename = "Labels", default)]
    labels: BTreeMap<String, String>,
}

fn parse(image: &str) -> Result<Reference, Error> {
    Reference::from_str(image)
        .map_err(|error| Error::Reference { image: image.to_owned(), why: error.to_string() })
}

/// What the registry found; nothing where it says that there is no such thing.
fn found<T>(image: &str, answer: Result<T, OciDistributionError>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(
            OciDistributionError::ImageManifestNotFoundError(_)
            | OciDistributionError::ServerError { code: 404, .. },
        ) => Ok(None),
        Err(OciDistributionError::RegistryError { envelope, .. })
            if envelope.errors.iter().any(|error| {
                matches!(
                    error.code,
                    OciErrorCode::ManifestUnknown | OciErrorCode::NameUnknown | OciErrorCode::NotFound
                )
            }) =>
        {
            Ok(None)
        }
        Err(error) => Err(refused(image, why(&error))),
    }
}

fn why(error: &OciDistributionError) -> String {
    match error {
        OciDistributionError::RequestError(error) => format!("can't be reached: {}", http::innermost(error)),
        OciDistributionError::ServerError { code, .. } => format!("answered {code}"),
        OciDistributionError::UnauthorizedError { .. } => "refuses: not authorized".into(),
        other => other.to_string(),
    }
}

fn refused(image: &str, why: String) -> Error {
    Error::Refused { image: image.to_owned(), why }
}

/// The certificates of a bundle, one by one as the client wants them.
fn certificates(bundle: &str) -> Vec<Certificate> {
    const END: &str = "-----END CERTIFICATE-----";
    bundle
        .split_inclusive(END)
        .filter(|part| part.trim_end().ends_with(END))
        .map(|part| Certificate { encoding: CertificateEncoding::Pem, data: part.as_bytes().to_vec() })
        .collect()
}

/// The host of a reference, as docker writes it.
pub fn host(image: &str) -> Option<String> {
    parse(image).ok().map(|reference| reference.registry().to_owned())
}

/// The host of the prefix that images of a registry have in common.
pub fn host_of_prefix(prefix: &str) -> Option<String> {
    host(&format!("{prefix}/x"))
}

/// The credentials for a host in a `.dockerconfigjson`.
pub fn credentials(docker_config: &str, host: &str) -> RegistryAuth {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        auths: BTreeMap<String, Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        auth: Option<String>,
        username: Option<String>,
        password: Option<String>,
    }
    let Ok(file) = serde_json::from_str::<File>(docker_config) else { return RegistryAuth::Anonymous };
    let of_host = |key: &str| {
        let bare = key.trim_start_matches("https://").trim_start_matches("http://");
        bare.split('/').next() == Some(host)
    };
    let Some((_, entry)) = file.auths.into_iter().find(|(key, _)| of_host(key)) else {
        return RegistryAuth::Anonymous;
    };
    if let (Some(user), Some(password)) = (entry.username, entry.password) {
        return RegistryAuth::Basic(user, password);
    }
    let decoded = entry.auth.and_then(|auth| BASE64_STANDARD.decode(auth).ok());
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    match text.split_once(':') {
        Some((user, password)) => RegistryAuth::Basic(user.to_owned(), password.to_owned()),
        None => RegistryAuth::Anonymous,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_of_the_host() {
        let file = r#"{"auths": {"quay.io": {"auth": "bWU6c2VjcmV0"}, "https://r.example:5000/v1/": {"username": "u", "password": "p"}}}"#;
        assert_eq!(credentials(file, "quay.io"), RegistryAuth::Basic("me".into(), "secret".into()));
        assert_eq!(credentials(file, "r.example:5000"), RegistryAuth::Basic("u".into(), "p".into()));
        assert_eq!(credentials(file, "other"), RegistryAuth::Anonymous);
        assert_eq!(credentials("not json", "quay.io"), RegistryAuth::Anonymous);
    }

    #[test]
    fn a_host_is_told_from_a_path() {
        assert_eq!(
            host("registry.kube-registry.svc:5000/copr/x:1").as_deref(),
            Some("registry.kube-registry.svc:5000")
        );
        assert_eq!(host("localhost/copr-x:1").as_deref(), Some("localhost"));
    }

    #[test]
    fn a_bundle_is_taken_apart() {
        let one = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(&format!("{one}{one}")).len(), 2);
        assert!(certificates("no certificate").is_empty());
    }
}
