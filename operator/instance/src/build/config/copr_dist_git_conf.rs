//! `/etc/copr/copr-dist-git.conf` of dist-git.

use crate::validate::Instance;

/// Renders the file. It is read with interpolation, hence the doubled `%`. `log_dir` is a mount and no
/// folder below one: the importer opens its log there before it makes any folder.
pub fn render(instance: &Instance) -> String {
    let urls = instance.endpoints();
    let (redis_host, redis_port) = instance.redis_address();
    format!(
        "\
[dist-git]
frontend_base_url = {frontend}
frontend_auth = {password}
redis_host = {redis_host}
redis_port = {redis_port}
log_dir = /var/lib/copr-dist-git
per_task_log_dir = /var/lib/copr-dist-git/per-task-logs/
lookaside_location = /var/lib/dist-git/cache/lookaside/pkgs/
git_base_url = /var/lib/dist-git/git/%%(module)s
cgit_cache_file = /var/cache/cgit/repo-configuration.rc
cgit_cache_list_file = /var/cache/cgit/repo-subdirs.list
cgit_cache_lock_file = /var/cache/cgit/copr-repo.lock
# How often, in seconds, the importer asks the frontend for work.
sleep_time = 2
",
        frontend = urls.frontend,
        password = instance.credentials.backend_password,
    )
}
