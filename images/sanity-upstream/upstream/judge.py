"""From how a script ended and what it left to a verdict. Pure.

Upstream's scripts exit with 0 if no *closed* phase failed, so one that ends in the middle of a phase exits with 0 whatever
failed there. What counts is therefore the state that beakerlib wrote, then the result, and the exit code last.
"""

from dataclasses import dataclass

from suite.fingerprint import fingerprint
from suite.journal import Journal, Phase
from suite.junit import Case
from suite.process import TERMINATED, Ended
from suite.verdict import Result, Verdict

from .results import COMPLETE, Malformed, Summary


@dataclass(frozen=True)
class Left:
    """What a script left behind."""

    ended: Ended
    seconds: float
    """How long it ran."""
    summary: Summary | Malformed | None
    journal: Journal | None
    scenarios: tuple[Case, ...] = ()


def beakerlib(left: Left, skipped_with: str, storage: str) -> Verdict:
    """The verdict on a script of beakerlib."""
    results = _results(left.journal)
    if left.ended.cut:
        return _cut(left, results)
    summary = left.summary
    if summary is None:
        return _error("JournalMissing", f"{left.ended}, and beakerlib never began", results)
    if isinstance(summary, Malformed):
        return _error("JournalMalformed", f"{left.ended}, and {summary}", results)
    failed = _failures(left.journal)
    if summary.state != COMPLETE:
        if left.ended.code == 0 and not failed and summary.result == "PASS" and skipped_with in ("any", storage):
            why = "" if skipped_with == "any" else f" with the storage {storage}"
            return Verdict("Skipped", f"the script leaves itself out{why}", results=results)
        # Also where something failed before: what would have come after it is not known.
        place = left.journal.open_phase() if left.journal else None
        where = f"in the phase {place.name}" if place else f"in the state {summary.state}"
        after = f"; first failure: {failed[0]}" if failed else ""
        return _error("JournalIncomplete", f"the script ended {where} ({left.ended}){after}", results)
    if summary.result == "PASS":
        if left.ended.code == 0:
            return Verdict("Passed", results=results)
        return _error("ExitCode", f"{left.ended}, though every phase passed", results)
    message = failed[0] if failed else f"the worst phase is {summary.result}; {left.ended}"
    # Beakerlib's own, eight characters of base64, is of the assertions' results alone, whatever they say.
    same = summary.asserts.encode().hex() if summary.asserts else fingerprint(failed or [message])
    return Verdict("Failed", message, results=results, fingerprint=same)


def behave(left: Left) -> Verdict:
    """The verdict on a script that runs behave."""
    results = tuple(Result(case.name, case.outcome, case.message) for case in left.scenarios)
    if left.ended.cut:
        return _cut(left, results)
    failed = [case for case in left.scenarios if case.outcome == "Failed"]
    broken = [case for case in left.scenarios if case.outcome == "Error"]
    if failed:
        said = [f"{case.name}: {case.message}" for case in failed]
        return Verdict("Failed", said[0], results=results, fingerprint=fingerprint(said))
    if broken:
        return _error("JournalMalformed", f"{broken[0].name} {broken[0].message}", results)
    if not any(case.outcome == "Passed" for case in left.scenarios):
        return _error("JournalMissing", f"{left.ended}, and behave ran no scenario", results)
    if left.ended.code != 0:
        return _error("ExitCode", f"{left.ended}, though every scenario passed", results)
    return Verdict("Passed", results=results)


def cases(left: Left, verdict: Verdict, name: str) -> list[Case]:
    """The parts for JUnit XML: phases or scenarios, and the script itself where they don't say what the verdict does."""
    found = list(left.scenarios)
    for phase in left.journal.phases if left.journal else ():
        outcome = "Passed" if phase.passed else "Failed"
        message = "" if phase.passed else phase.failures[0] if phase.failures else f"the phase ended as {phase.result}"
        found.append(Case(phase.name, outcome, message, "\n".join(phase.failures), max(0.0, phase.ended - phase.began)))
    said = verdict.outcome in ("Passed", "Failed") and any(case.outcome == verdict.outcome for case in found)
    return found if said else [*found, Case(name, verdict.outcome, verdict.message)]


def _cut(left: Left, results: tuple[Result, ...]) -> Verdict:
    place = left.journal.open_phase() if left.journal else None
    where = f" in the phase {place.name}" if place else ""
    if left.ended.cut == TERMINATED:
        return _error(left.ended.cut, f"terminated by SIGTERM{where}", results)
    return _error(left.ended.cut, f"the deadline was reached after {left.seconds:.0f} s{where}", results)


def _error(reason: str, message: str, results: tuple[Result, ...]) -> Verdict:
    return Verdict("Error", message, reason=reason, results=results, fingerprint=fingerprint([reason, message]))


def _failures(journal: Journal | None) -> list[str]:
    return [f"{phase.name}: {message}" for phase, message in journal.failures()] if journal else []


def _results(journal: Journal | None) -> tuple[Result, ...]:
    """Failing assertions, then the phases."""
    if journal is None:
        return ()
    return (*(Result(f"{phase.name}/{message}", "Failed") for phase, message in journal.failures()),
            *(_phase(phase) for phase in journal.phases))


def _phase(phase: Phase) -> Result:
    state = "" if phase.result else ", never ended"
    return Result(phase.name, "Passed" if phase.passed else "Failed", f"{phase.good} good, {phase.bad} bad{state}")
