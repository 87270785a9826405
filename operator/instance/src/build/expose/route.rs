//! Route of OpenShift, as far as it is used here.

use copr_operator_api::v1alpha1::{RouteOptions, Scheme, SecretRef, Url};
use kube::CustomResource;
use serde::{Deserialize, Serialize};

use super::{Target, metadata_of};
use crate::validate::Instance;

/// Leads a host to a Service.
#[derive(CustomResource, Serialize, Deserialize, Clone, Debug)]
#[kube(
    group = "route.openshift.io",
    version = "v1",
    kind = "Route",
    doc = "A Route of OpenShift.",
    namespaced,
    schema = "disabled"
)]
#[serde(rename_all = "camelCase")]
pub struct RouteSpec {
    host: String,
    to: To,
    port: Port,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls>,
    wildcard_policy: String,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct To {
    kind: String,
    name: String,
    weight: i32,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Port {
    target_port: String,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Tls {
    termination: String,
    insecure_edge_termination_policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_certificate: Option<SecretRef>,
}

pub(super) fn build(instance: &Instance, url: &Url, options: &RouteOptions, target: &Target<'_>) -> Route {
    let tls = Tls {
        termination: "edge".into(),
        insecure_edge_termination_policy: "Redirect".into(),
        // Absent: the router's own certificate.
        external_certificate: url.tls_secret.clone(),
    };
    Route {
        metadata: metadata_of(instance, target, Some(&options.annotations)),
        spec: RouteSpec {
            host: target.host.into(),
            to: To { kind: "Service".into(), name: instance.object(target.name), weight: 100 },
            port: Port { target_port: target.port.name.into() },
            tls: (url.scheme == Scheme::Https).then_some(tls),
            wildcard_policy: "None".into(),
        },
    }
}
