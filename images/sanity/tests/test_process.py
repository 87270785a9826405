"""Scripts in process groups of their own."""

import os
import signal
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from suite import log, process
from suite.errors import Terminated


class ProcessTest(unittest.TestCase):
    """run()."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.printed = ""

    def emit(self, text: str) -> None:
        """Keeps what was printed."""
        self.printed += text

    def run_script(self, script: str, seconds: float = 30) -> process.Ended:
        """By bash."""
        return process.run(("bash", "-c", script), self.folder, {"PATH": os.environ["PATH"]}, seconds, self.emit)

    def test_exit_codes(self) -> None:
        self.assertEqual(str(self.run_script("echo out; echo err >&2; exit 3")), "exit code 3")
        self.assertEqual(self.printed, "out\nerr\n")
        self.assertEqual(str(self.run_script("kill -9 $$")), "killed by SIGKILL")

    def test_deadline(self) -> None:
        began = time.monotonic()
        ended = self.run_script("trap 'echo ends; exit 7' TERM; echo begins; sleep 60 & wait", 1)
        self.assertEqual((ended.code, ended.cut, self.printed), (7, "DeadlineReached", "begins\nends\n"))
        self.assertLess(time.monotonic() - began, 5)

    def test_what_does_not_listen_is_killed(self) -> None:
        with mock.patch.object(process, "KILL_AFTER", 0.5):
            ended = self.run_script("trap '' TERM; sleep 60", 0.5)
        self.assertEqual((ended.code, ended.cut), (-9, "DeadlineReached"))

    def test_sessions_of_its_own_end_with_it(self) -> None:
        with mock.patch.object(process, "KILL_AFTER", 0.5):
            self.run_script("trap '' TERM; setsid bash -c 'echo $$ > child; trap \"\" TERM; sleep 60' & sleep 60", 1)
        child = Path(f"/proc/{int((self.folder / 'child').read_text())}/stat")
        end = time.monotonic() + 10
        while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_nothing_is_left(self) -> None:
        began = time.monotonic()
        ended = self.run_script("sleep 60 & echo $! > child; exit 0")
        self.assertEqual((ended.code, ended.cut), (0, ""))
        self.assertLess(time.monotonic() - began, 5)
        child = int((self.folder / "child").read_text())
        state = Path(f"/proc/{child}/stat")
        # Gone, or waiting for whoever is its parent now. A process closes its files a moment before.
        while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
            self.assertLess(time.monotonic() - began, 10)
            time.sleep(0.05)

    def test_sigterm(self) -> None:
        def raise_terminated(*_args: object) -> None:
            raise Terminated
        before = signal.signal(signal.SIGALRM, raise_terminated)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        self.assertEqual(self.run_script("sleep 60").cut, "Terminated")

    def test_much_output(self) -> None:
        self.run_script("seq 1 200000; printf end")
        self.assertEqual(len(self.printed.splitlines()), 200001)
        self.assertTrue(self.printed.endswith("\n200000\nend"))


class StreamTest(unittest.TestCase):
    """Secrets, wherever a piece ends."""

    def test_pieces(self) -> None:
        log.hide("t0k3n-of-admin")
        text = "a" * (process.CHUNK - 5) + "t0k3n-of-admin" + "b" * process.CHUNK + "\nt0k3n-of-admin\nt0k3n"
        for size in (1000, 4096, process.CHUNK, 7919):
            printed: list[str] = []
            stream = process.Stream(printed.append)
            for at in range(0, len(text), size):
                stream.feed(text[at:at + size].encode())
            stream.close()
            self.assertEqual("".join(printed), text.replace("t0k3n-of-admin", "***"), size)
