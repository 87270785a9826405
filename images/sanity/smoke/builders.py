"""The builders that builds ran on, and whether they are gone."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from suite.errors import TestFailed
from suite.log import say
from suite.wait import Pending, poll

from .builds import Build
from .context import Context

CONNECT_TIMEOUT = 2.0

_ALLOCATED = re.compile(r"Allocated host ResallocHost, (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Builder:
    """Where the backend's worker found its builder."""

    host: str
    port: int = 22

    def answers(self) -> bool:
        """Whether somebody accepts connections there."""
        try:
            with socket.create_connection((self.host, self.port), CONNECT_TIMEOUT):
                return True
        except OSError:
            # Refused, no route, timed out, no such name: all mean that it's not there.
            return False


def allocated(backend_log: str) -> list[Builder]:
    """The builders that a worker was given, in order; more than one after a retry."""
    found = []
    for info in _ALLOCATED.findall(backend_log):
        fields = dict(part.split("=", 1) for part in info.split(", ") if "=" in part)
        if "hostname" in fields:
            found.append(Builder(fields["hostname"], int(fields.get("port", 22))))
    return found


def builders_of(build: Build, *stages: str) -> list[Builder]:
    """The builders of a build, each of whose stages must have had one."""
    found: list[Builder] = []
    for stage in stages:
        of_stage = allocated(build.log(stage, "backend.log"))
        if not of_stage:
            raise TestFailed(f"backend.log of build {build.number} ({stage} stage) names no builder", "backend")
        say(f"build {build.number}, {stage} stage: {', '.join(b.host for b in of_stage)}")
        found += of_stage
    return found


def wait_until_released(test: Context, builders: list[Builder], limit: float) -> None:
    """Waits until each has been seen not to answer.

    Once is enough: the address of a builder that is gone may soon be that of another.
    """
    test.step(f"wait for {len(builders)} builder(s) to be gone", "resalloc")
    left = set(builders)

    def look() -> None:
        # All at once: each that is gone takes the time of a connection that nobody refuses.
        asked = sorted(left, key=lambda b: (b.host, b.port))
        with ThreadPoolExecutor(max_workers=max(len(asked), 1)) as pool:
            for builder, answers in zip(asked, pool.map(Builder.answers, asked), strict=True):
                if not answers:
                    say(f"{builder.host}:{builder.port} no longer answers")
                    left.remove(builder)
        if left:
            raise Pending(", ".join(f"{b.host}:{b.port} answers" for b in sorted(left, key=lambda b: b.host)), "resalloc")

    poll("the release of the builders", look, test.deadline.within(limit))
