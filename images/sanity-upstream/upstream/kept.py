"""What is kept of a script: its journal without secrets, and JUnit XML."""

import shutil
import tempfile
from pathlib import Path

from suite import evidence, junit

# journal.meta isn't among them: its values are in base64, secrets too.
JOURNAL = ("journal.xml", "journal.txt", "TestResults")


class Folders:
    """Where beakerlib and behave write. Never where an earlier attempt has: beakerlib would count its failures again."""

    def __init__(self, kept: Path | None) -> None:
        self._kept = kept
        self._work = Path(tempfile.mkdtemp(prefix="journal-", dir=kept))
        self.beakerlib = self._work / "beakerlib"
        self.behave = self._work / "behave"
        self.beakerlib.mkdir()

    def keep(self, test: str, cases: list[junit.Case]) -> None:
        """Moves what is worth it into the evidence; nothing is left of the rest."""
        if self._kept:
            for path in [self.beakerlib / name for name in JOURNAL] + sorted(self.behave.glob("TESTS-*.xml")):
                if path.is_file():
                    evidence.keep(self._kept / evidence.safe(path.name), evidence.scrubbed(path))
            evidence.keep(self._kept / evidence.JUNIT, junit.document("upstream", test, cases))
        shutil.rmtree(self._work, ignore_errors=True)
