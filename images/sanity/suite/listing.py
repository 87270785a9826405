"""What run-test --list prints: see docs/suite-contract.md."""

import json
from dataclasses import asdict, dataclass
from typing import Any

CONTRACT = 1


@dataclass(frozen=True)
class Listed:
    """One test of a suite."""

    name: str
    summary: str
    tags: tuple[str, ...]
    deadlineSeconds: int  # noqa: N815 (as the document has it)
    exclusive: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """The repository that the tests come from."""

    url: str
    commit: str


def document(name: str, version: str, tests: list[Listed], *, source: Source | None = None, root: bool = False) -> str:
    """The list, on one line, in the order that is worth starting in."""
    content: dict[str, Any] = {"contract": CONTRACT, "name": name, "version": version}
    if root:
        content["root"] = True
    if source:
        content["source"] = asdict(source)
    return json.dumps(content | {"tests": [asdict(test) for test in tests]})
