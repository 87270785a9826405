//! Backend: the three dispatchers and the results web server, in one pod because they share the results
//! volume, locks and PIDs.

use k8s_openapi::api::core::v1::Container;

use super::{
    Objects, config, forget_workers,
    workload::{
        ContainerExt as _, Pod, claim, claim_volume, config_map, config_map_volume, container, empty_dir,
        files, http, secret, secret_volume, service, stateful_set,
    },
};
use crate::instance::{
    names::{BACKEND_HTTPD, Component, port},
    validate::Instance,
};

const CONF: &str = "copr-be.conf";
const MACROS: &str = "macro-overrides.json";
const RESULTS: &str = "/var/lib/copr/public_html/results";

pub(super) fn build(instance: &Instance) -> Objects {
    let component = Component::Backend;
    let name = component.name();
    let image = &instance.images.backend;
    let conf = files([(CONF, config::copr_be_conf::render(instance))]);
    let ssh = files([
        ("config", config::ssh_config::render()),
        ("id_ed25519", instance.credentials.ssh.private.clone()),
        ("known_hosts", config::ssh_config::known_hosts(instance)),
    ]);
    let mut public = files([
        ("sign.conf", config::sign_conf::client(instance)),
        (MACROS, config::macro_overrides::render()),
    ]);
    forget_workers::add_script(&mut public);
    let daemon = |name: &str, args: &[&str]| {
        container(name, image, args)
            .with_file("config", CONF, "/etc/copr/copr-be.conf")
            .with_file("public", "sign.conf", "/etc/sign.conf")
            .with_read_only("ssh", "/etc/copr-operator/ssh")
            .with_mount("data", RESULTS)
            .with_mount("lock", "/var/lock/copr-backend")
            .with_mount("log", "/var/log/copr-backend")
    };
    let forget = forget_workers::init(
        instance,
        image,
        "public",
        &["rpm_build_worker:*", "action_worker:*", "copr:lock:queue:/var/lib/copr/*"],
    );
    let httpd: Container = container("httpd", &instance.images.backend_httpd, &["httpd", "-DFOREGROUND"])
        .with_port("http", port::RESULTS)
        .with_read_only("data", RESULTS)
        .with_file("public", MACROS, "/var/lib/copr/public_html/macro-overrides.json")
        .with_readiness(http("/macro-overrides.json", port::RESULTS));
    Objects {
        secrets: vec![secret(instance, name, name, &conf), secret(instance, "backend-ssh", name, &ssh)],
        config_maps: vec![config_map(instance, name, name, &public)],
        claims: vec![claim(instance, component, &instance.storage.backend)],
        services: vec![service(instance, BACKEND_HTTPD, component, &[("http", port::RESULTS)])],
        stateful_sets: vec![stateful_set(
            instance,
            component,
            Pod {
                init: vec![forget],
                containers: vec![
                    daemon("log", &["copr_run_logger.py"]),
                    daemon("build", &["copr-run-dispatcher-backend", "builds"]),
                    daemon("action", &["copr-run-dispatcher-backend", "actions"]),
                    httpd,
                ],
                volumes: vec![
                    claim_volume(instance, component),
                    secret_volume(instance, "config", name),
                    secret_volume(instance, "ssh", "backend-ssh"),
                    config_map_volume(instance, "public", name),
                    empty_dir("lock"),
                    empty_dir("log"),
                ],
                share_process_namespace: true,
                files: vec![conf, ssh, public],
                ..Pod::default()
            },
        )],
        ..Objects::default()
    }
}
