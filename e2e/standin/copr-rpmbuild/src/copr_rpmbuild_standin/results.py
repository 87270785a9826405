"""results.json and the other things that are read from the built packages."""

import json
import os
import subprocess

from .config import Config
from .errors import BuildError
from .log import log
from .process import run
from .task import Task, fetch

NEVRA = ("name", "epoch", "version", "release", "arch")
# Tags that decide for which architectures a package is built, as the source RPM's header has them.
ARCHITECTURE_TAGS = {"exclusivearch": "EXCLUSIVEARCH", "excludearch": "EXCLUDEARCH", "buildarch": "BUILDARCHS"}


def _query(path: str, query: str) -> str:
    return run(["rpm", "-qp", "--nosignature", "--qf", query, path])


def nevra(path: str) -> dict[str, str | int | None]:
    """Name, epoch, version, release and architecture ("src" for a source RPM) of a package."""
    values = _query(path, "|".join(f"%{{{tag}}}" for tag in NEVRA)).split("|")
    found: dict[str, str | int | None] = dict(zip(NEVRA, values, strict=True))
    found["epoch"] = None if found["epoch"] == "(none)" else int(str(found["epoch"]))
    if path.endswith(".src.rpm"):
        found["arch"] = "src"
    return found


def _write(resultdir: str, data: object) -> None:
    text = json.dumps(data, indent=4)
    log.info("Package info:\n%s", text)
    with open(os.path.join(resultdir, "results.json"), "w", encoding="utf-8") as file:
        file.write(text)


def packages_in(resultdir: str) -> list[str]:
    """Paths of the RPMs in the result folder."""
    return [os.path.join(resultdir, name) for name in sorted(os.listdir(resultdir)) if name.endswith(".rpm")]


def write_rpm_results(resultdir: str) -> None:
    """results.json of a binary build."""
    _write(resultdir, {"packages": [nevra(path) for path in packages_in(resultdir)]})


def the_srpm(resultdir: str) -> str:
    """The source RPM that the build made."""
    found = [path for path in packages_in(resultdir) if path.endswith(".src.rpm")]
    if not found:
        raise BuildError(f"No .src.rpm found at {resultdir}")
    return found[0]


def unpack_spec(resultdir: str) -> None:
    """Put the source RPM's spec next to it, as the backend offers it for download."""
    # Only from stdin does rpm2archive write to stdout.
    with open(the_srpm(resultdir), "rb") as source:
        archive = subprocess.run(["rpm2archive", "-n"], stdin=source, capture_output=True, check=False)
    if archive.returncode != 0:
        raise BuildError(f"rpm2archive can't read the source RPM: {archive.stderr.decode()}")
    unpack = ["tar", "-x", "-f", "-", "--wildcards", "*.spec"]
    subprocess.run(unpack, cwd=resultdir, input=archive.stdout, check=True)


def write_srpm_results(resultdir: str, task: Task, config: Config) -> None:
    """results.json of a source build.

    The macro overrides are fetched as by the real program, and a missing database fails the
    build; the tags themselves are read from the header, the same for every distribution.
    """
    distributions = task.get("distributions_in_build") or task.get("distributions_in_project")
    if not distributions:
        raise BuildError("Running against too old copr-frontend")
    url = config.get("macro_override_db_url")
    if url:
        fetch(url)
    path = the_srpm(resultdir)
    tags = {}
    for name, tag in ARCHITECTURE_TAGS.items():
        values = _query(path, f"[%{{{tag}}} ]").split()
        if values:
            tags[name] = sorted(set(values))
    found = nevra(path)
    del found["arch"]
    _write(resultdir, {"architecture_specific_tags": {name: tags for name in distributions}, **found})
