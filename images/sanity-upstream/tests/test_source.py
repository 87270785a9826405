"""Where the scripts come from, and which tests they are."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from suite.errors import TestError
from upstream import catalogue, source
from upstream.settings import Origin

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


class SourceTest(unittest.TestCase):
    """obtain()."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.repository = self.root / "repository"
        self.repository.mkdir()
        self.git("init", "--quiet", "--initial-branch", "main")
        self.first, self.second = self.commit("one"), self.commit("two")

    def git(self, *args: str) -> str:
        """In the repository, as somebody."""
        return subprocess.run(["git", "-C", str(self.repository), "-c", "user.name=t", "-c", "user.email=t@example.org", *args],
                              check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, content: str) -> str:
        """A new one."""
        (self.repository / "file").write_text(content, encoding="utf-8")
        self.git("add", "file")
        self.git("commit", "--quiet", "--message", content)
        return self.git("rev-parse", "HEAD")

    def obtain(self, ref: str, url: str = "") -> source.Scripts:
        """From the repository."""
        return source.obtain(Origin(None, url or self.repository.as_uri(), ref), sleep=lambda _: None)

    def test_branches_and_commits(self) -> None:
        for ref, content, commit in (("main", "two", self.second), (self.first, "one", self.first),
                                     (self.first[:9], "one", self.first), ("HEAD", "two", self.second)):
            scripts = self.obtain(ref)
            assert scripts.source is not None
            self.assertEqual(((scripts.root / "file").read_text(), scripts.source.commit), (content, commit), ref)
            self.assertEqual(scripts.source.url, self.repository.as_uri())

    def test_a_commit_of_a_pull_request(self) -> None:
        self.git("checkout", "--quiet", "--detach")
        third = self.commit("three")
        self.git("update-ref", "refs/pull/7/head", third)
        self.git("checkout", "--quiet", "main")
        self.assertEqual((self.obtain(third[:12]).root / "file").read_text(), "three")
        self.assertEqual((self.obtain("refs/pull/7/head").root / "file").read_text(), "three")

    def test_what_is_not_there(self) -> None:
        for ref in ("nonesuch", "0123456789", "--upload-pack=touch /tmp/x"):
            with self.assertRaises(TestError):
                self.obtain(ref)
        with self.assertRaisesRegex(TestError, "can't be had"):
            self.obtain("main", f"file://{self.root}/none")

    def test_a_password_is_told_nobody(self) -> None:
        with self.assertRaises(TestError) as raised:
            self.obtain("main", "https://user:p4ssw0rd@127.0.0.1:1/x.git")
        self.assertNotIn("p4ssw0rd", str(raised.exception))
        self.assertIn("https://127.0.0.1:1/x.git", str(raised.exception))

    def test_folder(self) -> None:
        scripts = source.obtain(Origin(self.repository, "", ""))
        assert scripts.source is not None
        self.assertEqual(scripts.source.commit, self.second)
        with tempfile.TemporaryDirectory() as folder:
            self.assertIsNone(source.obtain(Origin(Path(folder), "", "")).source)
        with self.assertRaisesRegex(TestError, "is no folder"):
            source.obtain(Origin(self.root / "none", "", ""))
