"""Waiting: deadlines, what is borne and for how long, and what the message says."""

import unittest
from collections.abc import Callable

from suite.errors import TestError, TestFailed, Unreachable
from suite.wait import SERVER_ERROR_LIMIT, UNREACHABLE_LIMIT, Deadline, Pending, ServerError, poll


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Makes the time pass."""
        self.now += seconds


class WaitTest(unittest.TestCase):
    """poll() and Deadline."""

    def setUp(self) -> None:
        self.clock = Clock()

    def poll(self, look: Callable[[], object], seconds: float) -> object:
        return poll("build 7", look, Deadline(seconds, self.clock), self.clock, self.clock.sleep)

    def raising(self, *errors: Exception, forever: Exception | None = None) -> Callable[[], object]:
        left = list(errors)

        def look() -> object:
            if left:
                raise left.pop(0)
            if forever:
                raise forever
            return "there"
        return look

    def test_returns_what_it_finds(self) -> None:
        pending = Pending("`running`", "builder")
        self.assertEqual(self.poll(self.raising(pending, pending), 60), "there")
        self.assertEqual(self.clock.now, 1002)

    def test_the_deadline_names_state_component_and_duration(self) -> None:
        look = self.raising(*[Pending("`pending`", "backend")] * 10, forever=Pending("`importing`", "dist-git"))
        with self.assertRaises(TestFailed) as raised:
            self.poll(look, 60)
        self.assertEqual(str(raised.exception), "build 7: still `importing` after 50 s")
        self.assertEqual(raised.exception.component, "dist-git")

    def test_looks_once_even_when_late(self) -> None:
        self.assertEqual(self.poll(self.raising(), 0), "there")

    def test_a_replaced_pod_is_borne(self) -> None:
        errors = [Unreachable("refused")] * 20 + [ServerError("HTTP 503", "frontend")] * 20
        self.assertEqual(self.poll(self.raising(*errors), 600), "there")

    def test_a_lasting_server_error_is_a_failure(self) -> None:
        with self.assertRaises(TestFailed) as raised:
            self.poll(self.raising(forever=ServerError("HTTP 500 from /x", "frontend")), 600)
        self.assertEqual(raised.exception.component, "frontend")
        self.assertEqual(self.clock.now, 1000 + SERVER_ERROR_LIMIT)

    def test_nobody_there_is_an_error(self) -> None:
        with self.assertRaises(TestError):
            self.poll(self.raising(forever=Unreachable("refused")), 600)
        self.assertEqual(self.clock.now, 1000 + UNREACHABLE_LIMIT)

    def test_within(self) -> None:
        deadline = Deadline(100, self.clock)
        self.assertEqual(deadline.within(20).left(), 20)
        self.assertEqual(deadline.within(500).left(), 100)
        self.clock.sleep(150)
        self.assertEqual(deadline.left(), 0)
        self.assertTrue(deadline.passed())
