"""A build that is stopped half-way."""

from suite.cleanup import FINISHED
from suite.errors import TestFailed
from suite.log import say
from suite.wait import Pending, poll

from ..builders import builders_of, wait_until_released
from ..builds import RPM, submit
from ..context import Context
from ..specs import write_spec

NAME = "copr-smoke-long"
# Longer than any deadline of this test, so that it can end by the cancellation only.
LENGTH = 7200
RELEASE_LIMIT = 180.0
# What the worker logs, as of copr-backend 2.13 and before it.
RELEASED = ("VM Release request", "Releasing VM back to pool")


def run(test: Context) -> None:
    """A running build is cancelled: it ends as canceled, and its builder is released."""
    project = test.create_project()
    spec = write_spec(test.work, NAME, test.settings.package_folder,
                      build=f"printf 'smoke: %s\\n' asleep\nsleep {LENGTH}")
    build = submit(test, project, NAME, spec)
    build.wait("running", lambda p: p.stage == RPM and p.state == "running")

    def live() -> None:
        progress = build.progress()
        if progress.state in FINISHED:
            raise build.ended_wrong(progress, "running")
        if "smoke: asleep" not in build.log(RPM, "builder-live.log"):
            raise Pending("the build's output isn't in builder-live.log", build.blamed(progress))
    test.step("wait for its output in the live log", "builder")
    poll(f"build {build.number}", live, test.deadline)
    builders = builders_of(build, RPM)
    for builder in builders:
        # A policy may keep this pod from the builders; then backend.log alone shows the release.
        say(f"{builder.host}:{builder.port} {'answers' if builder.answers() else 'is not to be reached'} from here")

    test.step(f"cancel build {build.number}")
    test.cli("cancel", str(build.number))
    build.wait_for_end("canceled")

    # The compressed log is the last thing that the worker leaves.
    test.step("wait until the backend has let go of it", "backend")
    test.results.wait_for(*build.folder(RPM), "backend.log.gz")
    state = build.progress().state
    if state != "canceled":
        raise TestFailed(f"build {build.number} was canceled and is {state} now", "frontend")
    log = build.log(RPM, "backend.log")
    if not any(text in log for text in RELEASED):
        raise TestFailed(f"backend.log of build {build.number} shows no release of its builder", "backend")
    wait_until_released(test, builders, RELEASE_LIMIT)
    say("canceled and released")
