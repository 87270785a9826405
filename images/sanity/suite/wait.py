"""Waiting with a deadline: a look every second, and a message that says where it got stuck."""

import time
from collections.abc import Callable
from typing import TypeVar

from .errors import TestError, TestFailed, Unreachable
from .log import say

T = TypeVar("T")

INTERVAL = 1.0

# A component's pod may be replaced in the middle of a test; a look that meets it is repeated for
# this long. Longer, and it's no test that can be carried on with.
UNREACHABLE_LIMIT = 120.0
SERVER_ERROR_LIMIT = 30.0


class Pending(Exception):
    """Raised by a look: not there yet. Says what was seen, and which component is at work."""

    def __init__(self, state: str, component: str) -> None:
        super().__init__(state)
        self.state = state
        self.component = component


class ServerError(Exception):
    """HTTP 5xx: a component of Copr answered that it is broken."""

    def __init__(self, message: str, component: str) -> None:
        super().__init__(message)
        self.component = component


class Deadline:
    """A moment that doesn't move, however the clock of the machine is set."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self._end - self._clock())

    def passed(self) -> bool:
        """Whether it is over."""
        return self.left() <= 0

    def within(self, seconds: float) -> "Deadline":
        """A deadline that many seconds from now, or this one if it's earlier."""
        return Deadline(min(seconds, self.left()), self._clock)


def poll(
    what: str,
    look: Callable[[], T],
    deadline: Deadline,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    interval: float = INTERVAL,
) -> T:
    """Repeats a look until it no longer raises Pending, and returns what it returns.

    At the deadline it's a TestFailed of the component that the last look named, with the state
    and how long that state lasted. Addresses that don't answer and 5xx are borne for a while.
    """
    state, since = "", clock()
    while True:
        limit: float | None = None
        outcome: Exception
        try:
            return look()
        except Pending as pending:
            seen = pending.state
            outcome = TestFailed(f"{what}: still {seen}", pending.component)
        except ServerError as error:
            seen, limit = str(error), SERVER_ERROR_LIMIT
            outcome = TestFailed(f"{what}: {seen}", error.component)
        except Unreachable as error:
            seen, limit = str(error), UNREACHABLE_LIMIT
            outcome = TestError(f"{what}: {seen}")
        if seen != state:
            state, since = seen, clock()
            say(f"{what}: {state}")
        lasted = clock() - since
        if deadline.passed() or (limit is not None and lasted >= limit):
            outcome.args = (f"{outcome.args[0]} after {lasted:.0f} s",)
            raise outcome
        sleep(min(interval, deadline.left()))
