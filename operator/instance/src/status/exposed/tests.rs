use serde_json::{Value, json};

use super::*;
use crate::fixtures::{PUBLIC, parse};

const ENDS: [(&str, &str); 3] = [
    ("frontend", "copr.example.org"),
    ("backend-httpd", "results.copr.example.org"),
    ("dist-git", "git.copr.example.org"),
];

fn instance(expose: &str) -> CoprInstance {
    let gateway = "expose: Gateway\n  gateway: {name: edge, namespace: infra, sectionName: https}";
    let expose = if expose == "Gateway" { gateway.into() } else { format!("expose: {expose}") };
    parse(&PUBLIC.replace("expose: Ingress", &expose))
}

fn object(name: &str, more: &Value) -> DynamicObject {
    let mut object = json!({"metadata": {
        "name": format!("demo-{name}"), "namespace": "team", "generation": 2, "uid": name,
    }});
    for (key, value) in more.as_object().unwrap() {
        object[key] = value.clone();
    }
    serde_json::from_value(object).unwrap()
}

fn judged(expose: &str, objects: Vec<DynamicObject>) -> (&'static str, String, String) {
    let seen = Seen { exposed: objects, ..Seen::default() };
    let Finding { status, reason, message } = assess(&instance(expose), &seen).unwrap();
    (status, reason, message)
}

/// All three, of which the last one has this status.
fn all(
    expose: &str,
    spec: impl Fn(&str) -> Value,
    good: impl Fn(&str) -> Value,
    last: &Value,
) -> (&'static str, String, String) {
    let objects = ENDS.map(|(name, host)| {
        let status = if name == "dist-git" { last.clone() } else { good(host) };
        object(name, &json!({"spec": spec(host), "status": status}))
    });
    judged(expose, objects.into())
}

/// As ingress-nginx writes it.
fn ingresses(last: &Value) -> (&'static str, String, String) {
    let good = |_: &str| json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}});
    all("Ingress", |host| json!({"ingressClassName": "nginx", "rules": [{"host": host}]}), good, last)
}

/// As OpenShift's router writes it.
fn admitted(host: &str, router: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({
        "host": host, "routerName": router, "wildcardPolicy": "None",
        "routerCanonicalHostname": "router-default.apps.example.com",
        "conditions": [{
            "type": "Admitted", "status": status, "reason": reason, "message": message,
            "lastTransitionTime": "2026-11-26T08:00:00Z",
        }],
    })
}

fn routes(last: &[Value]) -> (&'static str, String, String) {
    let good = |host: &str| json!({"ingress": [admitted(host, "default", "True", "", "")]});
    all("Route", |host| json!({"host": host, "to": {"name": "x"}}), good, &json!({"ingress": last}))
}

/// As the controllers of Gateways write it.
fn parent(section: &str, generation: i64, conditions: &[(&str, &str, &str, &str)]) -> Value {
    let conditions: Vec<_> = conditions
        .iter()
        .map(|(type_, status, reason, message)| {
            json!({
                "type": type_, "status": status, "reason": reason, "message": message,
                "observedGeneration": generation, "lastTransitionTime": "2026-11-26T08:00:00Z",
            })
        })
        .collect();
    json!({
        "controllerName": "gateway.envoyproxy.io/gatewayclass-controller",
        "parentRef": {
            "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge", "namespace": "infra", "sectionName": section,
        },
        "conditions": conditions,
    })
}

const ACCEPTED: (&str, &str, &str, &str) = ("Accepted", "True", "Accepted", "Route is accepted");
const RESOLVED: (&str, &str, &str, &str) =
    ("ResolvedRefs", "True", "ResolvedRefs", "Resolved all the Object references");

fn http_routes(last: &[Value]) -> (&'static str, String, String) {
    let spec = |host: &str| json!({"hostnames": [host], "parentRefs": [{"name": "edge", "namespace": "infra", "sectionName": "https"}]});
    let good = |_: &str| json!({"parents": [parent("https", 2, &[ACCEPTED, RESOLVED])]});
    all("Gateway", spec, good, &json!({"parents": last}))
}

#[test]
fn nothing_is_said_where_nothing_is_exposed() {
    assert!(assess(&instance("None"), &Seen::default()).is_none());
    let (mut status, now) = (CoprInstanceStatus::default(), Timestamp::UNIX_EPOCH);
    report(&instance("Ingress"), &Seen::default(), &mut status, now);
    assert!(conditions::get(&status.conditions, CONDITION).is_some());
    report(&instance("None"), &Seen::default(), &mut status, now);
    assert!(conditions::get(&status.conditions, CONDITION).is_none());
}

#[test]
fn what_does_not_exist_yet_is_pending() {
    let (status, reason, message) = judged("Ingress", Vec::new());
    assert_eq!((status, reason.as_str()), ("Unknown", "Pending"));
    assert!(
        message.starts_with("Ingress demo-frontend (copr.example.org): it doesn't exist yet; "),
        "{message}"
    );
}

