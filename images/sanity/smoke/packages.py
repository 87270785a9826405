"""RPM files and their signatures, by rpm and rpmkeys; and dnf, on an RPM database of its own."""

import re
from dataclasses import dataclass
from pathlib import Path

from suite.errors import TestError, TestFailed

from .cli import Result, run_program

LIMIT = 120.0

_SIGNATURE = re.compile(r"signature, .*: OK\s*$", re.IGNORECASE | re.MULTILINE)
_DAMAGED = re.compile(r"digest: BAD\b.*", re.MULTILINE)
_SHA1_SIGNATURE = re.compile(r"/SHA-?1 signature", re.IGNORECASE)


@dataclass(frozen=True)
class Package:
    """What an RPM file says of itself."""

    nvr: str
    source: bool


def query(path: Path, form: str) -> str:
    """rpm -qp: a file that rpm can't read is a broken result."""
    done = run_program(["rpm", "-qp", "--nosignature", "--qf", form, str(path)], LIMIT)
    if done.code != 0:
        raise TestFailed(f"rpm can't read {path.name}: {done.reason()}", "builder")
    return done.stdout


def read(path: Path) -> Package:
    """Name, version, release, and whether it's a source package."""
    name, source = query(path, "%{NAME}-%{VERSION}-%{RELEASE} %{SOURCEPACKAGE}\\n").split()
    return Package(name, source == "1")


def build_srpm(spec: Path, source: Path, topdir: Path) -> Path:
    """rpmbuild -bs, here and now."""
    done = run_program([
        "rpmbuild", "-bs", "--define", f"_topdir {topdir}", "--define", f"_sourcedir {source.parent}", str(spec),
    ], LIMIT)
    found = list(topdir.glob("SRPMS/*.src.rpm"))
    if done.code != 0 or len(found) != 1:
        raise TestError(f"rpmbuild -bs: {done.reason()}")
    return found[0]


class Keyring:
    """An RPM database that holds nothing but the key of one project."""

    def __init__(self, folder: Path, key: Path) -> None:
        self._db = str(folder)
        folder.mkdir(parents=True)
        done = self._rpmkeys("--import", str(key))
        if done.code != 0:
            raise TestFailed(f"rpm refuses the project's key: {done.reason()}", "keygen")

    def check(self, path: Path) -> None:
        """The signature is there, is made with this key, and isn't of a kind that rpm is giving up."""
        verbose = self._rpmkeys("-Kv", str(path))
        brief = self._rpmkeys("-K", str(path))
        damaged = _DAMAGED.search(verbose.stdout)
        if damaged:
            # Whoever signed it has signed something else.
            raise TestFailed(f"{path.name} is damaged; rpmkeys says: {damaged[0]}", "backend")
        # rpm 4 is content with a package that isn't signed at all, so its exit code is not enough.
        if "signatures OK" not in brief.stdout or not _SIGNATURE.search(verbose.stdout):
            said = brief.reason().removeprefix(f"{path}: ")
            raise TestFailed(f"{path.name} has no good signature; rpmkeys says: {said}", "keygen")
        if brief.code != 0 or verbose.code != 0:
            raise TestFailed(f"rpmkeys refuses {path.name}: {brief.reason()}", "keygen")
        if _SHA1_SIGNATURE.search(verbose.stdout):
            raise TestFailed(f"{path.name} is signed with SHA-1", "keygen")

    def _rpmkeys(self, *args: str) -> Result:
        return run_program(["rpmkeys", "--dbpath", self._db, *args], LIMIT)
