//! Dist-git: the importer and the web server that builders clone from.

use k8s_openapi::api::core::v1::Container;

use super::{
    Objects, config, forget_workers,
    workload::{
        ContainerExt as _, Pod, claim, claim_volume, config_map, config_map_volume, container, empty_dir,
        files, secret, secret_volume, service, stateful_set, tcp,
    },
};
use crate::instance::{
    names::{Component, port},
    validate::Instance,
};

const CONF: &str = "copr-dist-git.conf";

pub(super) fn build(instance: &Instance) -> Objects {
    let component = Component::DistGit;
    let name = component.name();
    let image = &instance.images.dist_git;
    let conf = files([(CONF, config::copr_dist_git_conf::render(instance))]);
    let mut public = files([("gitconfig", config::gitconfig::render())]);
    forget_workers::add_script(&mut public);
    let mounted = |container: Container| {
        container
            .with_file("config", CONF, "/etc/copr/copr-dist-git.conf")
            .with_file("public", "gitconfig", "/etc/gitconfig")
            .with_mount("data", "/var/lib/dist-git")
            .with_mount("state", "/var/lib/copr-dist-git")
            .with_mount("lock", "/var/lock/copr-dist-git")
            .with_mount("cgit", "/var/cache/cgit")
    };
    let forget = forget_workers::init(
        instance,
        image,
        "public",
        &["import_worker:*", "copr:lock:queue:/var/lib/dist-git/*"],
    );
    // The real importer expects the folders that its RPM makes, and the volume hides.
    let folders = container(
        "folders",
        image,
        &["mkdir", "-p", "/var/lib/dist-git/git", "/var/lib/dist-git/cache/lookaside/pkgs"],
    )
    .with_mount("data", "/var/lib/dist-git");
    let importer = mounted(container("importer", image, &["copr-run-dispatcher-dist-git", "imports"]));
    let httpd = mounted(container("httpd", image, &["httpd", "-DFOREGROUND"]))
        .with_port("http", port::DIST_GIT)
        .with_readiness(tcp(port::DIST_GIT));
    Objects {
        secrets: vec![secret(instance, name, name, &conf)],
        config_maps: vec![config_map(instance, name, name, &public)],
        claims: vec![claim(instance, component, &instance.storage.dist_git)],
        services: vec![service(instance, name, component, &[("http", port::DIST_GIT)])],
        stateful_sets: vec![stateful_set(
            instance,
            component,
            Pod {
                init: vec![folders, forget],
                containers: vec![importer, httpd],
                volumes: vec![
                    claim_volume(instance, component),
                    secret_volume(instance, "config", name),
                    config_map_volume(instance, "public", name),
                    empty_dir("state"),
                    empty_dir("lock"),
                    empty_dir("cgit"),
                ],
                files: vec![conf, public],
                ..Pod::default()
            },
        )],
        ..Objects::default()
    }
}
