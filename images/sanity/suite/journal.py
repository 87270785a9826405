"""The journal of beakerlib: its phases, and which assertions failed.

journal.xml is written at the end of a test, by Python with lxml. A test that ended before, or a machine without, has
journal.meta only: a line an element, nested by indent, values in base64.
"""

import base64
import binascii
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .log import say

# Of the first so many failing assertions the messages are kept; those after them are counted.
KEPT_FAILURES = 1000
# Of a phase's name and an assertion's message.
TEXT_LIMIT = 2000
PHASES = 1000
LINE_LIMIT = 1 << 20

_TIME = "%Y-%m-%d %H:%M:%S"


@dataclass
class Phase:
    """A phase of a test."""

    name: str
    began: float = 0.0
    ended: float = 0.0
    result: str = ""
    """PASS, WARN or FAIL; empty while it's open."""
    good: int = 0
    bad: int = 0
    failures: list[str] = field(default_factory=list)
    """What the failing assertions say, as far as it's kept."""

    @property
    def passed(self) -> bool:
        """Whether nothing of it failed."""
        return not self.bad and self.result in ("PASS", "")


@dataclass
class Journal:
    """The phases in the order of their beginning."""

    phases: list[Phase] = field(default_factory=list)

    def failures(self) -> Iterator[tuple[Phase, str]]:
        """Each failing assertion with its phase."""
        for phase in self.phases:
            for message in phase.failures:
                yield phase, message

    def open_phase(self) -> Phase | None:
        """The one that the test was in when it ended, if any."""
        return next((phase for phase in reversed(self.phases) if not phase.result), None)


def read(folder: Path) -> Journal | None:
    """The journal; None if there is none that can be read."""
    for name, reader in (("journal.xml", _xml), ("journal.meta", _meta)):
        path = folder / name
        if path.is_file():
            try:
                return reader(path)
            except (ET.ParseError, OSError, ValueError) as error:
                say(f"{name} can't be read: {error}")
    return None


class _Builder:
    """Puts phases together, nested ones too."""

    def __init__(self) -> None:
        self.journal = Journal()
        self._open: list[Phase] = []
        self._kept = 0

    def begin(self, name: str, began: float) -> None:
        """A phase."""
        if len(self.journal.phases) >= PHASES:
            raise ValueError(f"more than {PHASES} phases")
        phase = Phase(name[:TEXT_LIMIT], began)
        self.journal.phases.append(phase)
        self._open.append(phase)

    def assertion(self, message: str, result: str) -> None:
        """One assertion of the innermost phase; without a result it's half a line of a test that was killed."""
        if not result.strip():
            return
        if not self._open:
            self.begin("(no phase)", 0.0)
        phase = self._open[-1]
        if result.strip() == "PASS":
            phase.good += 1
            return
        phase.bad += 1
        if self._kept < KEPT_FAILURES:
            self._kept += 1
            phase.failures.append(message.strip()[:TEXT_LIMIT])

    def end(self, result: str, ended: float) -> None:
        """The innermost phase is over; without a result it was cut off."""
        if self._open:
            phase = self._open.pop()
            phase.result, phase.ended = result.strip(), ended


def _xml(path: Path) -> Journal:
    builder = _Builder()
    parents: list[ET.Element] = []
    for event, element in ET.iterparse(path, events=("start", "end")):
        if event == "start":
            parents.append(element)
            if element.tag == "phase":
                builder.begin(element.get("name", ""), _seconds(element.get("starttime", "")))
            continue
        parents.pop()
        if element.tag == "test":
            builder.assertion(element.get("message", ""), element.text or "")
        elif element.tag == "phase":
            builder.end(element.get("result", ""), _seconds(element.get("endtime", "")))
        # A journal of hundreds of MiB takes no more memory than its largest message.
        if parents:
            parents[-1].remove(element)
    return builder.journal


def _seconds(text: str) -> float:
    # The name of a time zone follows; it's the same at the beginning and at the end.
    try:
        return datetime.strptime(text[:19], _TIME).timestamp()
    except ValueError:
        return 0.0


def _meta(path: Path) -> Journal:
    builder = _Builder()
    with path.open("rb") as file:
        while line := file.readline(LINE_LIMIT):
            words = line.decode("ascii", errors="replace").split()
            if not words or words[0].startswith("#"):
                continue
            element = "" if words[0].startswith("--") else words.pop(0)
            value = words[words.index("--") + 1] if "--" in words[:-1] else ""
            options = dict(word[2:].split("=", 1) for word in words if word.startswith("--") and "=" in word)
            moment = float(options.get("timestamp", "")) if options.get("timestamp", "").isdigit() else 0.0
            if element == "phase":
                builder.begin(_decoded(options.get("name", "")), moment)
            elif element == "test":
                builder.assertion(_decoded(options.get("message", "")), _decoded(value))
            elif not element and "result" in options:
                builder.end(_decoded(options["result"]), moment)
    return builder.journal


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return ""
