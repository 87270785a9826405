"""What `suite.runner` does with tests of tmt: lists them, and runs one by `tmt run`."""

import signal
import time
from pathlib import Path

from suite import broken, log, process, runner
from suite.client import configure
from suite.errors import TestError
from suite.listing import Listed
from suite.source import Scripts
from suite.verdict import Verdict

from . import catalogue, command, judge, results, said
from .settings import GIT_REF, GIT_URL, Settings, hide_password_of_url, metadata, of_tests, of_tmt

NAME = "tmt"
# What tmt says at its end is in so much of its output.
TAIL = 1 << 16


def main(argv: list[str]) -> int:
    """run-test NAME, or run-test --list."""
    hide_password_of_url()
    return runner.main(argv, SUITE)


def _tests(root: Path) -> list[Listed]:
    return [test.listed for test in catalogue.tests(metadata(root))]


def _run(name: str, settings: Settings, scripts: Scripts, kept: Path | None) -> Verdict:
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


SUITE = runner.Suite(NAME, GIT_URL, GIT_REF, _tests, Settings.from_environment, _run, lambda settings: settings.run_ids)
