"""What copr-cli downloads of a build."""

from pathlib import Path

from suite.errors import TestFailed

from .builds import Build
from .context import Context
from .packages import read


def expect_packages(test: Context, build: Build, nvr: str) -> Path:
    """Downloads the build: one binary and one source package of that name. Returns the binary."""
    test.step(f"download build {build.number}", "backend")
    folder = test.work / "download"
    test.cli("download-build", "--rpms", "--chroot", test.chroot, "--dest", str(folder), str(build.number))
    files = {path: read(path) for path in sorted(folder.rglob("*.rpm"))}
    test.step("look at the downloaded packages", "builder")
    binaries = [path for path, package in files.items() if not package.source]
    sources = [path for path, package in files.items() if package.source]
    if len(binaries) != 1 or len(sources) != 1:
        names = ", ".join(path.name for path in files) or "none"
        raise TestFailed(f"build {build.number} should give one RPM and one SRPM, it gave: {names}", "builder")
    for path, package in files.items():
        if package.nvr != nvr:
            raise TestFailed(f"{path.name} is {package.nvr}, not {nvr}", "builder")
    return binaries[0]
