"""Results and exit codes of tmt, and what is made of them."""

import tempfile
import unittest
from pathlib import Path

from suite.process import Ended
from suite.verdict import Verdict
from tmtsuite import catalogue, judge, results, said
from tmtsuite.results import Part


def judged(code: int, parts: list[Part] | results.Malformed | None, cut: str = "", words: str = "", last: str = "") -> Verdict:
    """The verdict on the test /t."""
    return judge.verdict(judge.Left("/t", Ended(code, cut), 7, parts, words, last))


class JudgeTest(unittest.TestCase):
    """verdict()."""

    def test_each_word_with_its_exit_code(self) -> None:
        for word, code, outcome in (("pass", 0, "Passed"), ("info", 0, "Passed"), ("fail", 1, "Failed"), ("warn", 1, "Failed"),
                                    ("error", 2, "Error"), ("skip", 4, "Skipped")):
            self.assertEqual(judged(code, [Part("/t", word)]).outcome, outcome, word)
            if code:
                wrong = judged(0, [Part("/t", word)])
                self.assertEqual((wrong.outcome, wrong.reason), ("Error", "ExitCode"), word)

    def test_a_word_that_nobody_knows_is_no_pass(self) -> None:
        self.assertEqual(judged(0, [Part("/t", "splendid")]).outcome, "Error")

    def test_aborted(self) -> None:
        verdict = judged(1, [Part("/t", "pass")])
        self.assertEqual((verdict.outcome, verdict.reason, verdict.message),
                         ("Error", "ExitCode", "exit code 1, though the results are: pass"))

    def test_some_are_skipped(self) -> None:
        self.assertEqual(judged(0, [Part("/t/a", "skip"), Part("/t/b", "pass")]).outcome, "Passed")

    def test_without_results(self) -> None:
        self.assertEqual(judged(3, []).reason, "JournalMissing")
        self.assertEqual(judged(0, None).reason, "JournalMissing")
        self.assertEqual(judged(0, results.Malformed("x")).reason, "JournalMalformed")
        never = judged(2, [Part("/t", "pending")], words="no such package")
        self.assertEqual((never.outcome, never.reason, never.message), ("Error", "", "no such package"))

    def test_cut_off(self) -> None:
        self.assertEqual(judged(-9, None, "DeadlineReached").message, "the deadline was reached after 7 s")
        self.assertEqual(judged(1, [Part("/t", "fail")], "Terminated").reason, "Terminated")

    def test_messages(self) -> None:
        self.assertEqual(judged(1, [Part("/t", "fail")], last="no project").message, "no project")
        self.assertEqual(judged(1, [Part("/t", "pass"), Part("/t/two", "fail", ("why",))]).message, "two: why")
        self.assertEqual(judged(1, [Part("/t", "fail")]).message, "tmt says fail")


class ResultsTest(unittest.TestCase):
    """read()."""

    def read(self, text: str) -> list[Part] | None:
        """From a file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.yaml"
            path.write_text(text, encoding="utf-8")
            return results.read(path)

    def test_parts(self) -> None:
        found = self.read("- {name: /t, result: fail, duration: '00:01:30', note: one, subresult: [{name: /p, result: pass}]}")
        assert found is not None
        self.assertEqual((found[0].seconds, found[0].notes, found[0].parts[0].outcome), (90, ("one",), "Passed"))

    def test_what_is_none(self) -> None:
        self.assertIsNone(results.read(Path("/nonexistent/results.yaml")))
        for text in ("{", "word", "- 1", "- {name: /t}", "- {name: /t, result: fail, subresult: [x]}"):
            with self.assertRaises(results.Malformed, msg=text):
                self.read(text)


class WordsTest(unittest.TestCase):
    """Durations, and what tmt says."""

    def test_durations(self) -> None:
        for text, seconds in (("5m", 300), ("1h 30m", 5400), ("1h30m", 5400), ("90", 90), ("10m *2", 1200), ("*1.5", 450), ("2d", 172800),
                              ("", 300), ("forever", 300)):
            self.assertEqual(catalogue.seconds(text), seconds, text)

    def test_why(self) -> None:
        self.assertEqual(said.why("/tmp/run\nwarn: x\n\nInvalid yaml syntax.\n\nThe exception was caused by 1 earlier exceptions\n\n"
                                  "Cause number 1:\n\n    Failed to parse 'a.fmf'.\n"), "Failed to parse 'a.fmf'.")
        self.assertEqual(said.why(""), "")
