"""Which tests the scripts are."""

import os
import tempfile
import unittest
from pathlib import Path

from suite.errors import TestError
from upstream import catalogue

ODD = "runtest-with spaces $(false) 'é\"; #.sh"


def checkout(folder: Path) -> Path:
    """A copr with some of its tests."""
    scripts, features = folder / catalogue.SCRIPTS_FOLDER, folder / catalogue.FEATURES
    scripts.mkdir(parents=True)
    features.mkdir(parents=True)
    beakerlib = ". /usr/share/beakerlib/beakerlib.sh || exit 1\n"
    for name in ("all-in-tmux.sh", "all-in-tmux-redhat.sh", "runtest-production.sh", "upload_authentication.sh", "auto-prune.sh",
                 "scm.sh", "runtest-new.sh", ODD):
        (scripts / name).write_text(beakerlib, encoding="utf-8")
    (scripts / "config").write_text("OWNER=x\n", encoding="utf-8")
    (scripts / "runtest-autospec.sh").write_text('cd "$HERE/../../../behave" || exit 1\nbehave --tags autospec\n', encoding="utf-8")
    (scripts / "runtest-tagged.sh").write_text("behave --tags=@fresh\n", encoding="utf-8")
    (features / "autospec.feature").write_text("@autospec\nFeature: Building with %autospec\n\n  Scenario: x\n", encoding="utf-8")
    (features / "fresh.feature").write_text("# new\n\n@fresh @slow\nFeature: Something fresh\n", encoding="utf-8")
    (features / "loose.feature").write_text("Feature: Nobody runs it\n", encoding="utf-8")
    return folder


class CatalogueTest(unittest.TestCase):
    """The list of tests."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = checkout(Path(folder.name))

    def test_what_is_a_test(self) -> None:
        found = {script.name: script for script in catalogue.scripts(self.root)}
        self.assertEqual(sorted(found), sorted([
            "auto-prune", "behave/loose", ODD[:-3], "runtest-autospec", "runtest-new", "runtest-tagged", "scm"]))
        self.assertEqual(found["behave/loose"].command, ("behave", "features/loose.feature"))
        self.assertEqual((found["runtest-tagged"].listed.summary, found["runtest-tagged"].behave), ("Something fresh", True))
        self.assertEqual((found["scm"].command, found["scm"].behave), (("bash", "./scm.sh"), False))

    def test_what_is_said_of_them(self) -> None:
        found = {script.name: script.listed for script in catalogue.scripts(self.root)}
        self.assertEqual((found["auto-prune"].deadlineSeconds, found["auto-prune"].needs, found["auto-prune"].tags),
                         (600, (), ("quick",)))
        self.assertEqual((found["scm"].deadlineSeconds, found["scm"].needs), (4800, ("builders",)))
        self.assertEqual((found["runtest-new"].deadlineSeconds, found["runtest-new"].summary), (2400, "Upstream's runtest-new.sh."))
        self.assertEqual(next(iter(found)), "scm")
        self.assertFalse(any(listed.exclusive for listed in found.values()))

    def test_names_that_no_test_can_have(self) -> None:
        for name in ("a\nb.sh", "x" * 250 + ".sh", os.fsdecode(b"\xff\xfe.sh")):
            (self.root / catalogue.SCRIPTS_FOLDER / name).touch()
        (self.root / catalogue.SCRIPTS_FOLDER / "folder.sh").mkdir()
        self.assertEqual(len(catalogue.scripts(self.root)), 7)

    def test_another_repository(self) -> None:
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(TestError, "no folder beaker-tests"):
            catalogue.scripts(Path(folder))

    def test_unknown(self) -> None:
        with self.assertRaisesRegex(TestError, "no test 'x'"):
            catalogue.find(self.root, "x")
