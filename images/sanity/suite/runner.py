"""Suites whose tests come out of a git repository. Lists them, or runs one: its verdict, its evidence, and the cleaning up that can't
change the verdict."""

import contextlib
import signal
import sys
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Generic, Protocol, TypeVar

from . import broken, evidence, leftovers, listing, log, process, source
from .errors import NoSource, Terminated, TestError
from .verdict import Verdict, leave

USAGE = "usage: run-test NAME | --list"


class Settings(Protocol):
    """What is done around every test needs these."""

    @property
    def owner(self) -> str:
        """Whose projects the tests make."""

    @property
    def client_config(self) -> Path:
        """The configuration of copr-cli."""


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class Suite(Generic[S]):
    """What a suite has of its own."""

    name: str
    url: str
    """Of the repository, unless the environment says otherwise."""
    ref: str
    tests: Callable[[Path], list[listing.Listed]]
    """Those of a checkout."""
    settings: Callable[[], S]
    """From the environment; a TestError says what is wrong with it."""
    run: Callable[[str, S, source.Scripts, Path | None], Verdict]
    """The test of that name. What it leaves to be looked at goes into the folder."""
    left: Callable[[S], Collection[str]]
    """Parts of the names of the projects that a test has left."""


def main(argv: list[str], suite: Suite[S]) -> int:
    """run-test NAME, or run-test --list."""
    if argv == ["--list"]:
        return list_tests(suite)
    if len(argv) != 1 or argv[0].startswith("-"):
        print(USAGE, file=sys.stderr)
        return leave(Verdict("Error", USAGE))
    return run_test(argv[0], suite)


def list_tests(suite: Suite[S]) -> int:
    """Prints the list and nothing else on stdout."""
    with contextlib.redirect_stdout(sys.stderr):
        try:
            scripts = _obtain(suite)
            tests = suite.tests(scripts.root)
        except TestError as error:
            return leave(broken.without_secrets(broken.error(error, _reason(error))))
    version = scripts.source.commit[:12] if scripts.source else "unknown"
    print(listing.document(suite.name, version, tests, source=scripts.source, root=True))
    return 0


def run_test(name: str, suite: Suite[S]) -> int:
    """Runs the test of that name, leaves its verdict, and returns the exit code."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    if folder := evidence.folder():
        with evidence.readable():
            log.copy_to(folder / evidence.LOG)
    settings: S | None = None
    try:
        settings = suite.settings()
        log.hide_secrets_of(settings.client_config)
        verdict = suite.run(name, settings, _obtain(suite), folder)
    except TestError as error:
        verdict = broken.error(error, _reason(error))
    except Terminated:
        verdict = Verdict("Error", "terminated by SIGTERM before the test was begun", reason=process.TERMINATED)
    except Exception as error:  # a mistake of this program, whatever it is
        log.output(traceback.format_exc())
        verdict = Verdict("Error", f"{type(error).__name__}: {error}")
    # Whoever ends the pod now waits for what follows.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    verdict = broken.without_secrets(verdict)
    log.say(f"{name}: {verdict.outcome}" + (f": {verdict.message}" if verdict.message else ""))
    code = leave(verdict)
    if settings:
        leftovers.clean_up(settings.client_config, settings.owner, suite.left(settings))
    return code


def _obtain(suite: Suite[S]) -> source.Scripts:
    return source.obtain(source.Origin.from_environment(suite.url, suite.ref))


def _reason(error: TestError) -> str:
    return "SourceUnavailable" if isinstance(error, NoSource) else ""


def _on_sigterm(_number: int, _frame: FrameType | None) -> None:
    # A second one must not cut short the verdict of the first.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated
