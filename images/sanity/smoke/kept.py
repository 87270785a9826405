"""What is kept of a test beside its log: its steps as JUnit XML, and the logs of its builds where it didn't pass."""

import time

from suite import evidence, junit
from suite.errors import TestFailed, Unreachable
from suite.log import say
from suite.verdict import Verdict
from suite.wait import ServerError

from .builds import RPM, SOURCE
from .context import Context

# Of one log, as the backend serves it: what is longer loses its end.
LOG_LIMIT = 4 << 20
# How many of the last builds.
BUILDS = 8
LOGS = ("builder-live.log", "backend.log")
# The time that the logs may take, of the minute that a test has after its verdict.
LIMIT = 8.0


def cases(context: Context, verdict: Verdict) -> list[junit.Case]:
    """Each step that the test came to; how the test ended is how the last one did."""
    now = time.monotonic()
    ends = [began for _, began in context.steps[1:]] + [now]
    found = [junit.Case(text, "Passed", seconds=end - began)
             for (text, began), end in zip(context.steps, ends, strict=True)]
    if verdict.outcome != "Passed":
        last = found.pop()
        details = f"component: {verdict.component}" if verdict.component else ""
        found.append(junit.Case(last.name, verdict.outcome, verdict.message, details, last.seconds))
    return found


def keep_steps(context: Context, verdict: Verdict) -> None:
    """Writes junit.xml."""
    if folder := evidence.folder():
        evidence.keep(folder / evidence.JUNIT, junit.document("smoke", context.name, cases(context, verdict)))


def keep_build_logs(context: Context) -> None:
    """Downloads the logs of the last builds, before their project is deleted. Those that there are not are nobody's fault."""
    folder = evidence.folder()
    if folder is None:
        return
    for build in context.submitted[-BUILDS:]:
        for stage in (SOURCE, RPM):
            for name in LOGS:
                # In this order, as Results.log has it.
                for candidate in (name, f"{name}.gz"):
                    try:
                        content = context.results.find(*build.folder(stage), candidate, limit=LOG_LIMIT)
                    except (TestFailed, ServerError, Unreachable) as error:
                        say(f"{candidate} of build {build.number} can't be kept: {error}")
                        continue
                    if content is not None:
                        target = folder / "builds" / evidence.safe(f"{build.number:08}-{build.package}") / stage.lower()
                        evidence.keep(target / candidate, content)
                        break
