"""How a test ends when it doesn't pass."""


class TestFailed(Exception):
    """Copr did something wrong. `component` is the part of Copr to look at."""

    def __init__(self, message: str, component: str) -> None:
        super().__init__(message)
        self.component = component


class TestError(Exception):
    """The test itself could not work, so it says nothing about Copr."""

    def __init__(self, message: str, component: str = "") -> None:
        super().__init__(message)
        self.component = component


class NoSource(TestError):
    """The tests can't be had."""


class TestSkipped(Exception):
    """The test doesn't apply here; the message says why."""


class Unreachable(Exception):
    """Nothing answers at an address: refused, timed out, or the name doesn't resolve."""


class Terminated(BaseException):
    """SIGTERM came. Not an Exception, so that no handler in a test takes it for a failure."""
