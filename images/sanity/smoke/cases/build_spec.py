"""A package from a spec file alone."""

from ..builds import submit
from ..context import Context
from ..download import expect_packages
from ..specs import nvr, write_spec

NAME = "copr-smoke-spec"


def run(test: Context) -> None:
    """A spec without sources is built; what is downloaded has the exact name, version and release."""
    project = test.create_project()
    spec = write_spec(test.work, NAME, test.settings.package_folder)
    build = submit(test, project, NAME, spec)
    build.wait_for_end()
    expect_packages(test, build, nvr(NAME))
