"""What a test leaves behind: nothing, in the right order."""

import unittest
from types import SimpleNamespace
from typing import Any

from suite.cleanup import remove
from suite.errors import Unreachable
from suite.wait import Deadline


class Copr:
    """A Copr whose cancelled builds come to their end a round later, and which keeps projects with running builds."""

    def __init__(self, **projects: list[int]) -> None:
        self.projects = {name: {number: "running" for number in numbers} for name, numbers in projects.items()}
        self.done: list[str] = []
        self.away = 0

    def builds(self, _owner: str, project: str) -> list[Any]:
        """What the project builds."""
        self.answer()
        states = self.projects.get(project, {})
        return [SimpleNamespace(id=number, state=state) for number, state in states.items()]

    def cancel(self, build_id: int) -> None:
        """Takes effect when time passes."""
        self.answer()
        self.done.append(f"cancel {build_id}")
        for states in self.projects.values():
            if build_id in states:
                states[build_id] = "ending"

    def delete(self, _owner: str, project: str) -> None:
        """Refused while something runs."""
        self.answer()
        if any(state != "canceled" for state in self.projects.get(project, {}).values()):
            raise ValueError("builds are running")
        self.done.append(f"delete {project}")
        self.projects.pop(project, None)

    def answer(self) -> None:
        """Fails while the frontend is away."""
        if self.away:
            self.away -= 1
            raise Unreachable("the frontend doesn't answer")

    def sleep(self, _seconds: float) -> None:
        """A round later."""
        for states in self.projects.values():
            for number, state in states.items():
                if state == "ending":
                    states[number] = "canceled"


class CleanupTest(unittest.TestCase):
    """remove()."""

    def remove(self, copr: Copr, projects: list[str], builds: list[int], seconds: float = 40) -> None:
        remove(copr, "o", projects, builds, Deadline(seconds), copr.sleep)

    def test_every_build_is_cancelled_before_a_project_is_deleted(self) -> None:
        copr = Copr(a=[1, 2], b=[3])
        self.remove(copr, ["a", "b"], [1])
        self.assertEqual(copr.done[:3], ["cancel 1", "cancel 2", "cancel 3"])
        self.assertEqual(sorted(copr.done[-2:]), ["delete a", "delete b"])

    def test_a_build_that_the_test_never_heard_of_is_cancelled(self) -> None:
        copr = Copr(a=[7])
        self.remove(copr, ["a"], [])
        self.assertEqual((copr.done[0], copr.projects), ("cancel 7", {}))

    def test_a_frontend_that_is_away_for_a_moment_is_asked_again(self) -> None:
        copr = Copr(a=[1])
        copr.away = 3
        self.remove(copr, ["a"], [1])
        self.assertEqual(copr.projects, {})

    def test_a_project_that_never_came_to_be_is_no_problem(self) -> None:
        copr = Copr()
        self.remove(copr, ["a"], [])
        self.assertEqual(copr.done, ["delete a"])

    def test_it_ends_at_its_deadline_with_the_builds_cancelled(self) -> None:
        copr = Copr(a=[1])
        copr.sleep = lambda _seconds: None  # type: ignore[method-assign]
        self.remove(copr, ["a"], [1], seconds=0)
        self.assertEqual(copr.done, ["cancel 1"])
        self.assertIn("a", copr.projects)
