"""Where tests come from."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from suite import source
from suite.errors import TestError
from suite.source import Origin


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
