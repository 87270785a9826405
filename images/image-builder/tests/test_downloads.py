"""dnf's kept downloads."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from build_image import downloads, paths


class DownloadsTest(unittest.TestCase):
    """Whose folder a build gets."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        containers = mock.patch.object(paths, "CONTAINERS", self.folder / "containers")
        containers.start()
        self.addCleanup(containers.stop)

    def test_kept_for_the_next_build(self) -> None:
        with downloads.downloads("frontend", self.folder / "cache") as first:
            self.assertFalse(first.used)
            (first.folder / "dnf/package.rpm").touch()
        with downloads.downloads("frontend", self.folder / "cache") as second:
            self.assertTrue(second.used)
            second.clear()
            self.assertFalse(second.used)
            self.assertEqual(second.mounts(), [
                "--volume", f"{second.folder}/dnf:/var/cache/dnf", "--volume", f"{second.folder}/libdnf5:/var/cache/libdnf5"])

    def test_one_build_at_a_time(self) -> None:
        cache = self.folder / "cache"
        with downloads.downloads("frontend", cache) as first, downloads.downloads("frontend", cache) as second, \
                downloads.downloads("keygen", cache) as other:
            self.assertEqual(first.folder, cache / "dnf/frontend")
            self.assertEqual(second.folder, self.folder / "containers/downloads")
            self.assertEqual(other.folder, cache / "dnf/keygen")

    def test_without_a_cache(self) -> None:
        with downloads.downloads("frontend", None) as private:
            self.assertEqual(private.folder, self.folder / "containers/downloads")

    def test_a_folder_that_has_grown_too_large(self) -> None:
        with downloads.downloads("frontend", self.folder / "cache") as first:
            (first.folder / "dnf/package.rpm").write_bytes(b"x" * 100)
        with mock.patch.object(downloads, "LARGEST", 99), downloads.downloads("frontend", self.folder / "cache") as second:
            self.assertFalse(second.used)
