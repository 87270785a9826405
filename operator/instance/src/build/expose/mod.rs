//! What leads people to an instance: one object per host of `spec.url`, of the kind that `spec.expose` says.

mod http_route;
mod ingress;
mod route;

use std::collections::BTreeMap;

use copr_operator_api::{
    component::{BACKEND_HTTPD, Component, EXPOSE, Port, port},
    v1alpha1::Url,
};
use kube::api::ObjectMeta;

use super::{Objects, workload::metadata};
use crate::validate::{Exposure, Instance};

pub use http_route::HTTPRoute;
pub use route::Route;

/// A host, and the Service behind it.
struct Target<'a> {
    /// End of the names of the Service and of the object.
    name: &'static str,
    host: &'a str,
    /// Port of the Service.
    port: Port,
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

fn targets(url: &Url) -> [Target<'_>; 3] {
    [
        Target { name: Component::Frontend.name(), host: &url.frontend, port: port::PUBLIC },
        Target { name: BACKEND_HTTPD, host: &url.results, port: port::RESULTS },
        Target { name: Component::DistGit.name(), host: &url.dist_git, port: port::DIST_GIT },
    ]
}

/// Not of the component's own label: a pod isn't held back because an Ingress was refused.
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
