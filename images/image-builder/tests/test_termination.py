"""The termination message."""

import json
import tempfile
import unittest
from pathlib import Path

from build_image import log, termination
from build_image.failures import PackagesRefused


class TerminationTest(unittest.TestCase):
    """What of a message is kept."""

    def test_short_ones_are_whole(self) -> None:
        message = termination.of_failure(PackagesRefused("frontend: failed at: RUN dnf", ["Error: no", "  - really"]))
        self.assertEqual(termination.cut(message, 4096).decode(), "frontend: failed at: RUN dnf\nError: no\n  - really")

    def test_long_ones_keep_the_first_line_and_the_last(self) -> None:
        message = "summary\n" + "".join(f"line {number} ü\n" for number in range(2000)) + "Error: the end"
        for limit in range(4080, 4097):
            kept = termination.cut(message, limit)
            self.assertLessEqual(len(kept), limit)
            lines = kept.decode().splitlines()
            self.assertEqual((lines[0], lines[1], lines[-1]), ("summary", "...", "Error: the end"))

    def test_one_endless_line(self) -> None:
        kept = termination.cut("ü" * 5000, 4096)
        self.assertLessEqual(len(kept), 4096)
        self.assertTrue(kept.decode().startswith("üüü"))

    def test_the_file(self) -> None:
        log.hide("termination-secret")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "log")
            termination.leave("password termination-secret at http://me:you@example.org/", file)
            self.assertEqual(file.read_text(), "password *** at http://***@example.org/")
            termination.leave(termination.of_success("sha256:ab"), file)
            self.assertEqual(json.loads(file.read_text()), {"digest": "sha256:ab"})
