"""copr-cli: everything that a user of Copr does goes through it."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from suite.errors import TestError, TestFailed
from suite.log import output, say, scrub
from suite.wait import Deadline

# copr-cli has no time limit of its own; no single command of the suite takes this long.
COMMAND_LIMIT = 300.0

UNREACHABLE = "Unable to connect to"
CONFIG_ERROR = 6


@dataclass(frozen=True)
class Result:
    """What a command printed, and how it ended."""

    code: int
    stdout: str
    stderr: str

    def reason(self) -> str:
        """The line that says why it failed: copr-cli's own "Error: ", else the last one."""
        lines = [line.strip() for line in (self.stdout + "\n" + self.stderr).splitlines() if line.strip()]
        errors = [line for line in lines if re.search(r"\berror: \S", line, re.IGNORECASE)]
        return scrub((errors or lines or [f"exit code {self.code}"])[-1])


def run_program(args: list[str], limit: float, env: dict[str, str] | None = None, cwd: Path | None = None) -> Result:
    """Runs a program to its end, with its command line and its output in the log."""
    say("$ " + " ".join(args))
    try:
        done = subprocess.run(
            args, env={**os.environ, **(env or {})}, cwd=cwd, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=limit, check=False,
        )
    except FileNotFoundError as error:
        raise TestError(f"{args[0]} is not installed") from error
    result = Result(done.returncode, done.stdout, done.stderr)
    output(result.stdout)
    output(result.stderr)
    return result


class Cli:
    """copr-cli with the configuration of this instance."""

    def __init__(self, config: Path, deadline: Deadline) -> None:
        self._config = config
        self._deadline = deadline

    def run(self, *args: str, config: Path | None = None) -> Result:
        """Runs one command and leaves the judgement to the caller, unless it couldn't work."""
        command = ["copr-cli", "--config", str(config or self._config), *args]
        limit = min(COMMAND_LIMIT, max(self._deadline.left(), 1.0))
        try:
            result = run_program(command, limit)
        except subprocess.TimeoutExpired as error:
            raise TestFailed(f"copr-cli {args[0]} got no answer in {limit:.0f} s", "frontend") from error
        if result.code == CONFIG_ERROR or UNREACHABLE in result.stderr:
            raise TestError(f"copr-cli {args[0]}: {result.reason()}")
        return result

    def __call__(self, *args: str) -> str:
        """Runs one command that has to succeed, and returns what it printed on stdout."""
        result = self.run(*args)
        if result.code != 0:
            raise TestFailed(f"copr-cli {args[0]} exited with {result.code}: {result.reason()}", "frontend")
        return result.stdout
