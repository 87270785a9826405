"""What a test leaves."""

import tempfile
import unittest
from pathlib import Path

from smoke import log
from smoke.evidence import keep


class KeepTest(unittest.TestCase):
    """Files that outlive the pod."""

    def test_a_file_is_written_without_secrets(self) -> None:
        log.hide("tokentoken")
        with tempfile.TemporaryDirectory() as folder:
            keep("builds/7/backend.log", "a tokentoken\n", {"EVIDENCE_DIR": folder})
            self.assertEqual((Path(folder) / "builds/7/backend.log").read_text(encoding="utf-8"), "a ***\n")

    def test_without_a_folder_or_room_the_test_goes_on(self) -> None:
        keep("a.log", "text", {})
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "file"
            file.write_text("", encoding="utf-8")
            keep("a.log", "text", {"EVIDENCE_DIR": str(file)})
            self.assertEqual([path.name for path in Path(folder).iterdir()], ["file"])
