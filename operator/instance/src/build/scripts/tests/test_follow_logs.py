"""What daemons write into files reaches the container's log, and the files stay small."""

import io
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

from tests import SCRIPTS, load

follow_logs = load("follow-logs")


class FollowLogs(unittest.TestCase):
    """One folder of logs."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.logs: dict[str, Any] = {}
        self.addCleanup(lambda: [log.close(io.BytesIO()) for log in self.logs.values()])

    def look(self) -> list[str]:
        """What one look prints."""
        out = io.BytesIO()
        follow_logs.follow(str(self.folder), self.logs, out)
        return out.getvalue().decode().splitlines()

    def append(self, name: str, text: str) -> None:
        """As a logging handler does."""
        with open(self.folder / name, "a", encoding="utf-8") as file:
            file.write(text)

    def test_lines_of_files_that_appear_later(self) -> None:
        self.append("backend.log", "one\nhalf a ")
        self.append("queue.json", "{}\n")
        self.assertEqual(self.look(), ["backend: one"])
        self.append("backend.log", "line\n")
        self.append("worker.log", "two\n")
        self.assertEqual(self.look(), ["backend: half a line", "worker: two"])
        self.assertEqual(self.look(), [])

    def test_a_file_that_was_replaced_is_read_to_its_end(self) -> None:
        self.append("a.log", "one\n")
        self.look()
        self.append("a.log", "two")
        os.rename(self.folder / "a.log", self.folder / "a.log.1")
        self.append("a.log", "three\n")
        self.assertEqual(self.look(), ["a: two", "a: three"])

    def test_a_large_file_is_emptied_and_nothing_of_it_is_lost(self) -> None:
        line = "x" * 1023 + "\n"
        with open(self.folder / "a.log", "a", encoding="utf-8") as writer:
            writer.write(line * (17 << 10))
            writer.flush()
            self.assertEqual(len(self.look()), 17 << 10)
            self.assertEqual(os.path.getsize(self.folder / "a.log"), 0)
            writer.write("after\n")
            writer.flush()
            self.assertEqual(self.look(), ["a: after"])
            self.assertEqual(os.path.getsize(self.folder / "a.log"), 6)

    def test_a_line_without_an_end_is_no_memory_without_an_end(self) -> None:
        self.append("a.log", "y" * (3 << 20))
        self.look()
        self.assertLess(len(self.logs["a.log"]._rest), 1 << 20)

    def test_logs_of_tasks_expire(self) -> None:
        now = time.time()
        for name, days in (("1.log", 31), ("2.log", 29), ("3.txt", 31)):
            self.append(name, "x")
            os.utime(self.folder / name, (now - days * 86400,) * 2)
        follow_logs.sweep(str(self.folder), now)
        follow_logs.sweep(str(self.folder / "missing"), now)
        self.assertEqual(sorted(os.listdir(self.folder)), ["2.log", "3.txt"])

    def test_last_words_are_heard(self) -> None:
        with subprocess.Popen([sys.executable, SCRIPTS / "follow-logs", str(self.folder)],
                              stdout=subprocess.PIPE, text=True) as process:
            self.append("a.log", "begins\n")
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline(), "a: begins\n")
            process.terminate()
            self.append("a.log", "ends")
            self.assertEqual(process.stdout.read(), "a: ends\n")
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
