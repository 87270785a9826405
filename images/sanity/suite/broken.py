"""Verdicts that say nothing of Copr: the test could not work, or there was no Copr to test."""

from dataclasses import replace

from .errors import TestError
from .fingerprint import fingerprint
from .frontend import wait_for_frontend
from .log import scrub
from .verdict import Verdict, first_line
from .wait import Deadline


def error(why: Exception, reason: str) -> Verdict:
    """The verdict on a test that could not work."""
    message = first_line(str(why))
    return Verdict("Error", message, reason=reason, fingerprint=fingerprint([reason, message]))


def unreachable(frontend: str, patience: float, verdict: Verdict | None = None) -> Verdict | None:
    """The verdict on a test whose frontend doesn't answer, with what is known of it; None if it does."""
    try:
        wait_for_frontend(frontend, Deadline(patience))
    except TestError as why:
        after = f"; before that: {verdict.message}" if verdict else ""
        results = verdict.results if verdict else ()
        return replace(error(why, "FrontendUnreachable"), message=f"{why}{after}", results=results)
    return None


def without_secrets(verdict: Verdict) -> Verdict:
    """The same, as it may be shown."""
    return replace(verdict, message=scrub(verdict.message), results=tuple(
        replace(result, name=scrub(result.name), message=scrub(result.message)) for result in verdict.results))
