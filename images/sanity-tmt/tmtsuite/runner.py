"""Lists the tests, or runs one: its verdict, its evidence, and the cleaning up that can't change the verdict."""

import contextlib
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType

from suite import broken, evidence, leftovers, listing, log, process, source
from suite.client import configure
from suite.errors import Terminated, TestError
from suite.verdict import Verdict, leave

from . import catalogue, command, judge, results, said
from .settings import GIT_REF, GIT_URL, Settings, hide_password_of_url, metadata, of_tests, of_tmt

NAME = "tmt"
USAGE = "usage: run-test NAME | --list"
# What tmt says at its end is in so much of its output.
TAIL = 1 << 16


class NoSource(Exception):
    """The repository can't be had."""


def main(argv: list[str]) -> int:
    """run-test NAME, or run-test --list."""
    hide_password_of_url()
    if argv == ["--list"]:
        return list_tests()
    if len(argv) != 1 or argv[0].startswith("-"):
        print(USAGE, file=sys.stderr)
        return leave(Verdict("Error", USAGE))
    return run_test(argv[0])


def list_tests() -> int:
    """Prints the list and nothing else on stdout."""
    with contextlib.redirect_stdout(sys.stderr):
        try:
            scripts = _obtain()
            tests = [test.listed for test in catalogue.tests(metadata(scripts.root))]
        except NoSource as error:
            return leave(broken.error(error, "SourceUnavailable"))
        except TestError as error:
            return leave(broken.without_secrets(broken.error(error, "")))
    version = scripts.source.commit[:12] if scripts.source else "unknown"
    print(listing.document(NAME, version, tests, source=scripts.source, root=True))
    return 0


def run_test(name: str) -> int:
    """Runs the test of that name, leaves its verdict, and returns the exit code."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    if folder := evidence.folder():
        with evidence.readable():
            log.copy_to(folder / evidence.LOG)
    settings: Settings | None = None
    try:
        settings = Settings.from_environment()
        log.hide_secrets_of(settings.client_config)
        verdict = _run(name, settings, folder)
    except NoSource as error:
        verdict = broken.error(error, "SourceUnavailable")
    except TestError as error:
        verdict = broken.error(error, "")
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
        leftovers.clean_up(settings.client_config, settings.owner, settings.run_ids)
    return code


def _run(name: str, settings: Settings, kept: Path | None) -> Verdict:
    scripts = _obtain()
    root = metadata(scripts.root)
    test = catalogue.find(root, name)
    configure(settings.client_config, settings.home)
    if gone := broken.unreachable(settings.frontend, settings.patience):
        return gone
    seconds = settings.deadline or float(test.listed.deadlineSeconds)
    commit = scripts.source.commit[:12] if scripts.source else "no commit"
    log.say(f"{name} of {commit}: {test.listed.summary} Deadline {seconds:.0f} s, {settings.frontend}")
    run = command.Run()
    printed = ""

    def emit(text: str) -> None:
        nonlocal printed
        printed = (printed + text)[-TAIL:]
        log.emit(text)

    began = time.monotonic()
    try:
        ended = process.run(command.line(run.folder, name, of_tests()), root, of_tmt(), seconds, emit)
    except OSError as error:
        raise TestError(f"tmt can't be run: {error}") from error
    # It has ended: how is worth more than that the pod was.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        found: list[results.Part] | results.Malformed | None = results.read(run.execute / command.RESULTS)
    except results.Malformed as error:
        found = error
    left = judge.Left(name, ended, time.monotonic() - began, found, said.why(printed), run.last_words(),
                      run.failures())
    verdict = judge.verdict(left)
    logs = [path for part in found for path in part.logs] if isinstance(found, list) else []
    run.keep(kept, logs, judge.cases(left, verdict), name)
    # A test can't tell a Copr that errs from one that isn't there.
    return verdict if verdict.outcome != "Failed" else broken.unreachable(settings.frontend, settings.patience, verdict) or verdict


def _obtain() -> source.Scripts:
    try:
        return source.obtain(source.Origin.from_environment(GIT_URL, GIT_REF))
    except TestError as error:
        raise NoSource(str(error)) from error


def _on_sigterm(_number: int, _frame: FrameType | None) -> None:
    # A second one must not cut short the verdict of the first.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated
