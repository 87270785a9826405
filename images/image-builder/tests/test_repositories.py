"""The file that dnf reads."""

import configparser
import tempfile
import unittest
from pathlib import Path

from build_image import repositories
from build_image.request import Repository

OPEN = Repository("pr", "http://example.org/pr/", 10)
CLOSED = Repository("dev", "https://example.org/dev,x/", 50, "https://example.org/key$releasever", True)


class RepositoriesTest(unittest.TestCase):
    """What is in it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "repositories" / "copr-operator.repo"

    def write(self, *given: Repository, pins: dict[str, str] | None = None) -> configparser.ConfigParser:
        """Writes the file and reads it."""
        repositories.write(list(given), pins or {}, self.file)
        # A repository that is pinned has a colon in its name.
        parser = configparser.ConfigParser(interpolation=None, delimiters="=")
        parser.read(self.file)
        return parser

    def test_signatures_are_checked_where_a_key_is_given(self) -> None:
        found = self.write(OPEN, CLOSED)
        self.assertEqual(found.sections(), ["copr-operator-pr", "copr-operator-dev"])
        self.assertEqual((found["copr-operator-pr"]["gpgcheck"], found["copr-operator-pr"]["priority"]), ("0", "10"))
        self.assertNotIn("gpgkey", found["copr-operator-pr"])
        self.assertEqual(found["copr-operator-dev"]["gpgcheck"], "1")
        self.assertTrue(all(found[name]["skip_if_unavailable"] == "0" for name in found.sections()))

    def test_dnf_gets_nothing_that_it_could_expand_or_split(self) -> None:
        found = self.write(OPEN, CLOSED)
        self.assertEqual(found["copr-operator-dev"]["baseurl"], "http://127.0.0.1:8641/dev/")
        self.assertEqual(found["copr-operator-dev"]["gpgkey"], "http://127.0.0.1:8641/dev/@key")
        self.assertNotIn("username", found["copr-operator-dev"])
        self.assertNotIn("example.org", self.file.read_text())

    def test_a_pinned_package_is_taken_from_a_repository_of_its_own_that_wins(self) -> None:
        found = self.write(CLOSED, OPEN, pins={"copr-cli": "1:2-1", "copr-keygen": "2.2-1"})
        for name in ("copr-operator-pr", "copr-operator-dev"):
            self.assertEqual(found[name]["excludepkgs"], "copr-cli,copr-keygen")
            self.assertNotIn("includepkgs", found[name])
        pins = {name: found[name] for name in found.sections() if name.startswith(repositories.PIN_PREFIX)}
        self.assertEqual({name: of["priority"] for name, of in pins.items()},
                         {"copr-operator:pins-pr": "1", "copr-operator:pins-dev": "2"})
        for of in pins.values():
            self.assertEqual(of["includepkgs"], "copr-cli-1:2-1,copr-keygen-2.2-1")
            self.assertNotIn("excludepkgs", of)

    def test_whose_an_identity_is(self) -> None:
        names = ["pr", "pins-pr"]
        self.assertEqual(repositories.name_of("copr-operator-pr", names), "pr")
        self.assertEqual(repositories.name_of("copr-operator-pins-pr", names), "pins-pr")
        self.assertEqual(repositories.name_of("copr-operator:pins-pr", names), "pr")
        self.assertIsNone(repositories.name_of("pr", names))
        self.assertIsNone(repositories.name_of("copr-operator-other", names))
