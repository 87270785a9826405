"""As many builds at once as there may be builders."""

from ..builders import builders_of, wait_until_released
from ..builds import RPM, SOURCE, Build, submit
from ..context import Context
from ..errors import TestFailed, TestSkipped
from ..log import say
from ..specs import write_spec

MOST = 4
# Long enough for the others' builders to start meanwhile.
LENGTH = 30
# Tests that run beside this one may hold builders for a while.
ROUNDS = 2
RELEASE_LIMIT = 180.0


def run(test: Context) -> None:
    """Several builds run at the same time, each on a builder of its own, all gone afterwards."""
    number = min(test.settings.builders_max, MOST)
    if number < 2:
        raise TestSkipped("the instance may have one builder only")
    project = test.create_project()
    builders = []
    together = 0
    for round_number in range(1, ROUNDS + 1):
        builds = [_submit(test, project, f"copr-smoke-parallel-{round_number}-{i}") for i in range(1, number + 1)]
        spans = [_span(build) for build in builds]
        for build in builds:
            builders += builders_of(build, SOURCE)
        # The last is the one that it ran on; others were given up.
        ran_on = [builders_of(build, RPM)[-1] for build in builds]
        builders += ran_on
        together = most_at_once(spans)
        say(f"{together} of {number} builds ran at the same time")
        if together == number:
            if len(set(ran_on)) != number:
                raise TestFailed(f"{number} builds at once ran on {len(set(ran_on))} builder(s)", "resalloc")
            break
    else:
        raise TestFailed(f"of {number} builds no more than {together} ran at the same time", "resalloc")
    wait_until_released(test, builders, RELEASE_LIMIT)


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