#[test]
fn an_ingress_is_served_once_it_has_an_address() {
    let (status, reason, message) =
        ingresses(&json!({"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}}));
    assert_eq!((status, reason.as_str()), ("True", "Admitted"));
    assert!(message.contains("demo-frontend (copr.example.org): at 192.0.2.10"), "{message}");
    assert!(message.ends_with("demo-dist-git (git.copr.example.org): at lb.example.com"), "{message}");
    for nothing in [json!({}), json!({"loadBalancer": {}}), json!({"loadBalancer": {"ingress": []}})] {
        let said = ingresses(&nothing);
        let message = "Ingress demo-dist-git (git.copr.example.org): no Ingress controller has given it an address (IngressClass nginx)";
        assert_eq!(said, ("Unknown", "Pending".into(), message.into()));
    }
}

#[test]
fn an_ingress_without_a_class_and_with_a_warning_says_both() {
    let warning = json!({
        "metadata": {}, "involvedObject": {"uid": "frontend"}, "reason": "FailedBuildModel",
        "message": "couldn't auto-discover subnets",
    });
    let seen = Seen {
        exposed: vec![object("frontend", &json!({"spec": {}}))],
        warnings: vec![serde_json::from_value(warning).unwrap()],
        ..Seen::default()
    };
    let said = assess(&instance("Ingress"), &seen).unwrap().message;
    assert!(
        said.contains("(the cluster's default IngressClass): couldn't auto-discover subnets; "),
        "{said}"
    );
}

#[test]
fn a_route_is_what_its_router_says() {
    let git = "git.copr.example.org";
    let said = routes(&[admitted(git, "default", "True", "", "")]);
    assert_eq!((said.0, said.1.as_str()), ("True", "Admitted"));
    assert!(
        said.2.ends_with("Route demo-dist-git (git.copr.example.org): by the router default"),
        "{}",
        said.2
    );

    let claimed = "route git already exposes git.copr.example.org and is older";
    let refused = admitted(git, "default", "False", "HostAlreadyClaimed", claimed);
    let said = routes(std::slice::from_ref(&refused));
    let message = format!("Route demo-dist-git ({git}): router default: HostAlreadyClaimed: {claimed}");
    assert_eq!(said, ("False", "NotAdmitted".into(), message));
    // Of several routers one is enough.
    assert_eq!(routes(&[refused, admitted(git, "internal", "True", "", "")]).0, "True");
}

#[test]
fn a_route_that_no_router_has_answered_for_is_pending() {
    let before = admitted("old.example.org", "default", "True", "", "");
    for nothing in
        [vec![], vec![before], vec![json!({"host": "git.copr.example.org", "routerName": "default"})]]
    {
        let said = routes(&nothing);
        let message = "Route demo-dist-git (git.copr.example.org): no router has answered for it";
        assert_eq!(said, ("Unknown", "Pending".into(), message.into()));
    }
}

#[test]
fn an_http_route_is_what_its_gateway_says() {
    let said = http_routes(&[parent("https", 2, &[ACCEPTED, RESOLVED])]);
    assert_eq!((said.0, said.1.as_str()), ("True", "Admitted"));
    assert!(
        said.2.ends_with("(git.copr.example.org): by the Gateway infra/edge (gateway.envoyproxy.io/gatewayclass-controller)"),
        "{}",
        said.2
    );
    let host = ("Accepted", "False", "NoMatchingListenerHostname", "no listener lets the host in");
    let service = ("ResolvedRefs", "False", "BackendNotFound", "Service team/demo-dist-git not found");
    for (conditions, words) in [
        ([host, RESOLVED], "NoMatchingListenerHostname: no listener lets the host in"),
        ([ACCEPTED, service], "BackendNotFound: Service team/demo-dist-git not found"),
    ] {
        let message = format!("HTTPRoute demo-dist-git (git.copr.example.org): Gateway infra/edge: {words}");
        assert_eq!(http_routes(&[parent("https", 2, &conditions)]), ("False", "NotAdmitted".into(), message));
    }
}

#[test]
fn an_http_route_that_its_gateway_has_not_answered_for_is_pending() {
    let before = parent("https", 1, &[ACCEPTED, RESOLVED]);
    let of_another_listener = parent("http", 2, &[ACCEPTED, RESOLVED]);
    let half = parent("https", 2, &[ACCEPTED]);
    for nothing in [vec![], vec![before], vec![of_another_listener], vec![half]] {
        let said = http_routes(&nothing);
        let message =
            "HTTPRoute demo-dist-git (git.copr.example.org): the Gateway infra/edge hasn't answered for it";
        assert_eq!(said, ("Unknown", "Pending".into(), message.into()), "{nothing:?}");
    }
}

#[test]
fn what_is_refused_is_told_before_what_is_waited_for() {
    let frontend = object(
        "frontend",
        &json!({
            "spec": {"host": "copr.example.org"},
            "status": {"ingress": [admitted("copr.example.org", "default", "False", "ExternalCertificateValidationFailed", "secrets \"copr-tls\" is forbidden")]},
        }),
    );
    let (status, _, message) = judged("Route", vec![frontend]);
    assert_eq!(status, "False");
    assert!(
        message.ends_with("secrets \"copr-tls\" is forbidden") && !message.contains("dist-git"),
        "{message}"
    );
}

#[test]
fn a_status_that_is_not_as_its_kind_says_counts_as_none() {
    let odd = json!({"parents": "many", "ingress": 3, "loadBalancer": []});
    for expose in ["Ingress", "Route", "Gateway"] {
        let objects = ENDS.map(|(name, _)| object(name, &json!({"spec": null, "status": odd})));
        assert_eq!(judged(expose, objects.into()).0, "Unknown", "{expose}");
    }
}
