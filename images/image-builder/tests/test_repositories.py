"""The file that dnf reads."""

import configparser
import io
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path

from build_image import log, repositories
from build_image.failures import Unavailable
from build_image.request import Repository

OPEN = Repository("pr", "http://example.org/pr/", 10, None, False)
CLOSED = Repository("dev", "https://example.org/$basearch/", 50, "https://example.org/key", True)


class RepositoriesTest(unittest.TestCase):
    """What is in it, and who may read it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "repositories" / "copr-operator.repo"

    def write(self, *given: Repository) -> configparser.ConfigParser:
        """Writes the file and reads it."""
        repositories.write(list(given), self.folder / "credentials", self.file)
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(self.file)
        return parser

    def test_signatures_are_checked_where_a_key_is_given(self) -> None:
        self.give("dev", "me", "secret-of-dev\n")
        found = self.write(OPEN, CLOSED)
        self.assertEqual(found.sections(), ["copr-operator-pr", "copr-operator-dev"])
        self.assertEqual((found["copr-operator-pr"]["gpgcheck"], found["copr-operator-pr"]["priority"]), ("0", "10"))
        self.assertNotIn("gpgkey", found["copr-operator-pr"])
        self.assertEqual((found["copr-operator-dev"]["gpgcheck"], found["copr-operator-dev"]["gpgkey"]), ("1", "https://example.org/key"))
        self.assertEqual(found["copr-operator-dev"]["baseurl"], "https://example.org/$basearch/")
        self.assertTrue(all(found[name]["skip_if_unavailable"] == "0" for name in found.sections()))

    def test_credentials_stay_secret(self) -> None:
        self.give("dev", "me", "secret-of-dev\n")
        found = self.write(CLOSED)
        self.assertEqual((found["copr-operator-dev"]["username"], found["copr-operator-dev"]["password"]), ("me", "secret-of-dev"))
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        with redirect_stdout(io.StringIO()) as printed:
            log.output("password=secret-of-dev")
        self.assertNotIn("secret-of-dev", printed.getvalue())

    def test_credentials_that_are_no_line(self) -> None:
        with self.assertRaisesRegex(Unavailable, "can't be read: .*username"):
            self.write(CLOSED)
        self.give("dev", "me\nenabled=0", "x")
        with self.assertRaisesRegex(Unavailable, "username: more than one line"):
            self.write(CLOSED)

    def give(self, name: str, user: str, password: str) -> None:
        """Credentials, as a Secret volume has them."""
        folder = self.folder / "credentials" / name
        folder.mkdir(parents=True)
        (folder / "username").write_text(user)
        (folder / "password").write_text(password)
