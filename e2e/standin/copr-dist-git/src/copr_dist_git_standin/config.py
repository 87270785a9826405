"""/etc/copr/copr-dist-git.conf."""

import configparser
import os
from dataclasses import dataclass, fields

PATH = "/etc/copr/copr-dist-git.conf"
SECTION = "dist-git"


@dataclass
class Options:
    """The keys of section [dist-git] and what holds when one is absent."""

    frontend_base_url: str = "http://copr-fe"
    frontend_auth: str = "PASSWORDHERE"
    log_dir: str = "/var/log/copr-dist-git"
    per_task_log_dir: str = "/var/lib/copr-dist-git/per-task-logs"
    sleep_time: int = 15
    max_workers: int = 10
    lookaside_location: str = "/var/lib/dist-git/cache/lookaside/pkgs/"
    git_base_url: str = "/var/lib/dist-git/git/%(module)s"
    git_user_name: str = "CoprDistGit"
    git_user_email: str = "copr-devel@lists.fedorahosted.org"
    cgit_cache_file: str = "/var/cache/cgit/repo-configuration.rc"
    cgit_cache_list_file: str = "/var/cache/cgit/repo-subdirs.list"
    cgit_cache_lock_file: str = "/var/cache/cgit/copr-repo.lock"
    redis_host: str = "localhost"
    redis_port: int = 6379
    redis_password: str | None = None

    def repository(self, module: str) -> str:
        """Where the repository of OWNER/PROJECT/PACKAGE is cloned from and pushed to."""
        return self.git_base_url % {"module": module}


def read(path: str = PATH) -> Options:
    """Read the file; it has to exist."""
    if not os.path.exists(path):
        raise SystemExit(f"No config file found at: {path}")
    # With interpolation, as the real program: a percent sign is written twice.
    parser = configparser.ConfigParser()
    parser.read(path)
    options = Options()
    for field in fields(Options):
        if parser.has_option(SECTION, field.name):
            get = parser.getint if field.type is int else parser.get
            setattr(options, field.name, get(SECTION, field.name))
    return options
