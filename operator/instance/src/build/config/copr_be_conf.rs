//! `/etc/copr/copr-be.conf` of the backend.

use std::collections::BTreeMap;

use copr_operator_api::component::{Component, port};

use super::ini;
use crate::validate::Instance;

/// Enough for an instance of one team. Workers that aren't used cost next to nothing.
const LEAST_WORKERS: i32 = 16;

/// Renders the file.
pub fn render(instance: &Instance) -> String {
    let (redis_host, redis_port) = instance.redis_address();
    let max = workers(instance);
    let extra = &instance.extra_config.backend;
    let settings = [
        ("frontend_base_url", instance.endpoints().frontend),
        ("frontend_auth", instance.credentials.backend_password.clone()),
        // The backend fetches nothing from this URL. It writes it into what it tells the frontend of a build, so it is people's
        // URL.
        ("results_baseurl", format!("{}/results", instance.written_urls().results)),
        ("destdir", "/var/lib/copr/public_html/results".into()),
        ("redis_host", redis_host),
        ("redis_port", redis_port.to_string()),
        (
            "resalloc_connection",
            format!("http://{}:{}", instance.host(Component::Resalloc.name()), port::RESALLOC.number),
        ),
        ("build_user", "root".into()),
        ("do_sign", "True".into()),
        ("keygen_host", format!("{}:{}", instance.host(Component::Keygen.name()), port::KEYGEN.number)),
        // With the default (True) packages for Fedora's chroots are signed with SHA-1, which today's rpm refuses.
        ("gently_gpg_sha256", "False".into()),
        // How often, in seconds, the dispatchers ask the frontend for work.
        ("sleeptime", "2".into()),
        ("builds_max_workers", max.to_string()),
        ("builds_max_workers_owner", max.to_string()),
        ("builds_max_workers_sandbox", max.to_string()),
        ("log_dir", "/var/log/copr-backend/".into()),
        ("prune_days", "14".into()),
    ];
    let ssh = [("builder_config", "/etc/copr-operator/ssh/config".to_owned())];
    [
        ini::section("backend", &settings, &extra.backend),
        ini::section("builder", &[("timeout", "108000".to_owned())], &extra.builder),
        ini::section("ssh", &ssh, &BTreeMap::new()),
    ]
    .join("\n")
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
