//! What leads people to an instance. Pure.

use copr_operator_api::v1alpha1::{CoprInstanceSpec, Expose, GatewayRef, IngressOptions, RouteOptions};
use copr_operator_kernel::served::Served;
use kube::{Resource, api::ApiResource};

use super::Error;
use crate::build::expose::{HTTPRoute, Route};

/// What leads people to an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Exposure {
    /// Nothing that the operator makes.
    #[default]
    None,
    /// Ingresses.
    Ingress(IngressOptions),
    /// Routes of OpenShift.
    Route(RouteOptions),
    /// HTTPRoutes, attached to this Gateway.
    Gateway(GatewayRef),
}

impl Exposure {
    /// As the spec says, if the cluster can.
    pub fn of(spec: &CoprInstanceSpec, served: &Served) -> Result<Self, Error> {
        match spec.expose {
            Expose::None => Ok(Self::None),
            Expose::Ingress => Ok(Self::Ingress((*spec.ingress).clone())),
            Expose::Route => {
                check::<Route>("Route", served)?;
                Ok(Self::Route((*spec.route).clone()))
            }
            Expose::Gateway => {
                check::<HTTPRoute>("Gateway", served)?;
                let missing =
                    || Error::Field { field: "gateway".into(), problem: "expose: Gateway needs it".into() };
                Ok(Self::Gateway(spec.gateway.as_deref().cloned().ok_or_else(missing)?))
            }
        }
    }
}

fn check<K: Resource<DynamicType = ()>>(expose: &'static str, served: &Served) -> Result<(), Error> {
    let resource = ApiResource::erase::<K>(&());
    if served.has(&resource) {
        return Ok(());
    }
    let ApiResource { kind, group, version, .. } = resource;
    Err(Error::NotServed { expose, kind, group, version })
}
