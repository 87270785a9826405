"""As many builds at once as there may be builders."""

import time

from suite.errors import TestError, TestFailed, TestSkipped
from suite.log import say

from ..builders import Builder, builders_of, wait_until_released
from ..builds import RPM, SOURCE, Build, numbers, others_at_work, submit
from ..context import Context
from ..specs import write_spec

MOST = 4
# Long enough for the others' builders to start meanwhile.
LENGTH = 30
RELEASE_LIMIT = 180.0


def run(test: Context) -> None:
    """Several builds run at the same time, each on a builder of its own, all gone afterwards."""
    number = min(test.settings.builders_max, MOST)
    if number < 2:
        raise TestSkipped("the instance may have one builder only")
    project = test.create_project()
    builders: list[Builder] = []
    most = 0
    others: set[int] = set()
    # No test runs beside this one, but people may build: they hold builders for a while, and then there is another round.
    for round_number in range(1, 1000):
        began, started = time.time(), test.deadline.left()
        builds = [_submit(test, project, f"copr-smoke-parallel-{round_number}-{i}") for i in range(1, number + 1)]
        together, used = _round(test, builds)
        builders += used
        if together == number:
            break
        most = max(most, together)
        others |= set(others_at_work(test, {build.number for build in builds}, began))
        if not time_for_another(test.deadline.left(), started - test.deadline.left()):
            raise verdict(number, most, sorted(others))
    wait_until_released(test, builders, RELEASE_LIMIT)


def _round(test: Context, builds: list[Build]) -> tuple[int, list[Builder]]:
    """How many of the builds ran at the same time, and on which builders."""
    spans = [_span(build) for build in builds]
    builders = [builder for build in builds for builder in builders_of(build, SOURCE)]
    # The last is the one that it ran on; others were given up.
    ran_on = [builders_of(build, RPM)[-1] for build in builds]
    together = most_at_once(spans)
    say(f"{together} of {len(builds)} builds ran at the same time")
    if together == len(builds) and len(set(ran_on)) != len(builds):
        raise TestFailed(f"{len(builds)} builds at once ran on {len(set(ran_on))} builder(s)", "resalloc")
    return together, builders + ran_on


def time_for_another(left: float, took: float) -> bool:
    """Whether a round as long as the last, half again, and the release of the builders fit into the time that is left."""
    return left > 1.5 * took + RELEASE_LIMIT / 2


def verdict(number: int, most: int, others: list[int]) -> TestFailed | TestError:
    """What it means that they never ran together. The fault is Copr's if nobody else had the builders."""
    what = f"of {number} builds no more than {most} ran at the same time"
    if others:
        return TestError(f"{what}, while {numbers(others)} of others held builders")
    return TestFailed(what, "resalloc")


def most_at_once(spans: list[tuple[float, float]]) -> int:
    """How many of the spans of time have a moment in common, at most."""
    return max((sum(start <= moment < end for start, end in spans) for moment, _ in spans), default=0)


def _submit(test: Context, project: str, name: str) -> Build:
    spec = write_spec(test.work, name, test.settings.package_folder, build=f"sleep {LENGTH}")
    return submit(test, project, name, spec)


def _span(build: Build) -> tuple[float, float]:
    chroot = build.wait_for_end().chroot
    if chroot is None or not chroot.started_on or not chroot.ended_on:
        raise TestFailed(f"build {build.number} has no times of start and end", "frontend")
    say(f"build {build.number} ran from {chroot.started_on:.0f} to {chroot.ended_on:.0f}")
    return chroot.started_on, chroot.ended_on
