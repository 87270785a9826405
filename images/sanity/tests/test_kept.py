"""The evidence of a test."""

import os
import tempfile
import time
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from smoke.builds import RPM, SOURCE
from smoke.kept import LOG_LIMIT, keep_build_logs, keep_steps
from suite import evidence, log
from suite.errors import Unreachable
from suite.verdict import Verdict


class Results:
    """Serves those files, and nothing while it is away."""

    def __init__(self, **files: bytes) -> None:
        self.files = {name.replace("__", "/"): content for name, content in files.items()}
        self.away = False

    def find(self, *parts: str, limit: int) -> bytes | None:
        """The start of the file."""
        if self.away:
            raise Unreachable("refused")
        content = {f"{folder}/{name}": body for path, body in self.files.items()
                   for folder, name in [path.rsplit("/", 1)]}.get("/".join(parts))
        return content if content is None else content[:limit]


def context(results: Results, *builds: int) -> Any:
    """A test that has submitted these."""
    submitted = [SimpleNamespace(number=number, package="a", folder=lambda stage, number=number: (stage, str(number)))
                 for number in builds]
    now = time.monotonic()
    return SimpleNamespace(name="cancel", results=results, submitted=submitted,
                           steps=[("start", now - 5), ("build a.spec in p", now - 3)])


class KeptTest(unittest.TestCase):
    """What is in EVIDENCE_DIR afterwards."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        environment = mock.patch.dict(os.environ, EVIDENCE_DIR=folder.name)
        environment.start()
        self.addCleanup(environment.stop)

    def kept(self) -> dict[str, bytes]:
        """Every file."""
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}

    def test_logs_of_builds(self) -> None:
        results = Results()
        results.files = {
            f"{SOURCE}/7/builder-live.log.gz": b"\x1f\x8b srpm", f"{RPM}/7/backend.log": b"worker",
            f"{RPM}/7/builder-live.log": b"x" * (LOG_LIMIT + 1), f"{RPM}/7/builder-live.log.gz": b"not asked for",
        }
        keep_build_logs(context(results, 7))
        self.assertEqual({name: len(content) for name, content in self.kept().items()}, {
            "builds/00000007-a/srpm/builder-live.log.gz": 7, "builds/00000007-a/rpm/backend.log": 6,
            "builds/00000007-a/rpm/builder-live.log": LOG_LIMIT})

    def test_a_backend_that_is_away_costs_the_logs_only(self) -> None:
        results = Results()
        results.away = True
        keep_build_logs(context(results, 7))
        self.assertEqual(self.kept(), {})

    def test_junit(self) -> None:
        log.hide("s3cr3t")
        keep_steps(context(Results()), Verdict("Failed", "token s3cr3t \x1b refused", "frontend"))
        root = ET.fromstring(self.kept()["junit.xml"])
        self.assertEqual([root.get(name) for name in ("name", "tests", "failures", "errors")], ["smoke.cancel", "2", "1", "0"])
        first, last = root.findall("testcase")
        self.assertEqual((first.get("name"), len(first), first.get("time")), ("start", 0, "2.000"))
        failure = last.find("failure")
        assert failure is not None
        self.assertEqual((failure.get("message"), failure.text), ("token ***  refused", "component: frontend"))

    def test_no_folder(self) -> None:
        with mock.patch.dict(os.environ, EVIDENCE_DIR=str(self.folder / "none")):
            keep_steps(context(Results()), Verdict("Passed"))
            self.assertIsNone(evidence.folder())
        self.assertEqual(self.kept(), {})

    def test_names_of_files(self) -> None:
        self.assertEqual([evidence.safe(name) for name in ("a b/../c", "..", "x" * 500, "é+1~2")],
                         ["a_b_.._c", "_", "x" * 100, "é+1~2"])


class LogTest(unittest.TestCase):
    """The copy of the log."""

    def test_size_and_secrets(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(log, "COPY_LIMIT", 40), \
                mock.patch.object(log, "_copy", None), mock.patch("builtins.print"):
            log.hide("s3cr3t")
            log.copy_to(Path(folder, "log.txt"))
            log.output("a s3cr3t\n" + "x" * 30 + "\nlost\n")
            lines = Path(folder, "log.txt").read_text(encoding="utf-8").splitlines()
        self.assertEqual(lines, ["         | a ***", "… cut off after 0 MiB"])
