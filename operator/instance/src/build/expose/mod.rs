//! What leads people to an instance: one object per host of `spec.url`, of the kind that `spec.expose` says.

mod http_route;
mod ingress;
mod route;

use std::collections::BTreeMap;

use copr_operator_api::{
    component::{BACKEND_HTTPD, Component, EXPOSE, Port, port},
    v1alpha1::{Expose, Url},
};
use k8s_openapi::api::networking::v1::Ingress;
use kube::{
    Resource,
    api::{ApiResource, ObjectMeta},
};

use super::{Objects, workload::metadata};
use crate::validate::{Exposure, Instance};

pub use http_route::HTTPRoute;
pub use route::Route;

/// A host, and the Service behind it.
pub struct Target<'a> {
    /// End of the names of the Service and of the object.
    pub name: &'static str,
    /// The host.
    pub host: &'a str,
    /// Port of the Service.
    port: Port,
}

/// The kind of the objects that `spec.expose` asks for.
pub fn kind(expose: Expose) -> Option<ApiResource> {
    fn of<K: Resource<DynamicType = ()>>() -> ApiResource {
        ApiResource::erase::<K>(&())
    }
    match expose {
        Expose::None => None,
        Expose::Ingress => Some(of::<Ingress>()),
        Expose::Route => Some(of::<Route>()),
        Expose::Gateway => Some(of::<HTTPRoute>()),
    }
}

pub(super) fn build(instance: &Instance) -> Objects {
    let Some(url) = &instance.url else { return Objects::default() };
    let targets = targets(url);
    match &instance.exposure {
        Exposure::None => Objects::default(),
        Exposure::Ingress(options) => Objects {
            ingresses: targets.iter().map(|target| ingress::build(instance, url, options, target)).collect(),
            ..Objects::default()
        },
        Exposure::Route(options) => Objects {
            routes: targets.iter().map(|target| route::build(instance, url, options, target)).collect(),
            ..Objects::default()
        },
        Exposure::Gateway(gateway) => Objects {
            http_routes: targets.iter().map(|target| http_route::build(instance, gateway, target)).collect(),
            ..Objects::default()
        },
    }
}

/// The hosts, in the order of the fields of `spec.url`.
pub fn targets(url: &Url) -> [Target<'_>; 3] {
    [
        Target { name: Component::Frontend.name(), host: &url.frontend, port: port::PUBLIC },
        Target { name: BACKEND_HTTPD, host: &url.results, port: port::RESULTS },
        Target { name: Component::DistGit.name(), host: &url.dist_git, port: port::DIST_GIT },
    ]
}

/// The label `component` is one of its own and not that of the component behind the Service: a component's StatefulSet waits when
/// an object of the component can't be applied, and no pod should wait for an Ingress.
fn metadata_of(
    instance: &Instance,
    target: &Target<'_>,
    annotations: Option<&BTreeMap<String, String>>,
) -> ObjectMeta {
    ObjectMeta {
        annotations: annotations.filter(|annotations| !annotations.is_empty()).cloned(),
        ..metadata(instance, target.name, EXPOSE)
    }
}

#[cfg(test)]
mod tests;
