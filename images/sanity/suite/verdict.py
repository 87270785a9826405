"""The verdict of one test: a JSON object that the operator reads from the termination message. See docs/suite-contract.md."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What the kubelet keeps of a termination message.
LIMIT = 4096
# The message leaves room for results, a result for other results.
MESSAGE_LIMIT, RESULT_LIMIT = 2000, 300

TERMINATION_LOG = "/dev/termination-log"
EXIT_CODES = {"Passed": 0, "Skipped": 0, "Failed": 1, "Error": 2}


@dataclass(frozen=True)
class Result:
    """A part of a test: a phase, or one assertion of it."""

    name: str
    outcome: str
    message: str = ""


@dataclass(frozen=True)
class Verdict:
    """One test's outcome, its first failing line, and the Copr component to look at."""

    outcome: str
    message: str = ""
    component: str = ""
    reason: str = ""
    """Of an Error: one word for programs."""
    results: tuple[Result, ...] = ()
    fingerprint: str = ""
    """What two failures with the same cause have in common."""

    @property
    def exit_code(self) -> int:
        """What the process exits with."""
        return EXIT_CODES[self.outcome]

    def to_json(self) -> str:
        """The termination message: one line, shortened until it fits, with those results that do, the failing ones first."""
        document: dict[str, Any] = {"outcome": self.outcome, "message": "", "component": self.component}
        document |= {key: value for key in ("reason", "fingerprint") if (value := getattr(self, key))}
        longest = MESSAGE_LIMIT if self.results else LIMIT
        document["message"] = shortened(first_line(self.message), longest - len(json.dumps(document)))
        if self.results:
            document |= fitting(self.results, LIMIT - len(json.dumps(document)))
        return json.dumps(document)

    def write(self, path: Path) -> None:
        """Leaves the verdict where the operator reads it."""
        path.write_text(self.to_json(), encoding="ascii")


def fitting(results: Iterable[Result], room: int) -> dict[str, Any]:
    """The members `results` and `resultsOmitted` of so many bytes at most. What failed goes before what passed."""
    ordered = sorted(results, key=lambda result: result.outcome in ("Passed", "Skipped"))
    room -= len(', "results": [], "resultsOmitted": ') + len(str(len(ordered)))
    kept: list[dict[str, str]] = []
    for result in ordered:
        entry = {
            "name": shortened(first_line(result.name), RESULT_LIMIT), "outcome": result.outcome,
            "message": shortened(first_line(result.message), RESULT_LIMIT),
        }
        size = len(json.dumps(entry)) + 2
        if size > room:
            break
        room -= size
        kept.append(entry)
    omitted = len(ordered) - len(kept)
    return {"results": kept} | ({"resultsOmitted": omitted} if omitted else {})


def shortened(text: str, limit: int) -> str:
    """The text with as much of its end cut off as makes it fit as a JSON string's content."""
    while (surplus := len(json.dumps(text)) - 2 - limit) > 0:
        # Escapes make a character up to twelve bytes long, so what is too much is cut by
        # halves of a twelfth rather than guessed at once.
        text = text[: -max(surplus // 12, 1) - 1] + "…"
    return text


def first_line(text: str) -> str:
    """The first line of a text that has something in it, without control characters."""
    for line in text.splitlines():
        printable = "".join(c for c in line if c.isprintable()).strip()
        if printable:
            return printable
    return ""


def termination_log(env: Mapping[str, str] = os.environ) -> Path:
    """Where the verdict goes; another place when a test is run by hand."""
    return Path(env.get("TERMINATION_LOG", TERMINATION_LOG))
