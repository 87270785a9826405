"""Builds: submitted by copr-cli, watched through the API, explained from their logs."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite.cleanup import FINISHED
from suite.errors import TestError, TestFailed, Unreachable
from suite.log import output, say
from suite.wait import Pending, ServerError, poll

from . import blame
from .context import Context

SOURCE, RPM = "SRPM", "RPM"

# States in which a build has no builder yet.
WAITING = {"pending", "starting"}
# Which builds of others are looked at, by their numbers: so many in all, so many of them younger than one's own.
RECENT, NEWER = 40, 8

# Lines of a failed build's logs that go into the test's own log.
TAIL = 30


@dataclass(frozen=True)
class Progress:
    """A build at one moment."""

    state: str
    stage: str
    """Whether it's about the SRPM (its build and its import) or the RPM."""
    chroot: Any | None
    """The build in the chroot, once there is one."""

    def __str__(self) -> str:
        return f"`{self.state}` ({self.stage} stage)"


class Build:
    """One build of one package in one chroot."""

    def __init__(self, test: Context, project: str, number: int, package: str) -> None:
        self._test = test
        self.project = project
        self.number = number
        self.package = package

    def progress(self) -> Progress:
        """How far it is. The RPM's build waits until the SRPM is imported."""
        state = self._test.api.build(self.number).state
        chroots = [c for c in self._test.api.build_chroots(self.number) if c.name == self._test.chroot]
        chroot = chroots[0] if chroots else None
        source = chroot is None or chroot.state == "waiting" or state == "importing"
        # A build whose source fails takes its chroots along: only the logs tell the two apart.
        if state in ("failed", "canceled"):
            source = not self.log(RPM, "backend.log")
        return Progress(state, SOURCE if source else RPM, chroot)

    def folder(self, stage: str) -> tuple[str, str, str]:
        """Where the backend keeps the results of a stage, below the owner's."""
        if stage == SOURCE:
            return (self.project, "srpm-builds", f"{self.number:08}")
        return (self.project, self._test.chroot, f"{self.number:08}-{self.package}")

    def log(self, stage: str, name: str) -> str:
        """A log of a stage; empty if there is none."""
        return self._test.results.log(*self.folder(stage), name)

    def blamed(self, progress: Progress) -> str:
        """Who has to move it on."""
        component = blame.by_state(progress.state)
        if progress.state in ("starting", "running"):
            try:
                return blame.by_backend_log(self.log(progress.stage, "backend.log"), component)
            except (Unreachable, ServerError, TestFailed) as error:
                say(f"backend.log can't be had: {error}")
        return component

    def wait(self, wanted: str, done: Callable[[Progress], bool]) -> Progress:
        """Waits for a state. An end that isn't the one waited for is a failure."""
        what = f"build {self.number} to be {wanted}"
        self._test.step(f"wait for {what}", "backend")
        last = Progress("", "", None)

        def look() -> Progress:
            nonlocal last
            progress = self.progress()
            if done(progress):
                say(f"build {self.number}: {progress}")
                return progress
            if progress.state in FINISHED:
                # However long it waited before, it has its own reason now.
                last = progress
                raise self.ended_wrong(progress, wanted)
            # Its logs are read when there's something to say, not with each look.
            if str(progress) != str(last) or self._test.deadline.left() <= 2:
                self._test.component = self.blamed(progress)
            last = progress
            raise Pending(str(progress), self._test.component)

        began = time.time()
        try:
            return poll(what, look, self._test.deadline)
        except TestFailed as failed:
            # A build that waits for a builder says nothing of Copr while somebody else has them all.
            others = others_at_work(self._test, {self.number}, began) if last.state in WAITING else []
            if not others:
                raise
            raise TestError(f"{failed}, while {numbers(others)} of others held builders") from failed

    def wait_for_end(self, wanted: str = "succeeded") -> Progress:
        """Waits until it ends as wanted."""
        progress = self.wait(wanted, lambda p: p.state == wanted)
        self._test.ended(self.number)
        return progress

    def ended_wrong(self, progress: Progress, wanted: str) -> TestFailed:
        """Why it ended as it did, from its logs, which are put into the test's log."""
        self._test.ended(self.number)
        what = f"build {self.number} {progress.state} in the {progress.stage} stage, not {wanted}"
        worker = self.log(progress.stage, "backend.log")
        builder = self.log(progress.stage, "builder-live.log")
        # Without the tasks that the worker dumps between its own lines.
        records = [line for line in worker.splitlines() if line.startswith("[")]
        for name, lines in (("builder-live.log", builder.splitlines()), ("backend.log", records)):
            say(f"the end of {'/'.join(self.folder(progress.stage))}/{name}:")
            output("\n".join(lines[-TAIL:]) or "(none)")
        if progress.stage == SOURCE and blame.IMPORT_FOLLOWS in worker:
            return TestFailed(f"{what}: the SRPM was built, its import failed", "dist-git")
        component = blame.by_backend_log(worker, "backend")
        reason = blame.first_backend_error(worker)
        if component == "builder":
            printed = blame.builder_error(builder)
            component, reason = blame.behind_builder(printed), printed or reason
        return TestFailed(f"{what}: {reason or 'its logs give no reason'}", component)


def others_at_work(test: Context, own: set[int], since: float) -> list[int]:
    """The builds of others that had a builder at some time since then, among the last forty."""
    newest = max(own) + NEWER

    def look(number: int) -> Any | None:
        try:
            return test.api.find_build(number)
        except (Unreachable, ServerError) as error:
            say(f"build {number} can't be had: {error}")
            return None

    candidates = [number for number in range(max(1, newest - RECENT), newest + 1) if number not in own]
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = [build for build in pool.map(look, candidates) if build is not None]
    return [build.id for build in found if had_builder(build, since)]


def had_builder(build: Any, since: float) -> bool:
    """Whether it runs now, or ran at some time since then."""
    return build.state == "running" or (build.ended_on or 0) > since and bool(build.started_on)


def numbers(builds: list[int]) -> str:
    """"build 7" or "builds 7, 8"."""
    return f"build{'s' if len(builds) > 1 else ''} {', '.join(str(number) for number in builds)}"


def submit(test: Context, project: str, package: str, path: Path) -> Build:
    """Uploads a spec or an SRPM and returns the build that it became."""
    test.step(f"build {path.name} in {project}")
    printed = test.cli("build", "--nowait", "--chroot", test.chroot, test.full_name(project), str(path))
    found = re.search(r"^Created builds: (\d+)$", printed, re.MULTILINE)
    if not found:
        raise TestFailed("copr-cli build named no build", "frontend")
    build = Build(test, project, int(found.group(1)), package)
    test.submitted.append(build)
    test.cancel_later(build.number)
    return build
