"""What a build waits for is where the pod's readiness probe finds it, for as long as it waits."""

import tempfile
import threading
import unittest
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

from build_image import log, mirror, paths, retry
from build_image.failures import Unavailable
from build_image.mirror import Origin
from build_image.process import Result
from build_image.request import Repository
from build_image.waiting import Waiting

REFUSED = Result(125, ["Getting image source signatures", "Error: dial tcp: connect: connection refused"])


class WaitingTest(unittest.TestCase):
    """The file."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.said: list[str | None] = []
        patch = mock.patch.object(paths, "WAITS", self.folder / "waits")
        patch.start()
        self.addCleanup(patch.stop)
        redirect = redirect_stdout(StringIO())
        redirect.__enter__()
        self.addCleanup(redirect.__exit__, None, None, None)

    def look(self, _pause: float = 0) -> None:
        """What the probe sees."""
        self.said.append(paths.WAITS.read_text() if paths.WAITS.exists() else None)

    def test_a_registry_that_is_away(self) -> None:
        results = iter([REFUSED, REFUSED, Result(0, [])])
        retry.until_reachable("the push to r/x", lambda: next(results), sleep=self.look)
        self.look()
        away = "the push to r/x failed: Error: dial tcp: connect: connection refused"
        self.assertEqual(self.said, [away, away, None])

    def test_who_gives_up_waits_no_more(self) -> None:
        results = iter([REFUSED, Result(1, ["denied"])])
        with self.assertRaises(Unavailable):
            retry.until_reachable("the push", lambda: next(results), sleep=self.look)
        self.assertFalse(paths.WAITS.exists())

    def test_a_mirror_that_is_away(self) -> None:
        origin = Origin(Repository("pr", "http://127.0.0.1:1/repo/", 10), self.folder, self.folder)
        with tempfile.TemporaryFile() as content:
            mirror.fetch(origin, "x.rpm", "GET", {}, content, 2.5, self.look)
        self.look()
        self.assertIn("http://127.0.0.1:1/repo/x.rpm: ", self.said[0] or "")
        self.assertIsNone(self.said[-1])

    def test_of_several_the_last_is_told_and_no_secret(self) -> None:
        log.hide("waiting-secret")
        with Waiting() as first, Waiting() as second:
            first.says("one")
            second.says("two, with waiting-secret")
            self.look()
            first.says("one again")
            self.look()
        self.look()
        self.assertEqual(self.said, ["two, with ***", "one again", None])

    def test_threads(self) -> None:
        def wait(number: int) -> None:
            for _ in range(50):
                with Waiting() as waiting:
                    waiting.says(str(number))

        threads = [threading.Thread(target=wait, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertFalse(paths.WAITS.exists())
