"""The verdict of one test: a JSON object that the operator reads from the termination message."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

# What the kubelet keeps of a termination message.
LIMIT = 4096

EXIT_CODES = {"Passed": 0, "Skipped": 0, "Failed": 1, "Error": 2}


@dataclass(frozen=True)
class Verdict:
    """One test's outcome, its first failing line, and the Copr component to look at."""

    outcome: str
    message: str = ""
    component: str = ""

    @property
    def exit_code(self) -> int:
        """What the process exits with."""
        return EXIT_CODES[self.outcome]

    def to_json(self) -> str:
        """The termination message: one line, shortened until it fits."""
        message = first_line(self.message)
        while len(text := json.dumps(asdict(self) | {"message": message})) > LIMIT:
            # Escapes make a character up to twelve bytes long, so what is too much is cut by
            # halves of a twelfth rather than guessed at once.
            surplus = len(text) - LIMIT
            message = message[: -max(surplus // 12, 1) - 1] + "…"
        return text

    def write(self, path: Path) -> None:
        """Leaves the verdict where the operator reads it."""
        path.write_text(self.to_json(), encoding="ascii")


def first_line(text: str) -> str:
    """The first line of a text that has something in it, without control characters."""
    for line in text.splitlines():
        printable = "".join(c for c in line if c.isprintable()).strip()
        if printable:
            return printable
    return ""
