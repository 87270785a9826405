"""Programs that are run: their output goes into the log as it comes."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from . import log
from .failures import Unavailable


@dataclass(frozen=True)
class Result:
    """How a program ended, and the lines that it printed, without secrets."""

    code: int
    lines: list[str]

    @property
    def text(self) -> str:
        """All that it printed."""
        return "\n".join(self.lines)


def run(arguments: Sequence[str]) -> Result:
    """Runs the program; both of its outputs are logged and returned as one."""
    lines = []
    with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace") as process:
        assert process.stdout
        # Universal newlines: a progress bar that is redrawn comes as lines.
        for line in process.stdout:
            line = log.scrub(line.rstrip())
            if line:
                log.output(line)
                lines.append(line)
    return Result(process.returncode, lines)


def capture(arguments: Sequence[str]) -> bytes:
    """What the program prints on stdout. That it fails is a failure of the machinery."""
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    errors = log.scrub(done.stderr.decode(errors="replace")).splitlines()
    for line in errors:
        log.output(line)
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(arguments[:2])} ended with {done.returncode}", errors[-10:])
    return done.stdout
