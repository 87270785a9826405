//! Backend: the three dispatchers and the results web server, in one pod because they share the results
//! volume, locks and PIDs.

use copr_operator_api::component::{Component, port};
use k8s_openapi::api::core::v1::Container;

use super::{
    Objects, config, forget_workers, logs,
    volumes::{SMALL, bounded_dir, claim, claim_volume, config_map_volume, secret_volume},
    workload::{
        ContainerExt as _, Pod, SCRIPTS, config_map, container, files, http, secret, services, stateful_set,
    },
};
use crate::validate::Instance;

const CONF: &str = "copr-be.conf";
const MACROS: &str = "macro-overrides.json";
const RELAY: &str = "relay.py";
const RESULTS: &str = "/var/lib/copr/public_html/results";
const LOGS: &str = "/var/log/copr-backend";

pub(super) fn build(instance: &Instance) -> Objects {
    let component = Component::Backend;
    let name = component.name();
    let image = &instance.workloads.backend.image;
    let conf = files([(CONF, config::copr_be_conf::render(instance))]);
    let ssh = files([
        ("config", config::ssh_config::render()),
        ("id_ed25519", instance.credentials.ssh.private.clone()),
        ("known_hosts", config::ssh_config::known_hosts(instance)),
    ]);
    let mut public = files([
        ("sign.conf", config::sign_conf::client(instance)),
        (MACROS, config::macro_overrides::render()),
        (RELAY, include_str!("scripts/relay.py").to_owned()),
    ]);
    forget_workers::add_script(&mut public);
    logs::add_script(&mut public);
    let daemon = |container: Container| {
        container
            .with_file("config", CONF, "/etc/copr/copr-be.conf")
            .with_file("public", "sign.conf", "/etc/sign.conf")
            .with_read_only("ssh", "/etc/copr-operator/ssh")
            .with_mount("data", RESULTS)
            .with_mount("lock", "/var/lock/copr-backend")
            .with_mount("log", LOGS)
            // python-daemon closes all files, also the passwd file from which nss_wrapper gives the pod's uid a name: after that
            // only the environment names the user.
            .with_env("USER", "copr")
            .with_env("LOGNAME", "copr")
    };
    let dispatcher = |name: &str, tasks: &str, workers: &str| {
        let command = ["copr-run-dispatcher-backend", tasks];
        daemon(forget_workers::dispatcher(instance, image, "public", (name, &command), workers))
    };
    let forget = forget_workers::init(instance, image, "public", &["copr:lock:queue:/var/lib/copr/*"]);
    // `sign` connects by IPv4 only. So it connects to this relay on 127.0.0.1, which connects to signd by whichever family the
    // cluster has.
    let (script, signd) = (format!("{SCRIPTS}/{RELAY}"), port::SIGND.number.to_string());
    let keygen = instance.host(Component::Keygen.name());
    let relay = container("signd", image, &["python3", &script, "127.0.0.1", &signd, &keygen, &signd])
        .with_read_only("public", SCRIPTS);
    let httpd: Container = container("httpd", &instance.workloads.httpd_image, &["httpd", "-DFOREGROUND"])
        .with_port(port::RESULTS)
        .with_read_only("data", RESULTS)
        .with_file("public", MACROS, "/var/lib/copr/public_html/macro-overrides.json")
        .with_readiness(http("/macro-overrides.json", port::RESULTS));
    Objects {
        secrets: vec![secret(instance, name, name, &conf), secret(instance, "backend-ssh", name, &ssh)],
        config_maps: vec![config_map(instance, name, name, &public)],
        claims: vec![claim(instance, component)],
        services: services(instance, component),
        stateful_sets: vec![stateful_set(
            instance,
            component,
            Pod {
                init: vec![forget],
                containers: vec![
                    daemon(container("log", image, &["copr_run_logger.py"])),
                    dispatcher("build", "builds", "rpm_build_worker:*"),
                    dispatcher("action", "actions", "action_worker:*"),
                    httpd,
                    relay,
                    logs::follow(image, "public", ("log", LOGS), None),
                ],
                volumes: vec![
                    claim_volume(instance, component),
                    secret_volume(instance, "config", name),
                    secret_volume(instance, "ssh", "backend-ssh"),
                    config_map_volume(instance, "public", name),
                    bounded_dir("lock", SMALL),
                    bounded_dir("log", logs::FOLDER_SIZE),
                ],
                share_process_namespace: true,
                files: vec![conf, ssh, public],
                ..Pod::default()
            },
        )],
        ..Objects::default()
    }
}
