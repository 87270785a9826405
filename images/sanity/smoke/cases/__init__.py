"""The tests of the suite, in the order in which they are worth starting: first the one that nothing may run beside, then the
longest."""

from collections.abc import Callable
from dataclasses import dataclass

from suite.listing import Listed

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
    deadline: int
    """Seconds for the whole test, for a Copr with Fedora's mirrors behind it; the operator's
    TEST_DEADLINE_SECONDS goes before it."""
    tags: tuple[str, ...]
    exclusive: bool = False
    """Whether nothing may run beside it."""

    @property
    def about(self) -> str:
        """One sentence on what it shows."""
        return (self.run.__doc__ or "").strip().splitlines()[0]

    def listed(self, name: str) -> Listed:
        """The test as --list has it. What builds needs builders, whose absence isn't its fault."""
        needs = ("builders",) if "build" in self.tags else ()
        return Listed(name, self.about, self.tags, self.deadline, self.exclusive, needs)


CASES = {
    "parallel-builds": Case(parallel_builds.run, 1800, ("build",), exclusive=True),
    "cancel": Case(cancel.run, 900, ("build",)),
    "signed-repo": Case(signed_repo.run, 900, ("build", "dnf")),
    "build-srpm": Case(build_srpm.run, 900, ("build",)),
    "build-spec": Case(build_spec.run, 900, ("build",)),
    "build-fails": Case(build_fails.run, 900, ("build",)),
    "project-lifecycle": Case(project_lifecycle.run, 300, ("project",)),
    "auth": Case(auth.run, 120, ("project",)),
    "chroots": Case(chroots.run, 60, ("quick",)),
}
