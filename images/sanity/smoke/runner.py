"""Runs one test: its deadline, its verdict, and the cleaning up that can't change the verdict."""

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from . import cases, log
from .context import CLEANUP_LIMIT, Context
from .errors import Terminated, TestError, TestFailed, TestSkipped, Unreachable
from .settings import Settings, termination_log
from .verdict import EXIT_CODES, Verdict, first_line
from .wait import ServerError

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

    def run() -> None:
        nonlocal context
        case = cases.CASES.get(name)
        if case is None:
            raise TestError(f"there is no test {name!r}; run-test --list names them")
        settings = Settings.from_environment()
        seconds = settings.deadline or case.deadline
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE)
        # Not above: where the library is missing, the verdict says so.
        from .api import Api
        context = Context(name, settings, seconds, Api(settings.client_config))
        log.say(f"{name}: {case.about} Deadline {seconds:.0f} s, {settings.frontend}, {settings.chroot}")
        context.wait_for_frontend()
        context.remove_previous()
        case.run(context)

    verdict = judge(run, lambda: (context.current, context.component) if context else ("start", ""))
    signal.setitimer(signal.ITIMER_REAL, 0)
    log.say(f"{name}: {verdict.outcome}" + (f": {verdict.message} [{verdict.component}]" if verdict.message else ""))
    # First the verdict, then the cleaning up: whatever becomes of that, the verdict is there.
    code = leave(verdict)
    # Whoever ends the pod now waits for that.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if context:
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


def clean_up(context: Context) -> None:
    """Ends the test's builds and deletes its projects within a limit; what goes wrong is told in the log only."""
    signal.setitimer(signal.ITIMER_REAL, CLEANUP_LIMIT + GRACE)
    try:
        context.clean_up()
    except (Exception, DeadlineReached) as error:
        log.say(f"cleaning up: {type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main(argv: list[str]) -> int:
    """run-test NAME, or run-test --list."""
    if argv == ["--list"]:
        print("\n".join(cases.CASES))
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
