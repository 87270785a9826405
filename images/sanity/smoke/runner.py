"""Runs one test: its deadline, its verdict, and the cleaning up that can't change the verdict."""

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType

from suite import evidence, listing, log
from suite.errors import Terminated, TestError, TestFailed, TestSkipped, Unreachable
from suite.fingerprint import fingerprint
from suite.frontend import wait_for_frontend
from suite.verdict import EXIT_CODES, Verdict, first_line, termination_log
from suite.wait import ServerError

from . import cases, kept
from .context import CLEANUP_LIMIT, Context
from .settings import Settings

VERSION = "1"

# Waits end by themselves at the deadline and can say more; this is for whatever else hangs.
GRACE = 3


class DeadlineReached(BaseException):
    """The alarm rang. Not an Exception, so that no handler in a test takes it for something else."""


def judge(run: Callable[[], None], blame: Callable[[], tuple[str, str]]) -> Verdict:
    """Runs it and turns however it ended into a verdict. `blame` tells step and component."""
    try:
        run()
    except TestFailed as failed:
        return Verdict("Failed", _message(failed), failed.component)
    except ServerError as error:
        return Verdict("Failed", _message(error), error.component)
    except TestSkipped as skipped:
        return Verdict("Skipped", _message(skipped))
    except TestError as error:
        return Verdict("Error", _message(error), error.component)
    except Unreachable as error:
        return Verdict("Error", _message(error))
    except DeadlineReached:
        step, component = blame()
        return Verdict("Failed", f"the deadline was reached in the step: {step}", component)
    except Terminated:
        return Verdict("Error", f"terminated by SIGTERM in the step: {blame()[0]}")
    except Exception as error:  # a mistake of the test, whatever it is
        log.output(traceback.format_exc())
        return Verdict("Error", f"{type(error).__name__}: {log.scrub(first_line(str(error)))}")
    return Verdict("Passed")


def run_test(name: str) -> int:
    """Runs the test of that name, leaves its verdict, and returns the exit code."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    signal.signal(signal.SIGALRM, _on_sigalrm)
    context: Context | None = None
    if folder := evidence.folder():
        with evidence.readable():
            log.copy_to(folder / evidence.LOG)

    def run() -> None:
        nonlocal context
        case = cases.CASES.get(name)
        if case is None:
            raise TestError(f"there is no test {name!r}; run-test --list names them")
        settings = Settings.from_environment()
        seconds = settings.deadline or case.deadline
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE)
        # Not above: where the library is missing, the verdict says so.
        from suite.api import Api
        context = Context(name, settings, seconds, Api(settings.client_config))
        log.say(f"{name}: {case.about} Deadline {seconds:.0f} s, {settings.frontend}, {settings.chroot}")
        wait_for_frontend(settings.frontend, context.deadline)
        context.remove_previous()
        case.run(context)

    verdict = judge(run, lambda: (context.current, context.component) if context else ("start", ""))
    signal.setitimer(signal.ITIMER_REAL, 0)
    if verdict.outcome in ("Failed", "Error"):
        said = fingerprint((verdict.outcome, verdict.component, verdict.message), context.varying if context else ())
        verdict = replace(verdict, fingerprint=said)
    log.say(f"{name}: {verdict.outcome}" + (f": {verdict.message} [{verdict.component}]" if verdict.message else ""))
    # First the verdict, then the cleaning up: whatever becomes of that, the verdict is there.
    code = leave(verdict)
    # Whoever ends the pod now waits for that.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if context:
        keep(context, verdict)
        clean_up(context)
    return code


def leave(verdict: Verdict) -> int:
    """Writes the verdict; one that nobody can read is an Error."""
    try:
        verdict.write(termination_log())
    except OSError as error:
        log.say(f"the verdict can't be written: {error}: {verdict.to_json()}")
        return EXIT_CODES["Error"]
    return verdict.exit_code


def keep(context: Context, verdict: Verdict) -> None:
    """Leaves the evidence: the builds' own logs only of a test that didn't pass, while there still are some."""
    with_limit("evidence", kept.LIMIT, lambda: kept.keep_steps(context, verdict))
    if verdict.outcome in ("Failed", "Error"):
        with_limit("evidence", kept.LIMIT, lambda: kept.keep_build_logs(context))


def clean_up(context: Context) -> None:
    """Ends the test's builds and deletes its projects."""
    with_limit("cleaning up", CLEANUP_LIMIT + GRACE, context.clean_up)


def with_limit(what: str, seconds: float, work: Callable[[], None]) -> None:
    """Does it within a limit; what goes wrong is told in the log only."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        work()
    except (Exception, DeadlineReached) as error:
        log.say(f"{what}: {type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main(argv: list[str]) -> int:
    """run-test NAME, or run-test --list."""
    if argv == ["--list"]:
        print(listing.document("smoke", VERSION, [case.listed(name) for name, case in cases.CASES.items()]))
        return 0
    if len(argv) != 1 or argv[0].startswith("-"):
        print("usage: run-test NAME | --list", file=sys.stderr)
        return leave(Verdict("Error", "usage: run-test NAME | --list"))
    # Files of a test may be read by nobody else, and go where the operator mounted an emptyDir.
    os.umask(0o077)
    os.chdir(Path(tempfile.gettempdir()))
    return run_test(argv[0])


def _message(error: Exception) -> str:
    return log.scrub(first_line(str(error))) or type(error).__name__


def _on_sigterm(_number: int, _frame: FrameType | None) -> None:
    # A second one must not cut short the verdict of the first.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated


def _on_sigalrm(_number: int, _frame: FrameType | None) -> None:
    raise DeadlineReached
