"""An import that the frontend wants done."""

from dataclasses import dataclass
from typing import Any

from copr_common.worker_manager import QueueTask


@dataclass(repr=False)
class ImportTask(QueueTask):
    """The frontend's record of it; the queue takes the lowest priority first."""

    build_id: int
    owner: str
    project: str
    pkg_name: str
    branches: list[str]
    srpm_url: str
    sandbox: str
    background: bool
    dispatcher_priority: int = 0

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> "ImportTask":
        """From the frontend's JSON; a missing key is a KeyError that names it."""
        names = ("build_id", "owner", "project", "pkg_name", "branches", "srpm_url", "sandbox", "background")
        return cls(**{name: record[name] for name in names})

    @property
    def id(self) -> int:
        """What tells tasks apart."""
        return self.build_id

    @property
    def priority(self) -> int:
        """Background builds come last; a sandbox with many tasks waits for the others."""
        return (100 if self.background else 0) + self.dispatcher_priority

    @property
    def module(self) -> str:
        """Name of the repository."""
        return f"{self.owner}/{self.project}/{self.pkg_name}"
