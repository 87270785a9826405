"""The bundle has the authorities that are trusted anyway, and the given ones."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests import SCRIPTS


def trust(folder: Path) -> subprocess.CompletedProcess:
    """The script, where requests trusts what is in the file `own`."""
    (folder / "requests").mkdir()
    (folder / "requests" / "__init__.py").touch()
    (folder / "requests" / "certs.py").write_text(f"def where():\n    return '{folder}/own'\n", encoding="utf-8")
    command = ["bash", f"{SCRIPTS}/trust", str(folder / "ca.crt"), str(folder / "bundle.crt")]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


class Trust(unittest.TestCase):
    """Of the frontend's first init container."""

    def test_both_are_in_the_bundle_whatever_their_last_line_is(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "own").write_text("-----END OWN-----", encoding="utf-8")
            (folder / "ca.crt").write_text("-----BEGIN GIVEN-----\n", encoding="utf-8")
            done = trust(folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = (folder / "bundle.crt").read_text(encoding="utf-8").splitlines()
            self.assertEqual(lines, ["-----END OWN-----", "-----BEGIN GIVEN-----"])

    def test_no_bundle_of_the_given_ones_alone_passes_for_good(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "ca.crt").write_text("x", encoding="utf-8")
            self.assertNotEqual(trust(folder).returncode, 0)


if __name__ == "__main__":
    unittest.main()
