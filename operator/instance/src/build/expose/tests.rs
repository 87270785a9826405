use copr_operator_kernel::served::Served;
use kube::ResourceExt as _;

use super::*;
use crate::{
    fixtures::{PUBLIC, minimal, public, valid, with_logins},
    validate::Error,
};

fn rendered(instance: &Instance) -> String {
    let plan = build(instance).plan().unwrap();
    plan.iter()
        .map(|planned| serde_saphyr::to_string(&planned.object).unwrap())
        .collect::<Vec<_>>()
        .join("---\n")
}

fn exposed(yaml: &str, kind: &str) -> Result<Instance, Error> {
    let mut observed = with_logins();
    observed.served = Served::of([kind]);
    valid(yaml, &observed)
}

fn gateway() -> String {
    PUBLIC.replace("    tlsSecret: {name: copr-tls}\n", "").replace(
        "expose: Ingress",
        "expose: Gateway\n  gateway: {name: edge, namespace: infra, sectionName: https}",
    )
}

#[test]
fn an_object_per_host_of_each_kind() {
    insta::assert_snapshot!("ingresses", rendered(&public()));
    let route = PUBLIC.replace("expose: Ingress", "expose: Route");
    insta::assert_snapshot!("routes", rendered(&exposed(&route, "Route").unwrap()));
    insta::assert_snapshot!("http_routes", rendered(&exposed(&gateway(), "HTTPRoute").unwrap()));
}

#[test]
fn nothing_is_made_where_nothing_is_asked_for() {
    assert_eq!(rendered(&minimal()), "");
    let own = PUBLIC.replace("expose: Ingress", "expose: None");
    assert_eq!(rendered(&exposed(&own, "Route").unwrap()), "");
}

#[test]
fn a_kind_that_the_cluster_lacks_is_named() {
    let route = PUBLIC.replace("expose: Ingress", "expose: Route");
    let error = exposed(&route, "HTTPRoute").unwrap_err();
    assert_eq!(error.reason(), "ExposeUnsupported");
    assert_eq!(
        error.to_string(),
        "expose: Route, but this cluster doesn't serve Route (route.openshift.io/v1)"
    );
    let error = exposed(&gateway(), "Route").unwrap_err().to_string();
    assert!(error.contains("expose: Gateway") && error.contains("gateway.networking.k8s.io/v1"), "{error}");
}

#[test]
fn every_port_that_is_led_to_is_a_port_of_the_service() {
    let instance = public();
    let services = super::super::build(&instance).services;
    for target in targets(instance.url.as_ref().unwrap()) {
        let service = services.iter().find(|s| s.name_any() == instance.object(target.name)).unwrap();
        let ports = service.spec.as_ref().unwrap().ports.as_ref().unwrap();
        let port = ports.iter().find(|port| port.name.as_deref() == Some(target.port.name)).unwrap();
        assert_eq!(port.port, target.port.number);
    }
}

#[test]
fn a_refused_ingress_holds_no_pod_back() {
    let plan = build(&public()).plan().unwrap();
    let components = Component::ALL.map(Component::name);
    for planned in plan {
        let component = planned.object.labels()[copr_operator_api::labels::COMPONENT].clone();
        assert!(!components.contains(&component.as_str()), "{component}");
    }
}
