"""dnf for the chroot: the task's repositories have to answer, and build requirements come from them."""

import os
import subprocess
from collections.abc import Iterator
from typing import Any

from .namespaces import ChrootError, CommandFailed
from .root import Root

MAIN = """[main]
install_weak_deps=0
keepcache=0
tsflags=nodocs
plugins=0
reposdir=/dev/null
"""


def base(options: dict[str, Any]) -> list[str]:
    """What the chroot's configuration wants in every build."""
    return f"{options['chroot_setup_cmd']} {options['chroot_additional_packages']}".split()


def required_by(srpm: str) -> list[str]:
    """The build requirements in the header of a source RPM."""
    argv = ["rpm", "-qp", "--nosignature", "--requires", srpm]
    lines = subprocess.check_output(argv, text=True).splitlines()
    return sorted({line.strip() for line in lines if not line.startswith("rpmlib(")})


def read_repositories(root: Root) -> Iterator[str]:
    """Fetch the metadata of the build's repositories; yields dnf's output.

    It is done even when no package is wanted: a repository that doesn't answer fails the
    build, as it does with Mock.
    """
    if _has_repositories(root):
        yield from _dnf(root, ["makecache"])


def install(root: Root, wanted: list[str]) -> Iterator[str]:
    """Have the packages in the chroot, where its RPM database doesn't offer them; yields dnf's output."""
    missing = [item for item in wanted if not _offered(root, item)]
    if not missing:
        return
    if not _has_repositories(root):
        raise ChrootError(f"No matching package to install: {', '.join(missing)} (the build has no repository)")
    yield from _dnf(root, ["install", *missing])


def _has_repositories(root: Root) -> bool:
    return "[" in root.options["dnf.conf"]


def _offered(root: Root, item: str) -> bool:
    name, *version = item.split()
    if version or name.startswith("("):
        return False  # dnf compares versions and resolves rich dependencies, and stops at once if they hold
    argv = ["rpm", "--root", root.path, "--dbpath", root.dbpath, "-q", "--whatprovides", name]
    return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _dnf(root: Root, arguments: list[str]) -> Iterator[str]:
    config = os.path.join(root.base, "dnf.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(MAIN + root.options["dnf.conf"])
    argv = ["dnf", "-y", "--config", config, "--installroot", root.path, "--releasever", root.options["releasever"]]
    argv += ["--setopt=cachedir=/var/cache/dnf", "--setopt=logdir=/var/log", *arguments]
    pipe = subprocess.PIPE
    output = []
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
        if process.stdout is not None:  # it never is None with a pipe, which type checkers can't know
            for line in process.stdout:
                output.append(line)
                yield line
    if process.returncode != 0:
        raise CommandFailed(argv, "".join(output))
