"""What a test leaves: its builds are ended first, for they hold builders; then its projects are deleted."""

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any, Protocol

from .log import say
from .wait import Deadline

INTERVAL = 1.0
FINISHED = {"succeeded", "failed", "canceled", "skipped"}


class Copr(Protocol):
    """What cleaning up needs of the API."""

    def builds(self, owner: str, project: str) -> list[Any]:
        """The builds of a project."""

    def cancel(self, build_id: int) -> None:
        """Asks for the end of a build."""

    def delete(self, owner: str, project: str) -> None:
        """Deletes a project."""


def remove(
    api: Copr,
    owner: str,
    projects: Iterable[str],
    builds: Collection[int],
    deadline: Deadline,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Cancels what the projects build, the builds given among it, then deletes the projects, until the deadline.

    Every build is cancelled before any project is waited for: a project stays while one of its builds runs. A build that
    was submitted when the test was cut off is known to Copr only, so each round asks for the builds.
    """
    left = list(projects)
    asked: set[int] = set()
    said = ""
    while True:
        problems: list[str] = []
        listed: dict[str, list[int] | None] = {
            project: _try(problems, lambda: _unfinished(api, owner, project))  # noqa: B023 (called at once)
            for project in left
        }
        # Where Copr doesn't say what is unfinished, what the test knows of may be.
        known = builds if None in listed.values() or not listed else ()
        running = {build for of_project in listed.values() for build in of_project or ()}
        for build in sorted((running | set(known)) - asked):
            if _try(problems, lambda: api.cancel(build) or True):  # noqa: B023
                say(f"cancelled build {build}")
                asked.add(build)
        busy = [project for project, unfinished in listed.items() if unfinished is None or unfinished]
        for project in [name for name in left if name not in busy]:
            if _try(problems, lambda: api.delete(owner, project) or True):  # noqa: B023
                say(f"deleted {owner}/{project}")
                left.remove(project)
        if not left:
            return
        state = "; ".join(problems) or f"builds of {', '.join(busy)} come to their end"
        if state != said:
            say(f"cleaning up: {state}")
            said = state
        if deadline.passed():
            say(f"cleaning up: given up with {', '.join(left) or 'no project'} left")
            return
        sleep(min(INTERVAL, deadline.left()))


def _unfinished(api: Copr, owner: str, project: str) -> list[int]:
    return [build.id for build in api.builds(owner, project) if build.state not in FINISHED]


def _try(problems: list[str], call: Callable[[], Any]) -> Any:
    """What the call returns, None if it went wrong: one that fails must not keep the others from being ended."""
    try:
        return call()
    except Exception as error:
        problems.append(f"{type(error).__name__}: {error}")
        return None
