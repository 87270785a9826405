"""The tests of the suite, in the order in which they are worth starting: the longest first."""

from collections.abc import Callable
from dataclasses import dataclass

from ..context import Context
from . import (
    auth,
    build_fails,
    build_spec,
    build_srpm,
    cancel,
    chroots,
    parallel_builds,
    project_lifecycle,
    signed_repo,
)


@dataclass(frozen=True)
class Case:
    """One test."""

    run: Callable[[Context], None]
    deadline: float
    """Seconds for the whole test, for a Copr with Fedora's mirrors behind it; the operator's
    TEST_DEADLINE_SECONDS goes before it."""

    @property
    def about(self) -> str:
        """One sentence on what it shows."""
        return (self.run.__doc__ or "").strip().splitlines()[0]


CASES = {
    "parallel-builds": Case(parallel_builds.run, 1800),
    "cancel": Case(cancel.run, 900),
    "signed-repo": Case(signed_repo.run, 900),
    "build-srpm": Case(build_srpm.run, 900),
    "build-spec": Case(build_spec.run, 900),
    "build-fails": Case(build_fails.run, 900),
    "project-lifecycle": Case(project_lifecycle.run, 300),
    "auth": Case(auth.run, 120),
    "chroots": Case(chroots.run, 60),
}
