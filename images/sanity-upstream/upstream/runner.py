"""What `suite.runner` does with Copr's own scripts: lists them, and runs one."""

import os
import signal
import time
from pathlib import Path

from suite import broken, journal, log, process, runner
from suite.errors import TestError
from suite.listing import Listed
from suite.source import Scripts
from suite.verdict import Verdict

from . import behave, catalogue, client, judge, results
from .kept import Folders
from .settings import GIT_REF, GIT_URL, Settings
from .watch import Watch

NAME = "upstream"
# Of run-test itself, and of a laboratory that beakerlib would report to.
OURS = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "TESTID")


def main(argv: list[str]) -> int:
    """run-test NAME, or run-test --list."""
    watch = Watch()

    def run(name: str, settings: Settings, scripts: Scripts, kept: Path | None) -> Verdict:
        return _run(name, settings, scripts, kept, watch)

    def left(_settings: Settings) -> list[str]:
        return [watch.name] if watch.name else []

    return runner.main(argv, runner.Suite(NAME, GIT_URL, GIT_REF, _tests, Settings.from_environment, run, left))


def _tests(root: Path) -> list[Listed]:
    return [script.listed for script in catalogue.scripts(root)]


def _run(name: str, settings: Settings, scripts: Scripts, kept: Path | None, watch: Watch) -> Verdict:
    script = catalogue.find(scripts.root, name)
    client.prepare(settings)
    if gone := broken.unreachable(settings.frontend, settings.patience):
        return gone
    folders = Folders(kept)
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
