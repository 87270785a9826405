"""The chroot's configuration file: Mock's format, Python that fills `config_opts`."""

import os
from typing import Any

from .namespaces import ChrootError

DEFAULTS: dict[str, Any] = {
    "root": "unnamed",
    "basedir": "/var/lib/mock",
    "target_arch": "x86_64",
    "releasever": "",
    "isolation": "simple",
    "chroot_setup_cmd": "",
    "chroot_additional_packages": "",
    "rpmbuild_networking": False,
    "use_host_resolv": False,
    "tmpfs_size": "75%",
    "use_bootstrap_image": True,
    "bootstrap_image": "fedora:latest",
    "bootstrap_image_fallback": True,
    "bootstrap_image_keep_getting": 120,
    "bootstrap_image_pull_timeout": 120,
    "dnf.conf": "",
}
# Read before every chroot's own file, as by Mock: what holds on this machine.
SITE = "/etc/mock/site-defaults.cfg"
# Mock's "auto" falls back to simple where there is no systemd-nspawn.
ISOLATIONS = ("simple", "auto")


def load(path: str) -> dict[str, Any]:
    """Execute the file and whatever it includes."""
    options: dict[str, Any] = {**DEFAULTS, "macros": {}}

    def include(name: str) -> None:
        if not os.path.isfile(name):
            raise ChrootError(f"Could not find required config file: {name}")
        with open(name, encoding="utf-8") as file:
            code = compile(file.read(), name, "exec")
        exec(code, {"config_opts": options, "include": include})  # the format is Python, as Mock's

    if os.path.isfile(SITE):
        include(SITE)
    include(path)
    if options["isolation"] not in ISOLATIONS:
        raise ChrootError(f"Isolation '{options['isolation']}' isn't offered by standin-chroot")
    return options
