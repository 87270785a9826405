//! `/etc/copr/copr-be.conf` of the backend.

use crate::instance::{
    names::{Component, port},
    validate::Instance,
};

/// Copr's own default.
const WORKERS: i32 = 60;

/// How many builds the dispatcher starts workers for. A worker waits for its builder, and resalloc says how many of those there
/// are; a number that followed `builders.max` would restart the dispatcher, and end its builds, with each change of it.
fn workers(instance: &Instance) -> i32 {
    let builders = instance.builders.max * i32::try_from(instance.pools.len()).unwrap_or(1);
    builders.max(WORKERS)
}

/// Renders the file. Values are read by ConfigParser with interpolation: `%` would have to be doubled.
pub fn render(instance: &Instance) -> String {
    let urls = instance.endpoints();
    let (redis_host, redis_port) = instance.redis_address();
    format!(
        "\
[backend]
frontend_base_url = {frontend}
frontend_auth = {password}
results_baseurl = {backend}/results
destdir = /var/lib/copr/public_html/results
redis_host = {redis_host}
redis_port = {redis_port}
resalloc_connection = http://{resalloc}:{resalloc_port}
build_user = root
do_sign = True
keygen_host = {keygen}:{keygen_port}
# With the default Fedora's chroots are signed with SHA-1, which today's rpm refuses.
gently_gpg_sha256 = False
# How often, in seconds, the dispatchers ask the frontend for work.
sleeptime = 2
builds_max_workers = {max}
builds_max_workers_owner = {max}
builds_max_workers_sandbox = {max}
log_dir = /var/log/copr-backend/
prune_days = 14

[builder]
timeout = 108000

[ssh]
builder_config = /etc/copr-operator/ssh/config
",
        frontend = urls.frontend,
        password = instance.credentials.backend_password,
        backend = urls.backend,
        resalloc = instance.host(Component::Resalloc.name()),
        resalloc_port = port::RESALLOC,
        keygen = instance.host(Component::Keygen.name()),
        keygen_port = port::KEYGEN,
        max = workers(instance),
    )
}
