//! Where people reach an instance, and by which objects.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretRef;

/// Where people reach the instance: in browsers, for copr-cli, git and dnf. Links, `.repo` files and e-mails have these URLs. What runs
/// inside the cluster (builders, tests) goes on using the Services, so the hosts need not resolve there.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.frontend != self.results && self.frontend != self.distGit && self.results != self.distGit")
    .message("url.frontend, url.results and url.distGit are three different hosts"))]
#[x_kube(validation = Rule::new("!has(self.tlsSecret) || self.scheme == 'https'")
    .message("url.tlsSecret is for url.scheme https"))]
pub struct Url {
    /// `https`, unless nothing ends TLS in front of the instance.
    #[serde(default)]
    pub scheme: Scheme,
    /// Host of the web UI and the API, for example `copr.example.org`. The redirect URI to register with an OpenID Connect provider is
    /// `https://<frontend>/oidc_auth/`.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$")
    )]
    pub frontend: String,
    /// Host of the build results, for example `results.copr.example.org`: the `baseurl` of every repository.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$")
    )]
    pub results: String,
    /// Host of dist-git, for example `git.copr.example.org`.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$")
    )]
    pub dist_git: String,
    /// A Secret of type `kubernetes.io/tls` whose certificate is good for the three hosts. Absent: the certificate that the Ingress
    /// controller or the router has. With `expose: Gateway` the Gateway's listener has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_secret: Option<SecretRef>,
}

/// How the URLs of an instance start.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// `http://`
    Http,
    /// `https://`: TLS ends at the Ingress controller, the router, the Gateway, or whatever else leads to the Services.
    #[default]
    Https,
}

impl Scheme {
    /// As it is written in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What leads people to the instance.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expose {
    /// Nothing that the operator makes: bring your own to the ports `public` of the Service `<name>-frontend`, `http` of
    /// `<name>-backend-httpd` and `http` of `<name>-dist-git`.
    #[default]
    None,
    /// An Ingress per host.
    Ingress,
    /// A Route of OpenShift per host.
    Route,
    /// An HTTPRoute of the Gateway API per host.
    Gateway,
}

/// The Ingresses of `expose: Ingress`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct IngressOptions {
    /// The IngressClass. Absent: the cluster's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,
    /// Annotations, for example `nginx.ingress.kubernetes.io/proxy-body-size: "0"`: source packages that are uploaded may be large.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub annotations: BTreeMap<String, String>,
}

/// The Routes of `expose: Route`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RouteOptions {
    /// Annotations, for example `haproxy.router.openshift.io/timeout: 10m`: by default an upload may take 30 seconds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub annotations: BTreeMap<String, String>,
}

/// The Gateway that the HTTPRoutes of `expose: Gateway` are attached to.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct GatewayRef {
    /// Name of the Gateway.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Its namespace. Absent: the instance's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// Its listener. Absent: every listener that lets the hosts in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub section_name: Option<String>,
}
