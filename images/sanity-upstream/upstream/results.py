"""TestResults, the summary that beakerlib writes after each phase."""

from dataclasses import dataclass
from pathlib import Path

COMPLETE = "complete"
# It has some hundred bytes.
READ_LIMIT = 1 << 16
_PREFIX = "TESTRESULT_"


class Malformed(Exception):
    """The file says nothing of how the test ended."""


@dataclass(frozen=True)
class Summary:
    """How far the test came, and how it went."""

    state: str
    """`started`, `incomplete` after a phase, `complete` after rlJournalEnd."""
    result: str
    """The worst phase: PASS, WARN or FAIL."""
    asserts: str
    """A hash of the assertions' results; empty before beakerlib 1.32."""


def read(folder: Path) -> Summary | None:
    """The summary; None if beakerlib never began."""
    try:
        with (folder / "TestResults").open("rb") as file:
            text = file.read(READ_LIMIT).decode(errors="replace")
    except FileNotFoundError:
        return None
    values = dict(line.removeprefix(_PREFIX).split("=", 1) for line in text.splitlines()
                  if line.startswith(_PREFIX) and "=" in line)
    state, result = values.get("STATE", "").strip(), values.get("RESULT_STRING", "").strip()
    if not state or not result:
        raise Malformed("TestResults names no state or no result")
    return Summary(state, result, values.get("ASSERTS_FINGERPRINT", "").strip())
