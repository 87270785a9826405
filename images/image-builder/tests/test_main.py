"""How the program ends."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from build_image import main, paths
from build_image.failures import PackagesRefused, Unavailable


class MainTest(unittest.TestCase):
    """Exit codes and termination messages."""

    def end(self, **how: object) -> tuple[int, str]:
        """Ends like this; what the operator sees of it."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "termination-log")
            with mock.patch.object(main, "make", **how), mock.patch.object(paths, "TERMINATION_LOG", file):
                return main.main(), file.read_text()

    def test_done(self) -> None:
        self.assertEqual(self.end(return_value="sha256:ab"), (0, '{"digest": "sha256:ab"}'))

    def test_final(self) -> None:
        self.assertEqual(self.end(side_effect=PackagesRefused("keygen: failed", ["Error: no"])), (1, "keygen: failed\nError: no"))

    def test_for_another_try(self) -> None:
        self.assertEqual(self.end(side_effect=Unavailable("the push failed")), (2, "the push failed"))
        self.assertEqual(self.end(side_effect=OSError("disk")), (2, "OSError: disk"))
