"""From what a script leaves to its verdict."""

import json
import tempfile
import tracemalloc
import unittest
from pathlib import Path

from suite import journal
from suite.process import Ended
from suite.verdict import LIMIT, Verdict
from upstream import judge, results

from . import journals


class JudgeTest(unittest.TestCase):
    """Beakerlib's journals of every kind."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def left(self, code: int = 0, cut: str = "") -> judge.Left:
        """What is there now, by a script that ended so."""
        try:
            summary: results.Summary | results.Malformed | None = results.read(self.folder)
        except results.Malformed as error:
            summary = error
        return judge.Left(Ended(code, cut), 12.3, summary, journal.read(self.folder))

    def verdict(self, code: int = 0, cut: str = "", skipped_with: str = "", storage: str = "backend") -> Verdict:
        """On that."""
        return judge.beakerlib(self.left(code, cut), skipped_with, storage)

    def leave(self, state: str, result: str, asserts: str = "f8AfMJXJ", **files: str) -> None:
        """Puts it there."""
        journals.leave(self.folder, state, result, asserts, **files)

    def test_passed(self) -> None:
        self.leave("complete", "PASS", journal_xml=journals.xml(("Setup", "PASS", 2, 0), ("Test", "PASS", 1, 0)))
        verdict = self.verdict()
        self.assertEqual((verdict.outcome, verdict.message, verdict.reason, verdict.fingerprint), ("Passed", "", "", ""))
        self.assertEqual([(r.name, r.outcome, r.message) for r in verdict.results],
                         [("Setup", "Passed", "2 good, 0 bad"), ("Test", "Passed", "1 good, 0 bad")])

    def test_failed(self) -> None:
        self.leave("complete", "FAIL", journal_xml=journals.XML)
        for code in (1, 0):
            verdict = self.verdict(code)
            self.assertEqual((verdict.outcome, verdict.message),
                             ("Failed", "Setup: Checking for the presence of copr-cli rpm"))
        self.assertEqual([(r.name, r.outcome) for r in verdict.results], [
            ("Setup/Checking for the presence of copr-cli rpm", "Failed"),
            ('weird / & <name> "q"/comment\nwith newline (Expected 0, got 1)', "Failed"),
            ("weird / & <name> \"q\"/a is b (Assert: 'a' should equal 'b')", "Failed"),
            ("Setup", "Failed"), ('weird / & <name> "q"', "Failed"), ("Cleanup", "Passed")])
        document = json.loads(verdict.to_json())
        self.assertEqual(document["results"][1]["name"], 'weird / & <name> "q"/comment')
        self.assertRegex(document["fingerprint"], "^[0-9a-f]{16}$")

    def test_setup_or_cleanup_alone_failed(self) -> None:
        self.leave("complete", "WARN", journal_xml=journals.xml(("Setup", "WARN", 0, 1), ("Test", "PASS", 1, 0)))
        self.assertEqual((self.verdict(1).outcome, self.verdict(1).message), ("Failed", "Setup: wrong 0"))

    def test_the_same_failure(self) -> None:
        self.leave("complete", "FAIL", journal_xml=journals.XML)
        one = self.verdict(1).fingerprint
        self.leave("complete", "FAIL", journal_xml=journals.xml(("Test", "FAIL", 0, 1)))
        self.assertEqual(self.verdict(1).fingerprint, one)
        self.leave("complete", "FAIL", "YlTTtLuX", journal_xml=journals.XML)
        self.assertNotEqual(self.verdict(1).fingerprint, one)

    def test_the_same_failure_before_beakerlib_1_32(self) -> None:
        fingerprints = []
        for message in ("'create admin/TEST1764147600123456789A' got 1", "'create admin/TEST1764147699999999999A' got 1", "other"):
            self.leave("complete", "FAIL", "", journal_meta=journals.meta("Test", message, "FAIL"))
            fingerprints.append(self.verdict(1).fingerprint)
        self.assertEqual(fingerprints[0], fingerprints[1])
        self.assertNotEqual(fingerprints[0], fingerprints[2])

    def test_an_end_in_the_middle_is_no_success(self) -> None:
        self.leave("incomplete", "PASS", journal_meta=journals.META)
        for code in (0, 1):
            verdict = self.verdict(code)
            self.assertEqual((verdict.outcome, verdict.reason), ("Error", "JournalIncomplete"))
            self.assertEqual(verdict.message, f'the script ended in the phase weird / & <name> "q" (exit code {code}); '
                             'first failure: weird / & <name> "q": comment\nwith newline (Expected 0, got 1)')
        self.assertEqual((verdict.results[0].outcome, verdict.results[-1].message), ("Failed", "0 good, 1 bad, never ended"))

    def test_intended_skips(self) -> None:
        self.leave("incomplete", "PASS", journal_meta=journals.meta("Test", "fine", "PASS"))
        for skipped_with, storage, outcome in (
            ("backend", "backend", "Skipped"), ("any", "pulp", "Skipped"), ("pulp", "pulp", "Skipped"),
            ("pulp", "backend", "Error"), ("backend", "pulp", "Error"), ("", "backend", "Error"),
        ):
            self.assertEqual(self.verdict(0, "", skipped_with, storage).outcome, outcome, (skipped_with, storage))
        self.assertEqual(self.verdict(1, "", "any").outcome, "Error")
        # With a failure before it, it's no skip.
        self.leave("started", "PASS", journal_meta=journals.meta("Setup", "VERSION_ID=44", "FAIL"))
        self.assertEqual(self.verdict(0, "", "any").reason, "JournalIncomplete")

    def test_missing(self) -> None:
        verdict = self.verdict(1)
        self.assertEqual((verdict.outcome, verdict.reason, verdict.message),
                         ("Error", "JournalMissing", "exit code 1, and beakerlib never began"))
        self.assertEqual(self.verdict(-9).message, "killed by SIGKILL, and beakerlib never began")

    def test_malformed(self) -> None:
        (self.folder / "TestResults").write_bytes(b"\x00\xff" * 100)
        self.assertEqual((self.verdict().outcome, self.verdict().reason), ("Error", "JournalMalformed"))
        # The journal is for details only.
        self.leave("complete", "FAIL", journal_xml=journals.XML[:700], journal_meta="\xff\xfe phase --name=%%% --\n--\n test")
        verdict = self.verdict(1)
        self.assertEqual((verdict.outcome, verdict.message), ("Failed", "the worst phase is FAIL; exit code 1"))
        self.leave("complete", "PASS", journal_xml="<BEAKER_TEST>" + "<phase name='p'>" * 5000)
        self.assertEqual(self.verdict().outcome, "Passed")

    def test_contradiction(self) -> None:
        self.leave("complete", "PASS", journal_xml=journals.xml(("Test", "PASS", 1, 0)))
        self.assertEqual((self.verdict(3).outcome, self.verdict(3).reason), ("Error", "ExitCode"))

    def test_cut_off(self) -> None:
        self.leave("incomplete", "PASS", journal_meta=journals.META)
        late = self.verdict(-15, "DeadlineReached")
        self.assertEqual((late.outcome, late.reason, late.message),
                         ("Error", "DeadlineReached", 'the deadline was reached after 12 s in the phase weird / & <name> "q"'))
        self.assertEqual(self.verdict(-15, "Terminated").reason, "Terminated")

    def test_huge(self) -> None:
        self.leave("complete", "FAIL", journal_xml=journals.xml(*((f"Test {i}", "FAIL", 1, 2000) for i in range(40))))
        self.assertGreater((self.folder / "journal.xml").stat().st_size, 10 << 20)
        tracemalloc.start()
        verdict = self.verdict(1)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        self.assertLess(peak, 8 << 20)
        self.assertEqual(len(verdict.results), journal.KEPT_FAILURES + 40)
        text = verdict.to_json()
        document = json.loads(text)
        self.assertLessEqual(len(text), LIMIT)
        self.assertEqual(len(document["results"]) + document["resultsOmitted"], len(verdict.results))

    def test_junit(self) -> None:
        self.leave("complete", "FAIL", journal_xml=journals.XML)
        left, verdict = self.left(1), self.verdict(1)
        self.assertEqual([(c.name, c.outcome, c.seconds) for c in judge.cases(left, verdict, "scm")],
                         [("Setup", "Failed", 1), ('weird / & <name> "q"', "Failed", 3), ("Cleanup", "Passed", 0)])
        # What no phase says, the script says itself.
        self.leave("incomplete", "PASS", journal_xml=journals.xml(("Setup", "PASS", 1, 0)))
        (self.folder / "journal.meta").unlink(missing_ok=True)
        found = judge.cases(self.left(), self.verdict(), "scm")
        self.assertEqual([(c.name, c.outcome) for c in found], [("Setup", "Passed"), ("scm", "Error")])
