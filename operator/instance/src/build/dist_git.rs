//! Dist-git: the importer and the web server that builders clone from.

use copr_operator_api::component::{Component, port};
use k8s_openapi::api::core::v1::Container;

use super::{
    Objects, config, forget_workers, logs,
    volumes::{MEDIUM, SMALL, bounded_dir, claim, claim_volume, config_map_volume, secret_volume},
    workload::{ContainerExt as _, Pod, config_map, container, files, secret, services, stateful_set, tcp},
};
use crate::validate::Instance;

const CONF: &str = "copr-dist-git.conf";
/// The importer's own log is in it, and below it one per import.
const STATE: &str = "/var/lib/copr-dist-git";
const TASK_LOGS: &str = "/var/lib/copr-dist-git/per-task-logs";

pub(super) fn build(instance: &Instance) -> Objects {
    let component = Component::DistGit;
    let name = component.name();
    let image = &instance.workloads.dist_git.image;
    let conf = files([(CONF, config::copr_dist_git_conf::render(instance))]);
    let mut public = files([("gitconfig", config::gitconfig::render())]);
    forget_workers::add_script(&mut public);
    logs::add_script(&mut public);
    let mounted = |container: Container| {
        container
            .with_file("config", CONF, "/etc/copr/copr-dist-git.conf")
            .with_file("public", "gitconfig", "/etc/gitconfig")
            .with_mount("data", "/var/lib/dist-git")
            .with_mount("state", STATE)
            .with_mount("lock", "/var/lock/copr-dist-git")
            .with_mount("cgit", "/var/cache/cgit")
            // The importer asks for the name of its user. python-daemon closes all files, also the passwd file from which
            // nss_wrapper gives the pod's uid a name: after that only the environment names the user.
            .with_env("USER", "copr-dist-git")
            .with_env("LOGNAME", "copr-dist-git")
    };
    let forget = forget_workers::init(instance, image, "public", &["copr:lock:queue:/var/lib/dist-git/*"]);
    // Copr's importer expects folders that its RPM has made in the image. The volume is mounted over them, so they are made in it.
    let folders = container(
        "folders",
        image,
        &["mkdir", "-p", "/var/lib/dist-git/git", "/var/lib/dist-git/cache/lookaside/pkgs"],
    )
    .with_mount("data", "/var/lib/dist-git");
    let command = ["copr-run-dispatcher-dist-git", "imports"];
    let importer = mounted(forget_workers::dispatcher(
        instance,
        image,
        "public",
        ("importer", &command),
        "import_worker:*",
    ));
    let httpd = mounted(container("httpd", image, &["httpd", "-DFOREGROUND"]))
        .with_port(port::DIST_GIT)
        .with_readiness(tcp(port::DIST_GIT));
    Objects {
        secrets: vec![secret(instance, name, name, &conf)],
        config_maps: vec![config_map(instance, name, name, &public)],
        claims: vec![claim(instance, component)],
        services: services(instance, component),
        stateful_sets: vec![stateful_set(
            instance,
            component,
            Pod {
                init: vec![folders, forget],
                containers: vec![
                    importer,
                    httpd,
                    logs::follow(image, "public", ("state", STATE), Some(TASK_LOGS)),
                ],
                volumes: vec![
                    claim_volume(instance, component),
                    secret_volume(instance, "config", name),
                    config_map_volume(instance, "public", name),
                    bounded_dir("state", logs::FOLDER_SIZE),
                    bounded_dir("lock", SMALL),
                    bounded_dir("cgit", MEDIUM),
                ],
                files: vec![conf, public],
                ..Pod::default()
            },
        )],
        ..Objects::default()
    }
}
