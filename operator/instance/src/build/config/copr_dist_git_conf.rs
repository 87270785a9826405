//! `/etc/copr/copr-dist-git.conf` of dist-git.

use super::ini;
use crate::validate::Instance;

/// Renders the file. `log_dir` is a mount and no folder below one: the importer opens its log there before it makes any folder.
pub fn render(instance: &Instance) -> String {
    let (redis_host, redis_port) = instance.redis_address();
    let settings = [
        ("frontend_base_url", instance.endpoints().frontend),
        ("frontend_auth", instance.credentials.backend_password.clone()),
        ("redis_host", redis_host),
        ("redis_port", redis_port.to_string()),
        ("log_dir", "/var/lib/copr-dist-git".into()),
        ("per_task_log_dir", "/var/lib/copr-dist-git/per-task-logs/".into()),
        ("lookaside_location", "/var/lib/dist-git/cache/lookaside/pkgs/".into()),
        ("git_base_url", "/var/lib/dist-git/git/%(module)s".into()),
        ("cgit_cache_file", "/var/cache/cgit/repo-configuration.rc".into()),
        ("cgit_cache_list_file", "/var/cache/cgit/repo-subdirs.list".into()),
        ("cgit_cache_lock_file", "/var/cache/cgit/copr-repo.lock".into()),
        // How often, in seconds, the importer asks the frontend for work.
        ("sleep_time", "2".into()),
    ];
    ini::section("dist-git", &settings, &instance.extra_config.dist_git)
}

#[cfg(test)]
mod tests {
    use copr_operator_api::v1alpha1::DIST_GIT_OWNED;

    use crate::fixtures::minimal;

    #[test]
    fn only_the_pace_can_be_set_otherwise() {
        let text = super::render(&minimal());
        let keys = text.lines().skip(1).map(|line| line.split(' ').next().unwrap());
        let free: Vec<_> = keys.filter(|key| !DIST_GIT_OWNED.contains(key)).collect();
        assert_eq!(free, ["sleep_time"]);
    }
}
