"""The tests of a folder, as `tmt tests export` has them."""

import json
import math
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite.errors import TestError
from suite.listing import Listed

from . import said
from .settings import of_tmt

LIMIT = 200.0
NAME_LIMIT, TAG_LIMIT = 100, 63
# tmt's own for a test that doesn't say.
DURATION = 300
# For what comes before and after: the repository, and packages that a test requires.
BESIDE_SECONDS, MOST_SECONDS = 600, 86400
# A test with this tag builds something.
BUILDS = "build"

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"\s*(?:\*\s*(\d+(?:\.\d+)?)|(\d+)\s*([smhd]?))")


@dataclass(frozen=True)
class Test:
    """A test."""

    listed: Listed
    duration: str


def tests(folder: Path) -> list[Test]:
    """All that are enabled and need no person, the longest first."""
    found = [test for entry in export(folder) if not entry.get("manual") and (test := _test(entry))]
    return sorted(found, key=lambda test: (-test.listed.deadlineSeconds, test.listed.name))


def find(folder: Path, name: str) -> Test:
    """The test of that name."""
    for test in tests(folder):
        if test.listed.name == name:
            return test
    raise TestError(f"there is no test {name!r}; run-test --list names them")


def export(folder: Path) -> list[dict[str, Any]]:
    """The metadata of every test that is enabled."""
    command = ["tmt", "tests", "export", "--enabled", "--how", "json"]
    try:
        done = subprocess.run(command, cwd=folder, env=of_tmt(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=LIMIT, check=False)
    except FileNotFoundError as error:
        raise TestError("tmt is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise TestError(f"tmt took longer than {LIMIT:.0f} s to read the metadata") from error
    print(done.stderr, file=sys.stderr, end="")
    if done.returncode != 0:
        raise TestError(f"tmt can't read the metadata: {said.why(done.stderr) or f'exit code {done.returncode}'}")
    try:
        entries: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError as error:
        raise TestError(f"tmt tests export printed no JSON: {error}") from error
    return entries


def seconds(duration: str) -> int:
    """A duration as sleep has it, with tmt's factors: `1h 30m`, `10m *2`. What tmt wouldn't take either is its default."""
    total, factor, at = 0, 1.0, 0
    text = duration.strip()
    while at < len(text):
        found = _PART.match(text, at)
        if not found:
            return DURATION
        if found[1]:
            factor *= float(found[1])
        else:
            total += int(found[2]) * _UNITS[found[3]]
        at = found.end()
    return math.ceil((total or DURATION) * factor)


def _test(entry: dict[str, Any]) -> Test | None:
    name = str(entry["name"])
    if not name.isprintable() or len(name) > NAME_LIMIT:
        print(f"left out: {name!r} is no name for a test", file=sys.stderr)
        return None
    tags = [str(tag) for tag in entry.get("tag") or ()]
    if entry.get("tier") is not None:
        tags.append(f"tier-{entry['tier']}")
    tags = [tag for tag in dict.fromkeys(tags) if 0 < len(tag) <= TAG_LIMIT]
    duration = str(entry.get("duration") or "")
    deadline = min(seconds(duration) + BESIDE_SECONDS, MOST_SECONDS)
    summary = str(entry.get("summary") or "") or f"The test {name}."
    needs = ("builders",) if BUILDS in tags else ()
    return Test(Listed(name, summary, tuple(tags), deadline, needs=needs), duration)
