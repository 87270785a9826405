"""A package from an SRPM with a source file, which has to survive dist-git's lookaside cache."""

import hashlib

from suite.errors import TestFailed

from .. import packages
from ..builds import submit
from ..context import Context
from ..download import expect_packages
from ..specs import nvr, write_spec

NAME = "copr-smoke-srpm"
# RPM says which algorithm it took by the digest's length only.
ALGORITHMS = {32: "md5", 64: "sha256", 128: "sha512"}


def run(test: Context) -> None:
    """An SRPM made on the spot is built, and its source file comes out as it went in."""
    project = test.create_project()
    source = test.work / "greeting.txt"
    source.write_text(f"Hello from {test.settings.run_id}\n", encoding="utf-8")
    spec = write_spec(test.work, NAME, test.settings.package_folder, source=source.name)
    test.step("make an SRPM", "")
    srpm = packages.build_srpm(spec, source, test.work / "rpmbuild")
    build = submit(test, project, NAME, srpm)
    build.wait_for_end()
    binary = expect_packages(test, build, nvr(NAME))

    test.step("compare the source file", "dist-git")
    digests = dict(line.split() for line in packages.query(
        binary, "[%{FILENAMES} %{FILEDIGESTS}\\n]").splitlines() if len(line.split()) == 2)
    digest = digests.get(str(test.settings.package_folder / NAME / source.name), "")
    algorithm = ALGORITHMS.get(len(digest))
    if algorithm is None:
        raise TestFailed(f"the package has no {source.name}", "builder")
    if hashlib.new(algorithm, source.read_bytes()).hexdigest() != digest:
        raise TestFailed(f"{source.name} isn't what was uploaded", "dist-git")
