"""tmt's command line for one test, and where it puts what it makes of it."""

import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from suite import evidence, journal, junit

# What of a test's logs is kept: of each evidence.LIMIT.
LOGS = 200
RESULTS = "results.yaml"
# The journal of a test of beakerlib; TestResults is what tmt judges it by.
JOURNAL = ("journal.xml", "journal.txt", "TestResults")
OUTPUT, METADATA = "output.txt", "metadata.yaml"
TAIL = 1 << 16
# What tmt's own program says when a test reports a result.
NOISE = "tmt-report-result:"
# What tmt found in the output, which is kept anyway.
EXTRACT = "failures.yaml"


def line(run: Path, test: str, environment: Iterable[str]) -> tuple[str, ...]:
    """One test by its whole name, here, by a plan that has nothing but the steps."""
    variables = [word for variable in environment for word in ("--environment", variable)]
    return ("tmt", "--feeling-safe", "run", "--id", str(run), "--scratch", *variables,
            "discover", "--how", "fmf", "provision", "--how", "local", "prepare", "execute", "--how", "tmt", "-vvv",
            "report", "--how", "display",
            "test", "--name", f"^{re.escape(test)}$", "plan", "--default")


class Run:
    """The folder of a run."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tmt-"))

    @property
    def execute(self) -> Path:
        """Where the step execute writes, of the plan that `--default` makes."""
        return self.folder / "default/plan/execute"

    @property
    def invocation(self) -> Path | None:
        """Where the test's own files are, once tmt has begun it: as deep as the test's name is."""
        found = sorted(self.execute.glob(f"data/guest/**/{METADATA}"), key=lambda path: len(path.parts))
        return found[0].parent if found else None

    def last_words(self) -> str:
        """The last line that the test printed."""
        path = self.invocation / OUTPUT if self.invocation else None
        if not path or not path.is_file():
            return ""
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line and not line.startswith(NOISE)), "")

    def failures(self) -> tuple[str, ...]:
        """What failed by the journal, if the test is one of beakerlib: tmt knows phases only."""
        found = journal.read(self.invocation) if self.invocation else None
        return tuple(f"{phase.name}: {message}" for phase, message in found.failures()) if found else ()

    def keep(self, kept: Path | None, logs: Iterable[str], cases: list[junit.Case], test: str) -> None:
        """Copies what is worth it into the evidence; nothing is left of the rest."""
        if kept:
            execute = self.execute
            files = {RESULTS: execute / RESULTS}
            if test_folder := self.invocation:
                files |= {OUTPUT: test_folder / OUTPUT, **{name: test_folder / name for name in JOURNAL}}
            root = execute.resolve()
            for name in [name for name in dict.fromkeys(logs) if not name.endswith(f"/{EXTRACT}")][:LOGS]:
                path = (execute / name).resolve()
                # A test's own results name files as they like.
                if path.is_relative_to(root) and path not in [file.resolve() for file in files.values()]:
                    files[f"logs/{evidence.safe(name.removeprefix('data/guest/').replace('/', '-'))}"] = path
            for name, path in files.items():
                if path.is_file():
                    evidence.keep(kept / name, evidence.scrubbed(path))
            evidence.keep(kept / evidence.JUNIT, junit.document("tmt", test, cases))
        shutil.rmtree(self.folder, ignore_errors=True)
