//! `/etc/copr/copr-be.conf` of the backend.

use copr_operator_api::component::{Component, port};

use crate::validate::Instance;

/// Enough for an instance of one team, and as good as nothing while they aren't used.
const LEAST_WORKERS: i32 = 16;

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
        resalloc_port = port::RESALLOC.number,
        keygen = instance.host(Component::Keygen.name()),
        keygen_port = port::KEYGEN.number,
        max = workers(instance),
    )
}

/// How many builds the dispatcher works on at once. More workers than builders only queue at resalloc, so the number
/// is rounded up: `builders.max` can be changed within it without a changed file, and without a restart, which would
/// end the builds that run.
pub fn workers(instance: &Instance) -> i32 {
    let pools = i32::try_from(instance.pools.len()).unwrap_or(1);
    let builders = u32::try_from(instance.builders.max.saturating_mul(pools)).unwrap_or(1);
    let rounded = builders.checked_next_power_of_two().and_then(|workers| i32::try_from(workers).ok());
    rounded.unwrap_or(i32::MAX).max(LEAST_WORKERS)
}

#[cfg(test)]
mod tests {
    use super::{render, workers};
    use crate::fixtures::minimal;

    #[test]
    fn builders_are_scaled_without_a_changed_file_until_the_workers_are_used_up() {
        let of = |max| {
            let mut instance = minimal();
            instance.builders.max = max;
            (workers(&instance), render(&instance))
        };
        assert_eq!(of(1), of(16));
        assert_eq!(of(17).0, 32);
        assert_eq!(of(32), of(17));
        assert_eq!(of(i32::MAX).0, i32::MAX);
        assert!(of(1).1.contains("builds_max_workers_sandbox = 16\n"));
    }
}
