"""main.ini: where it is and what holds when a key is absent."""

import configparser
import os

from .errors import BuildError

# The order counts: a file in the working folder wins, as with the real program.
CONFIG_DIRS = ("/etc/copr-rpmbuild", ".")
STATE = "/var/lib/copr-rpmbuild"
DEFAULTS = {
    "resultdir": f"{STATE}/results",
    "workspace": f"{STATE}/workspace",
    "lockfile": f"{STATE}/lockfile",
    "logfile": f"{STATE}/main.log",
    "pidfile": f"{STATE}/pid",
    "logger_pidfile": f"{STATE}/logger_pid",
    "enabled_source_protocols": "https ftps",
    "rpm_vendor_copr_name": "Unknown Copr",
}


class Config:
    """The [main] section of main.ini."""

    def __init__(self, path: str | None = None) -> None:
        parser = configparser.RawConfigParser(defaults=DEFAULTS)
        paths = [path] if path else [os.path.join(d, "main.ini") for d in CONFIG_DIRS]
        if not parser.read(paths) or not parser.has_section("main"):
            raise BuildError(f"No configuration file main.ini in: {' '.join(paths)}")
        self._main = parser["main"]

    def __getitem__(self, key: str) -> str:
        if key not in self._main:
            raise BuildError(f"main.ini: [main] lacks '{key}'")
        return self._main[key]

    def get(self, key: str) -> str | None:
        """The value, or None where neither the file nor the defaults have one."""
        return self._main.get(key)
