//! `/etc/copr-rpmbuild/main.ini` of a builder.

use copr_operator_api::component::{Component, port};

use crate::validate::Instance;

/// Renders the file. Single `%(…)s` are meant: copr-rpmbuild fills them in itself.
pub fn render(instance: &Instance) -> String {
    let urls = instance.endpoints();
    format!(
        "\
[main]
frontend_url = {frontend}
backend_url = {backend}
macro_override_db_url = {backend}/macro-overrides.json
enabled_source_protocols = https http ftps
rpm_vendor_copr_name = Copr {namespace}/{name}

[distgit0]
distgit_hostname_pattern = {host}
distgit_lookaside_url = {dist_git}/repo/pkgs/%(ns2)s/%(ns1)s/%(name)s/%(filename)s/%(hash)s/%(filename)s
distgit_clone_url = {dist_git}/git/%(module)s

[distgit1]
distgit_hostname_pattern = src.fedoraproject.org
distgit_lookaside_url = https://src.fedoraproject.org/repo/pkgs/%(repo_path)s/%(filename)s/%(hashtype)s/%(hash)s/%(filename)s
distgit_clone_url = https://src.fedoraproject.org/%(repo_path)s
",
        frontend = urls.frontend,
        backend = urls.backend,
        dist_git = urls.dist_git,
        name = instance.name,
        namespace = instance.namespace,
        host = format_args!("{}:{}", instance.host(Component::DistGit.name()), port::DIST_GIT.number),
    )
}
