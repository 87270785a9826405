"""Lists the tests, or runs one: its verdict, its evidence, and the cleaning up that can't change the verdict."""

import contextlib
import os
import signal
import sys
import time
import traceback
from types import FrameType

from suite import broken, evidence, journal, leftovers, listing, log, process, source
from suite.errors import Terminated, TestError
from suite.verdict import Verdict, leave

from . import behave, catalogue, client, judge, results
from .kept import Folders
from .settings import GIT_REF, GIT_URL, Settings
from .watch import Watch

NAME = "upstream"
# Of run-test itself, and of a laboratory that beakerlib would report to.
OURS = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "TESTID")
USAGE = "usage: run-test NAME | --list"


def main(argv: list[str]) -> int:
    """run-test NAME, or run-test --list."""
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
            scripts = source.obtain(source.Origin.from_environment(GIT_URL, GIT_REF))
            tests = [script.listed for script in catalogue.scripts(scripts.root)]
        except TestError as error:
            return leave(broken.error(error, "SourceUnavailable"))
    version = scripts.source.commit[:12] if scripts.source else "unknown"
    print(listing.document(NAME, version, tests, source=scripts.source, root=True))
    return 0


def run_test(name: str) -> int:
    """Runs the test of that name, leaves its verdict, and returns the exit code."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    if folder := evidence.folder():
        with evidence.readable():
            log.copy_to(folder / evidence.LOG)
    watch = Watch()
    settings: Settings | None = None
    try:
        settings = Settings.from_environment()
        log.hide_secrets_of(settings.client_config)
        verdict = _run(name, settings, watch)
    except TestError as error:
        verdict = broken.error(error, "")
    except Terminated:
        verdict = Verdict("Error", "terminated by SIGTERM before the script was begun", reason=process.TERMINATED)
    except Exception as error:  # a mistake of this program, whatever it is
        log.output(traceback.format_exc())
        verdict = Verdict("Error", f"{type(error).__name__}: {error}")
    # Whoever ends the pod now waits for what follows.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    verdict = broken.without_secrets(verdict)
    log.say(f"{name}: {verdict.outcome}" + (f": {verdict.message}" if verdict.message else ""))
    code = leave(verdict)
    if settings:
        leftovers.clean_up(settings.client_config, settings.owner, [watch.name] if watch.name else [])
    return code


def _run(name: str, settings: Settings, watch: Watch) -> Verdict:
    try:
        scripts = source.obtain(source.Origin.from_environment(GIT_URL, GIT_REF))
    except TestError as error:
        return broken.error(error, "SourceUnavailable")
    script = catalogue.find(scripts.root, name)
    client.prepare(settings)
    if gone := broken.unreachable(settings.frontend, settings.patience):
        return gone
    folders = Folders(evidence.folder())
    behave.configure(settings.home, folders.behave)
    seconds = settings.deadline or float(script.listed.deadlineSeconds)
    commit = scripts.source.commit[:12] if scripts.source else "no commit"
    log.say(f"{name} of {commit}: {script.listed.summary} Deadline {seconds:.0f} s, {settings.frontend}")
    env = {name: value for name, value in os.environ.items() if name not in OURS}
    if os.geteuid() == 0:
        # The image's entrypoint gave the name of the image's user.
        env |= {"USER": "root", "LOGNAME": "root"}
    env |= {**settings.variables(), "HOME": str(settings.home), "TEST": name, "BEAKERLIB_DIR": str(folders.beakerlib)}

    def emit(text: str) -> None:
        watch.see(text)
        log.emit(text)

    began = time.monotonic()
    try:
        ended = process.run(script.command, script.folder, env, seconds, emit)
    except OSError as error:
        raise TestError(f"{script.command[0]} can't be run: {error}") from error
    # It has ended: how is worth more than that the pod was.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        summary: results.Summary | results.Malformed | None = results.read(folders.beakerlib)
    except results.Malformed as error:
        summary = error
    left = judge.Left(ended, time.monotonic() - began, summary, journal.read(folders.beakerlib),
                      tuple(behave.read(folders.behave)))
    verdict = judge.behave(left) if script.behave else judge.beakerlib(left, script.skipped_with, settings.storage)
    folders.keep(name, judge.cases(left, verdict, name))
    # A script can't tell a Copr that errs from one that isn't there.
    return verdict if verdict.outcome != "Failed" else broken.unreachable(settings.frontend, settings.patience, verdict) or verdict


def _on_sigterm(_number: int, _frame: FrameType | None) -> None:
    # A second one must not cut short the verdict of the first.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated
