"""From what tmt left to a verdict. Pure.

tmt's exit code is made of all results of the test: 0 (passed), 1 (a fail or a warn), 2 (an error, or tmt itself failed),
3 (no results), 4 (all skipped). A result that the exit code contradicts is believed by nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from suite.fingerprint import fingerprint
from suite.junit import Case
from suite.process import TERMINATED, Ended
from suite.verdict import Result, Verdict

from .results import Malformed, Part

# The check by which tmt says that a test's duration was up.
TIMEOUT = "internal/timeout"
PASSED, FAILED, BROKEN, NONE, SKIPPED = range(5)


@dataclass(frozen=True)
class Left:
    """What a run of tmt left behind."""

    test: str
    ended: Ended
    seconds: float
    """How long it ran."""
    results: list[Part] | Malformed | None
    said: str
    """What tmt itself said when it gave up."""
    last: str
    """The last line that the test printed."""
    failures: tuple[str, ...] = ()
    """The assertions of beakerlib that failed, with their phases."""


def verdict(left: Left) -> Verdict:
    """The verdict on a test."""
    if left.ended.cut == TERMINATED:
        return _error(left.ended.cut, "terminated by SIGTERM", _results(left))
    if left.ended.cut:
        return _error(left.ended.cut, f"the deadline was reached after {left.seconds:.0f} s", _results(left))
    if isinstance(left.results, Malformed):
        return _error("JournalMalformed", f"{left.ended}, and {left.results}", ())
    # Where prepare fails, tmt has a result for what it never began.
    run = [part for part in left.results or () if part.result != "pending"]
    results = _results(left)
    if not run:
        if left.ended.code == BROKEN:
            return _error("", left.said or "tmt failed before the test began, and doesn't say why", results)
        return _error("JournalMissing", f"{left.ended}, and tmt has no result of the test", results)
    worst = next((outcome for outcome in ("Error", "Failed") if any(part.outcome == outcome for part in run)), "")
    expected = {"Error": BROKEN, "Failed": FAILED}.get(worst)
    if expected is None:
        expected = SKIPPED if all(part.outcome == "Skipped" for part in run) else PASSED
    if left.ended.code != expected:
        return _error("ExitCode", f"{left.ended}, though the results are: {_summary(run)}", results)
    if not worst:
        if expected == SKIPPED:
            return Verdict("Skipped", next((part.note for part in run if part.note), ""), results=results)
        return Verdict("Passed", results=results)
    message = _first(left, run, worst)
    if worst == "Error":
        late = any(check.name == TIMEOUT and check.outcome != "Passed" for part in run for check in part.checks)
        return _error("DeadlineReached" if late else "", message, results)
    return Verdict("Failed", message, results=results, fingerprint=fingerprint(
        [message, *(f"{result.name}: {result.message}" for result in results if result.outcome == "Failed")]))


def cases(left: Left, judged: Verdict) -> list[Case]:
    """The parts for JUnit XML, and the test itself where they don't say what the verdict does."""
    parts = left.results if isinstance(left.results, list) else []
    found = [Case(_name(left.test, part), part.outcome, part.note, seconds=part.seconds) for part in parts]
    said = any(case.outcome == judged.outcome for case in found)
    return found if said else [*found, Case(left.test, judged.outcome, judged.message, seconds=left.seconds)]


def _first(left: Left, run: list[Part], outcome: str) -> str:
    """Where it went wrong first, and what is said of that: by an assertion, a note, or else by the test's last words."""
    part = next(part for part in run if part.outcome == outcome)
    within = next((sub for sub in (*part.parts, *part.checks) if sub.outcome == outcome), None)
    late = next((check for check in part.checks if check.outcome != "Passed"), None)
    if left.failures and part.name == left.test:
        return left.failures[0]
    where = [name for name in (_name(left.test, part), within.name if within else "") if name and name != left.test]
    note = (within.note if within else "") or part.note or (late.note if late else "") or left.last
    if not note:
        note = f"tmt says {part.result}"
    return ": ".join([*where, note])


def _results(left: Left) -> tuple[Result, ...]:
    """Failing assertions, then each result with its parts and checks."""
    parts = left.results if isinstance(left.results, list) else []
    return (*(Result(failure, "Failed") for failure in left.failures), *(result for part in parts for result in _flat(_name(left.test, part), part)))


def _flat(name: str, part: Part) -> Iterator[Result]:
    yield Result(name, part.outcome, part.note)
    for sub in (*part.parts, *part.checks):
        yield from _flat(f"{name.rstrip('/')}/{sub.name.strip('/')}", sub)


def _name(test: str, part: Part) -> str:
    """What a test reports itself is named below it."""
    return part.name.removeprefix(f"{test}/") if part.name != test else test


def _summary(run: list[Part]) -> str:
    return ", ".join(dict.fromkeys(part.result for part in run))


def _error(reason: str, message: str, results: tuple[Result, ...]) -> Verdict:
    return Verdict("Error", message, reason=reason, results=results, fingerprint=fingerprint([reason, message]))
