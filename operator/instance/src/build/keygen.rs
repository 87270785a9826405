//! Keygen: signd and its HTTP front in one pod, over one key ring.

use copr_operator_api::component::{Component, port};
use k8s_openapi::api::core::v1::{Container, ExecAction, Probe};

use super::{
    Objects, config,
    volumes::{MEDIUM, bounded_dir, claim, claim_volume, config_map_volume},
    workload::{ContainerExt as _, Pod, SCRIPTS, config_map, container, files, http, services, stateful_set},
};
use crate::validate::Instance;

pub(super) fn build(instance: &Instance) -> Objects {
    let component = Component::Keygen;
    let name = component.name();
    let image = &instance.workloads.keygen.image;
    let conf = files([
        ("sign.conf", config::sign_conf::server()),
        ("relay.py", include_str!("scripts/relay.py").to_owned()),
        ("signd-serve", include_str!("scripts/signd-serve").to_owned()),
    ]);
    let serve = format!("{SCRIPTS}/signd-serve");
    let signd_port = port::SIGND.number.to_string();
    let mounted = |container: Container| {
        container
            .with_file("config", "sign.conf", "/etc/sign.conf")
            .with_mount("data", "/var/lib/copr-keygen")
            .with_mount("run", "/run/signd")
            .with_mount("log", "/var/log/copr-keygen")
            .with_env("GNUPGHOME", "/var/lib/copr-keygen/gnupg")
            // gpg-copr refuses to run as another user, and takes the user's name from the environment.
            .with_env("USER", "copr-signer")
            .with_env("LOGNAME", "copr-signer")
    };
    // Both folders are made by keygen's RPM, in the image. The volume is mounted over them, so they are made in it, readable by
    // their owner alone as gpg demands.
    let folders = container(
        "folders",
        image,
        &["mkdir", "-p", "-m", "700", "/var/lib/copr-keygen/phrases", "/var/lib/copr-keygen/gnupg"],
    )
    .with_mount("data", "/var/lib/copr-keygen");
    let signd = mounted(container("signd", image, &["python3", &serve, &signd_port, "signd"]))
        .with_read_only("config", SCRIPTS)
        .with_port(port::SIGND);
    let signd = Container {
        startup_probe: Some(Probe { period_seconds: Some(2), failure_threshold: Some(300), ..listening() }),
        readiness_probe: Some(Probe { period_seconds: Some(10), failure_threshold: Some(3), ..listening() }),
        ..signd
    };
    let httpd = mounted(container("httpd", image, &["httpd", "-DFOREGROUND"]))
        .with_port(port::KEYGEN)
        .with_readiness(http("/ping", port::KEYGEN));
    Objects {
        config_maps: vec![config_map(instance, name, name, &conf)],
        claims: vec![claim(instance, component)],
        services: services(instance, component),
        stateful_sets: vec![stateful_set(
            instance,
            component,
            Pod {
                init: vec![folders],
                containers: vec![signd, httpd],
                volumes: vec![
                    claim_volume(instance, component),
                    config_map_volume(instance, "config", name),
                    bounded_dir("run", MEDIUM),
                    bounded_dir("log", MEDIUM),
                ],
                // gpg takes a lock of the key ring for stale if no process has the PID in it, so it must see the processes of the
                // other container.
                share_process_namespace: true,
                files: vec![conf],
                ..Pod::default()
            },
        )],
        ..Objects::default()
    }
}

/// Whether signd listens. It is looked up in the kernel's table of sockets, where ports are hexadecimal and 0A is the state LISTEN:
/// a probe that connects would make signd log a line each time.
fn listening() -> Probe {
    let socket = format!(":{:04X} [0-9A-F]+:0000 0A ", port::SIGND.number);
    let command = ["grep", "-qsE", &socket, "/proc/net/tcp", "/proc/net/tcp6"];
    Probe {
        exec: Some(ExecAction { command: Some(command.map(Into::into).into()) }),
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}
