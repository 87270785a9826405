//! `/etc/dist-git-client/*.ini` of a builder: where the lookaside cache of this instance is.

use copr_operator_api::component::Component;

use crate::validate::Instance;

/// Renders the file. `clone_hostnames` has no ports, since the client compares it with the host of the clone URL alone.
pub fn render(instance: &Instance) -> String {
    format!(
        "[copr-operator]\nclone_hostnames = {host}\nlookaside_location = {url}\n\
         lookaside_uri_pattern = repo/pkgs/{{namespace[1]}}/{{namespace[0]}}/{{name}}/{{filename}}/{{hash}}/{{filename}}\n",
        host = instance.host(Component::DistGit.name()),
        url = instance.endpoints().dist_git,
    )
}
