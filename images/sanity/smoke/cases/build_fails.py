"""A package that can't be built."""

from suite.errors import TestFailed

from ..builds import RPM, submit
from ..context import Context
from ..specs import write_spec

NAME = "copr-smoke-broken"
# copr-cli's exit code for a build that failed or was cancelled.
BUILD_FAILED = 4


def run(test: Context) -> None:
    """A spec that fails on purpose ends as failed, and the log says why."""
    reason = f"this build fails on purpose {test.settings.run_id}"
    project = test.create_project()
    # The log also shows the commands themselves, so the two halves come together in the output only.
    head, tail = reason[:10], reason[10:]
    spec = write_spec(test.work, NAME, test.settings.package_folder,
                      build=f"printf '%s%s\\n' '{head}' '{tail}' >&2\nexit 3")
    build = submit(test, project, NAME, spec)
    progress = build.wait_for_end("failed")
    if progress.stage != RPM:
        raise build.ended_wrong(progress, "failed in the RPM stage")

    test.step("ask copr-cli how it ended")
    result = test.cli.run("watch-build", str(build.number))
    if result.code != BUILD_FAILED:
        raise TestFailed(f"copr-cli watch-build exited with {result.code}, not {BUILD_FAILED}", "frontend")

    test.step("look for the reason in builder-live.log", "backend")
    log = build.log(RPM, "builder-live.log")
    if not log:
        raise TestFailed(f"build {build.number} has no builder-live.log in its results", "backend")
    if reason not in log:
        raise TestFailed(f"builder-live.log of build {build.number} doesn't show what the build printed", "builder")
