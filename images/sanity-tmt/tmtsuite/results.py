"""results.yaml of the step execute: what tmt made of a test."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError

# A test with thousands of results writes some MiB.
READ_LIMIT = 16 << 20

OUTCOMES = {"pass": "Passed", "info": "Passed", "skip": "Skipped", "fail": "Failed", "warn": "Failed", "error": "Error",
            "pending": "Error"}


class Malformed(Exception):
    """The file says nothing of how the test ended."""


@dataclass(frozen=True)
class Part:
    """A result: the test's own, one that it reports itself, or a part or a check of one."""

    name: str
    result: str
    """tmt's word: pass, info, skip, fail, warn, error or pending."""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    parts: tuple["Part", ...] = ()
    checks: tuple["Part", ...] = ()
    logs: tuple[str, ...] = ()
    """Files, from the folder of results.yaml on."""

    @property
    def outcome(self) -> str:
        """In the operator's words."""
        return OUTCOMES.get(self.result, "Error")

    @property
    def note(self) -> str:
        """What it says of itself."""
        return "; ".join(self.notes)


def read(path: Path) -> list[Part] | None:
    """The results; None if tmt wrote none."""
    try:
        with path.open("rb") as file:
            text = file.read(READ_LIMIT).decode(errors="replace")
    except FileNotFoundError:
        return None
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise Malformed(f"results.yaml can't be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, list):
        raise Malformed("results.yaml is no list of results")
    return [_part(entry) for entry in content]


def _part(entry: Any) -> Part:
    if not isinstance(entry, dict) or "name" not in entry or "result" not in entry:
        raise Malformed("results.yaml has an entry without name or result")

    def each(key: str) -> tuple[Part, ...]:
        return tuple(_part(part) for part in entry.get(key) or ())

    notes = entry.get("note") or ()
    return Part(str(entry["name"]), str(entry["result"]), tuple(map(str, [notes] if isinstance(notes, str) else notes)),
                _seconds(str(entry.get("duration") or "")), each("subresult"), each("check"),
                tuple(map(str, entry.get("log") or ())))


def _seconds(text: str) -> float:
    """Of HH:MM:SS."""
    total = 0.0
    for word in text.split(":"):
        try:
            total = total * 60 + float(word)
        except ValueError:
            return 0.0
    return total
