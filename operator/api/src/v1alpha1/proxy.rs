//! The way out of a cluster that has no direct one.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Proxies for what is fetched from outside of the cluster, as the environment variables `http_proxy`, `https_proxy` and `no_proxy` (in both
/// cases) of builders, builds of images, tests and the frontend: the other components talk to each other only. What the operator
/// itself reads (repositories, registries) it reads as the variables of its own Deployment say, and nodes pull images as their
/// runtime is set up.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.http) || has(self.https)").message("proxy needs http or https"))]
pub struct Proxy {
    /// For http URLs, such as `http://proxy.example.org:3128`. Without credentials: every build could read them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("!self.contains('@')")
        .message("proxy.http must not hold credentials: every build could read them. Use a proxy that lets the cluster's pods in by their address"))]
    #[x_kube(validation = Rule::new("self.matches('^https?://([A-Za-z0-9._-]+|\\\\[[0-9A-Fa-f:.]+\\\\])(:[0-9]{1,5})?/?$')")
        .message("proxy.http is an http or https URL of a host and a port, such as http://proxy.example.org:3128"))]
    pub http: Option<String>,
    /// For https URLs. Mostly the same as `http`: the URL of the proxy, not of what is fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("!self.contains('@')")
        .message("proxy.https must not hold credentials: every build could read them. Use a proxy that lets the cluster's pods in by their address"))]
    #[x_kube(validation = Rule::new("self.matches('^https?://([A-Za-z0-9._-]+|\\\\[[0-9A-Fa-f:.]+\\\\])(:[0-9]{1,5})?/?$')")
        .message("proxy.https is an http or https URL of a host and a port, such as http://proxy.example.org:3128"))]
    pub https: Option<String>,
    /// Hosts, domains (`.example.org`) and addresses that are reached directly. Services of the cluster by their short names
    /// (`.svc`) and the pod itself always are. A registry or repository in the cluster that is named with the cluster's domain
    /// (`registry.team.svc.cluster.local`) has to be in the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 64),
        inner(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z0-9*._:/\[\]-]+$"))
    )]
    pub no_proxy: Vec<String>,
}

/// What is reached directly, whatever the spec says.
const INSIDE: [&str; 4] = ["localhost", "127.0.0.1", "::1", ".svc"];

impl Proxy {
    /// The environment variables of a container that fetches from outside, in both spellings: curl and Python read the one, Go and
    /// some others the other.
    pub fn variables(&self) -> Vec<(String, String)> {
        let inside = INSIDE.into_iter().chain(self.no_proxy.iter().map(String::as_str));
        let values = [
            ("http_proxy", self.http.clone()),
            ("https_proxy", self.https.clone()),
            ("no_proxy", Some(inside.collect::<Vec<_>>().join(","))),
        ];
        let given = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given
            .flat_map(|(name, value)| [(name.to_owned(), value.clone()), (name.to_uppercase(), value)])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_is_reached_directly_whatever_the_spec_says() {
        let proxy = Proxy {
            http: Some("http://proxy.example:3128".into()),
            https: None,
            no_proxy: vec![".example.org".into(), "10.0.0.0/8".into()],
        };
        let variables = proxy.variables();
        let value =
            |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(value("http_proxy"), Some("http://proxy.example:3128"));
        assert_eq!(value("HTTP_PROXY"), value("http_proxy"));
        assert_eq!(value("https_proxy"), None);
        assert_eq!(value("no_proxy"), Some("localhost,127.0.0.1,::1,.svc,.example.org,10.0.0.0/8"));
        assert_eq!(value("NO_PROXY"), value("no_proxy"));
    }
}
