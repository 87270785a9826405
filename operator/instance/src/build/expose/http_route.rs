//! HTTPRoute of the Gateway API, as far as it is used here.

use copr_operator_api::v1alpha1::GatewayRef;
use kube::CustomResource;
use serde::{Deserialize, Serialize};

use super::{Target, metadata_of};
use crate::validate::Instance;

/// Leads a host of a Gateway to a Service.
#[derive(CustomResource, Serialize, Deserialize, Clone, Debug)]
#[kube(
    group = "gateway.networking.k8s.io",
    version = "v1",
    kind = "HTTPRoute",
    doc = "An HTTPRoute of the Gateway API.",
    namespaced,
    schema = "disabled"
)]
#[serde(rename_all = "camelCase")]
pub struct HTTPRouteSpec {
    parent_refs: Vec<GatewayRef>,
    hostnames: Vec<String>,
    rules: Vec<Rule>,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Rule {
    backend_refs: Vec<BackendRef>,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct BackendRef {
    name: String,
    port: i32,
}

pub(super) fn build(instance: &Instance, gateway: &GatewayRef, target: &Target<'_>) -> HTTPRoute {
    HTTPRoute {
        metadata: metadata_of(instance, target, None),
        spec: HTTPRouteSpec {
            parent_refs: vec![gateway.clone()],
            hostnames: vec![target.host.into()],
            rules: vec![Rule {
                backend_refs: vec![BackendRef {
                    name: instance.object(target.name),
                    port: target.port.number,
                }],
            }],
        },
    }
}
