//! Frontend: the schema and seed steps as init containers, then httpd.

use copr_operator_api::{
    component::{Component, port},
    names::credentials,
};

use k8s_openapi::{
    api::core::v1::{Container, HTTPHeader, Probe, Service, ServicePort},
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{
    Objects, config,
    volumes::{MEDIUM, SMALL, bounded_dir, claim, claim_volume, config_map_volume, secret_volume},
    workload::{
        ContainerExt as _, Pod, SCRIPTS, config_map, container, files, http, secret, services, stateful_set,
    },
};
use crate::validate::Instance;

/// Init container that creates or upgrades the schema. Its name is part of a condition's reason.
pub const SCHEMA: &str = "schema";
/// Init container that brings the administrator and what the lists say into the database.
pub const SEED: &str = "seed";

const CONF: &str = "copr.conf";
const HTTPD_CONF: &str = "copr-operator.conf";
/// The Secret with the lists: tokens are among them.
const LISTS: &str = "frontend-lists";
/// Script and init container that make the bundle of the certificate authorities that the frontend trusts.
const TRUST: &str = "trust";
/// The provider's authority, in the Secret with the configuration.
const CA: &str = "ca.crt";
/// Where the bundle is.
const AUTHORITIES: &str = "/run/copr-operator/authorities";
const BUNDLE: &str = "/run/copr-operator/authorities/ca-bundle.crt";

pub(super) fn build(instance: &Instance) -> Objects {
    let component = Component::Frontend;
    let name = component.name();
    let image = &instance.workloads.frontend.image;
    let mut conf = files([(CONF, config::copr_conf::render(instance))]);
    let mut scripts = files([
        (SCHEMA, include_str!("scripts/schema").to_owned()),
        (SEED, include_str!("scripts/seed").to_owned()),
        ("steps.sh", include_str!("scripts/steps.sh").to_owned()),
        ("admin.py", include_str!("scripts/admin.py").to_owned()),
        ("lists.py", include_str!("scripts/lists.py").to_owned()),
    ]);
    let lists = files([("lists.json", serde_json::to_string_pretty(&instance.lists).unwrap_or_default())]);
    // The seed step gets these from the Secret by `secretKeyRef`, so the pod's template doesn't change with them. They count as
    // files of the pod so that another token restarts it.
    let seeded = files([
        ("api-login", instance.credentials.api_login.clone()),
        ("api-token", instance.credentials.api_token.clone()),
    ]);
    let mounted = |container: Container| {
        container
            .with_file("config", CONF, "/etc/copr/copr.conf")
            .with_mount("data", "/var/lib/copr/data")
            .with_mount("log", "/var/log/copr-frontend")
    };
    let schema = mounted(container(SCHEMA, image, &["bash", "/etc/copr-operator/scripts/schema"]))
        .with_read_only("scripts", SCRIPTS);
    let credentials = credentials(&instance.name);
    let seed = mounted(container(SEED, image, &["bash", "/etc/copr-operator/scripts/seed"]))
        .with_read_only("scripts", SCRIPTS)
        .with_read_only("lists", "/etc/copr-operator/lists")
        .with_env("COPR_USER", &instance.admin.name)
        .with_env("COPR_EMAIL", &instance.admin.email)
        .with_secret_env("COPR_API_LOGIN", &credentials, "api-login")
        .with_secret_env("COPR_API_TOKEN", &credentials, "api-token");
    let probe = |path| for_host(http(path, port::FRONTEND), &instance.frontend_host());
    let mut httpd = mounted(container("httpd", image, &["httpd", "-DFOREGROUND"]))
        .with_port(port::FRONTEND)
        .with_readiness(probe("/api_3/mock-chroots/list"))
        .with_liveness(probe("/stats_rcv/"));
    if let Some(httpd_conf) = config::copr_operator_conf::render(instance) {
        httpd = httpd.with_file("config", HTTPD_CONF, "/etc/httpd/conf.d/copr-operator.conf");
        conf.insert(HTTPD_CONF.into(), httpd_conf);
    }
    let mut init = vec![schema, seed];
    let mut volumes = vec![
        claim_volume(instance, component),
        secret_volume(instance, "config", name),
        config_map_volume(instance, "scripts", "frontend-scripts"),
        secret_volume(instance, "lists", LISTS),
        bounded_dir("log", MEDIUM),
    ];
    if let Some(authority) = instance.login.oidc.as_ref().and_then(|oidc| oidc.authority.clone()) {
        conf.insert(CA.into(), authority);
        scripts.insert(TRUST.into(), include_str!("scripts/trust").to_owned());
        init.insert(0, trust(image));
        // Of Python's requests, by which authlib reads the provider's metadata, keys and user info.
        httpd = httpd.with_read_only("authorities", AUTHORITIES).with_env("REQUESTS_CA_BUNDLE", BUNDLE);
        volumes.push(bounded_dir("authorities", SMALL));
    }
    Objects {
        secrets: vec![secret(instance, name, name, &conf), secret(instance, LISTS, name, &lists)],
        config_maps: vec![config_map(instance, "frontend-scripts", name, &scripts)],
        claims: vec![claim(instance, component)],
        services: services(instance, component)
            .into_iter()
            .map(|service| two_sided(instance, service))
            .collect(),
        stateful_sets: vec![stateful_set(
            instance,
            component,
            Pod {
                init,
                containers: vec![httpd],
                volumes,
                files: vec![conf, scripts, lists, seeded],
                ..Pod::default()
            },
        )],
        ..Objects::default()
    }
}

/// The init container that makes the bundle. The image's own authorities are known inside the image only.
fn trust(image: &str) -> Container {
    let ca = "/etc/copr-operator/ca/ca.crt";
    container(TRUST, image, &["bash", "/etc/copr-operator/scripts/trust", ca, BUNDLE])
        .with_read_only("scripts", SCRIPTS)
        .with_file("config", CA, ca)
        .with_mount("authorities", AUTHORITIES)
}

/// With `spec.url` the Service's first port leads to the one that answers with the URLs of Services, and people get a port of their
/// own.
fn two_sided(instance: &Instance, mut service: Service) -> Service {
    let ports = service.spec.as_mut().and_then(|spec| spec.ports.as_mut());
    if let (Some(ports), Some(_)) = (ports, &instance.url) {
        for inside in ports.iter_mut() {
            inside.target_port = Some(IntOrString::Int(port::INSIDE.number));
        }
        ports.push(ServicePort {
            name: Some(port::PUBLIC.name.into()),
            port: port::PUBLIC.number,
            target_port: Some(IntOrString::Int(port::FRONTEND.number)),
            protocol: Some("TCP".into()),
            ..ServicePort::default()
        });
    }
    service
}

/// The probe with the host that the frontend is asked for: before version 3.1 Flask answers no other.
fn for_host(mut probe: Probe, host: &str) -> Probe {
    if let Some(get) = &mut probe.http_get {
        get.http_headers = Some(vec![HTTPHeader { name: "Host".into(), value: host.into() }]);
    }
    probe
}
