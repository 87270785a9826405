"""The store that build pods share."""

import contextlib
import errno
import os
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

from build_image import paths, storage
from build_image.failures import Unavailable
from build_image.locks import Lock


class StorageTest(unittest.TestCase):
    """Who fills it, who waits, and when it goes."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.images = self.folder / "images"
        self.store = self.images / "abc"
        self.filled: list[str] = []

    def fill(self) -> None:
        """Stands for the pull."""
        self.filled.append(threading.current_thread().name)
        self.store.mkdir(parents=True)
        time.sleep(0.1)

    def test_one_fills_and_all_use_at_once(self) -> None:
        everybody = threading.Barrier(3, timeout=10)

        def build() -> None:
            with Lock(storage.lock_file(self.store)) as lock:
                storage.have(self.store, lock, self.fill)
                everybody.wait()

        threads = [threading.Thread(target=build) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertFalse(everybody.broken)
        self.assertEqual(len(self.filled), 1)

    def test_what_was_interrupted_is_filled_again(self) -> None:
        self.store.mkdir(parents=True)
        (self.store / "half").touch()
        with mock.patch.object(storage, "pull") as pull, Lock(storage.lock_file(self.store)) as lock:
            storage.have(self.store, lock, lambda: storage.fill(self.store, "reference", mock.Mock()))
        pull.assert_called_once()
        self.assertEqual([file.name for file in self.store.iterdir()], ["complete"])

    def test_unused_ones_make_room(self) -> None:
        for name, age in (("old", 2), ("used", 2), ("mine", 2), ("new", 0)):
            (self.images / name).mkdir(parents=True)
            file = self.images / f"{name}.lock"
            file.touch()
            os.utime(file, (time.time() - age * storage.KEEP_UNUSED,) * 2)
        with Lock(self.images / "used.lock") as used:
            used.shared()
            storage.remove_unused(self.images, self.images / "mine")
        self.assertEqual({file.name for file in self.images.iterdir() if file.is_dir()}, {"used", "mine", "new"})
        self.assertTrue((self.images / "old.lock").exists())

    def test_the_store_goes_by_reference_and_namespace(self) -> None:
        keys = {storage.key(reference, own) for reference in ("a", "b") for own in (True, False)}
        self.assertEqual(len(keys), 4)

    def test_a_full_cache(self) -> None:
        full = Unavailable("pulling failed", ["writing blob: write /cache/x: no space left on device"])
        self.assertTrue(storage.is_full(full))
        self.assertTrue(storage.is_full(OSError(errno.ENOSPC, "no space")))
        self.assertFalse(storage.is_full(Unavailable("pulling failed", ["connection refused"])))

    def test_what_can_not_be_filled_takes_no_room(self) -> None:
        def pull(*_: object) -> None:
            (self.store / "half").touch()
            raise Unavailable("pulling failed", ["no space left on device"])

        with mock.patch.object(storage, "pull", pull), mock.patch.object(storage, "remember_blobs"), \
                mock.patch.object(storage, "key", return_value=self.store.name), contextlib.ExitStack() as locks:
            self.assertIsNone(storage.shared_store("reference", mock.Mock(), self.folder, locks))
        self.assertFalse(self.store.exists())

    def test_settings(self) -> None:
        with mock.patch.dict(os.environ), mock.patch.object(paths, "WORK", self.folder), \
                mock.patch.object(paths, "CONTAINERS", self.folder / "containers"):
            storage.configure([self.store])
            self.assertIn(f'additionalimagestores = ["{self.store}"]', Path(os.environ["CONTAINERS_STORAGE_CONF"]).read_text())
            self.assertTrue(Path(os.environ["TMPDIR"]).is_dir())
            storage.remember_blobs(self.folder)
            storage.remember_blobs(self.folder)
            self.assertEqual((self.folder / "containers/cache").readlink(), self.folder / "blobs")
