//! Instances for tests, from YAML through the real validate.

use std::collections::BTreeMap;

use copr_operator_api::{images::given_images, v1alpha1::CoprInstance};
use copr_operator_images::{BuildIdentity, Provision};
use copr_operator_kernel::{conditions::Finding, platform::Platform, served::Served};

use super::{
    credentials::{Credentials, KeyPair},
    dereference::{External, Observed},
    validate::{Error, Instance, validate},
};

pub(crate) const MINIMAL: &str = "
metadata: {name: demo, namespace: team, uid: 0a1b2c, generation: 3}
apiVersion: copr.fedorainfracloud.org/v1alpha1
kind: CoprInstance
spec:
  images: {registry: quay.io/copr, tag: '2.7'}
  chroots: [fedora-44-x86_64]
";

pub(crate) const EXTERNAL: &str = "
metadata: {name: demo, namespace: team, uid: 0a1b2c, generation: 3}
apiVersion: copr.fedorainfracloud.org/v1alpha1
kind: CoprInstance
spec:
  images: {registry: quay.io/copr}
  chroots: [fedora-44-x86_64, fedora-44-i386, fedora-44-aarch64]
  builders: {image: 'quay.io/me/builder@sha256:0123', max: 3, isolation: Privileged}
  database: {externalSecret: {name: pg}}
  redis: {externalSecret: {name: valkey}}
";

pub(crate) const PUBLIC: &str = "
metadata: {name: demo, namespace: team, uid: 0a1b2c, generation: 3}
apiVersion: copr.fedorainfracloud.org/v1alpha1
kind: CoprInstance
spec:
  images: {registry: quay.io/copr, tag: '2.7'}
  chroots: [fedora-44-x86_64]
  url:
    frontend: copr.example.org
    results: results.copr.example.org
    distGit: git.copr.example.org
    tlsSecret: {name: copr-tls}
  expose: Ingress
  ingress: {className: nginx, annotations: {nginx.ingress.kubernetes.io/proxy-body-size: '0'}}
  login:
    oidc:
      displayName: Example
      metadataURL: https://id.example.org/.well-known/openid-configuration
      clientSecret: {name: copr-oidc}
    kerberos:
      emailDomain: example.org
      proxySecret: {name: copr-kerberos}
  frontend:
    extraConfig: {ITEMS_PER_PAGE: 20, LOGIN_INFO: {user_link: 'https://id.example.org/user/{username}', user_desc: account}}
  backend: {extraConfig: {backend: {prune_days: '30'}, builder: {timeout: '3600'}}}
  distGit: {extraConfig: {sleep_time: '5'}}
";

/// A certificate authority for tests. Nobody has its private key.
pub(crate) const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBgDCCASegAwIBAgIUJOdQcRw9xG207HR57CspICLqs64wCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKRXhhbXBsZSBDQTAgFw0yNjExMjYwOTI5MzZaGA8yMTI2MTEw
MjA5MjkzNlowFTETMBEGA1UEAwwKRXhhbXBsZSBDQTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABJsB8b8Pbjn7l6b5MGydqssCUjacAHCGlYbyjH7nJL/tX4OQAU2r
kPC+oxX/B46IDzmcS1H6RrLPlxd753Umg+6jUzBRMB0GA1UdDgQWBBQM9w0L6fyq
5CRRUv2VqC7N/m/jcTAfBgNVHSMEGDAWgBQM9w0L6fyq5CRRUv2VqC7N/m/jcTAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIGKVH6ZI5el3917fxDs+
QtKaHxnGmM4uW4d9z08IhXb9AiBbTMumcp4EBdaM4AveWpwJm5ZOA3tVOJMRNb0W
7V+iOw==
-----END CERTIFICATE-----
";

/// A provider whose certificate is of an authority of its own.
pub(crate) fn private_provider() -> String {
    PUBLIC.replace("{name: copr-oidc}", "{name: copr-oidc}\n      caConfigMap: {name: provider-ca}")
}

/// What is observed for it.
pub(crate) fn with_authority(pem: &str) -> Observed {
    Observed { oidc_authority: Some(secret("provider-ca", &[("ca.crt", pem)])), ..with_logins() }
}

pub(crate) fn parse(yaml: &str) -> CoprInstance {
    serde_saphyr::from_str(yaml).unwrap()
}

pub(crate) fn observed(platform: Platform) -> Observed {
    let key =
        |name: &str| KeyPair { private: format!("{name} PRIVATE\n"), public: format!("ssh-ed25519 {name}") };
    Observed {
        credentials: Credentials {
            database_password: "database-pw".into(),
            secret_key: "flask-secret".into(),
            backend_password: "backend-pw".into(),
            api_login: "api-login-1".into(),
            api_token: "api-token-1".into(),
            ssh: key("BACKEND"),
            builder_host: key("HOST"),
        },
        credentials_version: None,
        rotation: None,
        platform,
        database_secret: None,
        redis_secret: None,
        oidc_secret: None,
        oidc_authority: None,
        proxy_secret: None,
        served: Served::default(),
        user_tokens: BTreeMap::new(),
        now: k8s_openapi::jiff::Timestamp::UNIX_EPOCH,
    }
}

/// Every image that the instance names, as it names it.
pub(crate) fn provision(instance: &CoprInstance) -> Provision {
    let images = given_images(&instance.spec);
    Provision {
        packages: None,
        images: images.into_iter().map(|(image, name)| (image.key().to_owned(), name)).collect(),
        resolved: std::collections::BTreeMap::new(),
        finding: Finding::yes("Available", ""),
        look_again: None,
        failed: false,
        identity: BuildIdentity::default(),
    }
}

pub(crate) fn secret(name: &str, data: &[(&str, &str)]) -> External {
    let data: BTreeMap<_, _> = data.iter().map(|&(key, value)| (key.into(), value.into())).collect();
    External { name: name.into(), data: Some(data) }
}

pub(crate) fn with_secrets() -> Observed {
    Observed {
        database_secret: Some(secret(
            "pg",
            &[("uri", "postgresql+psycopg2://me:s3cr3t-pw@pg.example:5432/copr")],
        )),
        redis_secret: Some(secret("valkey", &[("host", "valkey.example"), ("port", "6380")])),
        ..observed(Platform::Kubernetes)
    }
}

pub(crate) fn with_logins() -> Observed {
    Observed {
        oidc_secret: Some(secret(
            "copr-oidc",
            &[("client_id", "copr"), ("client_secret", "oidc's-s3cr3t\n")],
        )),
        proxy_secret: Some(secret("copr-kerberos", &[("token", "0123456789abcdef")])),
        ..observed(Platform::Kubernetes)
    }
}

pub(crate) fn public() -> Instance {
    valid(PUBLIC, &with_logins()).unwrap()
}

pub(crate) fn valid(yaml: &str, observed: &Observed) -> Result<Instance, Error> {
    let instance = parse(yaml);
    let provision = provision(&instance);
    validate(&instance, observed, &provision)
}

pub(crate) fn minimal() -> Instance {
    valid(MINIMAL, &observed(Platform::Kubernetes)).unwrap()
}
