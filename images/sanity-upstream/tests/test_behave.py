"""What behave leaves."""

import tempfile
import unittest
from pathlib import Path

from suite.process import Ended
from suite.verdict import Verdict
from upstream import behave, judge

# Of behave 1.3.3, but for the system's output.
SUITE = """\
<?xml version='1.0' encoding='utf-8'?>
<testsuite name="build_from_distgit.Building from external DistGit instances" tests="3" errors="0" failures="1" skipped="0" \
time="0.1" timestamp="2026-11-26T09:30:00" hostname="vm">{cases}</testsuite>
"""
CLASS = 'classname="build_from_distgit.Building from external DistGit instances"'
PASSED = f'<testcase {CLASS} name="Test that dist-git builds work" status="passed" time="0.5"><system-out></system-out></testcase>'
FAILED = (f'<testcase {CLASS} name="edit &quot;tar&quot;" status="failed" time="0.25"><failure type="AssertionError" '
          'message="rc 4 of build 17"><![CDATA[\nFailing step: the build results are distributed\n]]></failure></testcase>')
LEFT_OUT = f'<testcase {CLASS} name="forks" status="skipped" time="0"><skipped /></testcase>'


class BehaveTest(unittest.TestCase):
    """Verdicts on its JUnit XML."""

    def verdict(self, code: int, cut: str = "", **files: str) -> Verdict:
        """With these files and this exit code."""
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                Path(folder, f"TESTS-{name}.xml").write_text(content, encoding="utf-8")
            return judge.behave(judge.Left(Ended(code, cut), 1, None, None, tuple(behave.read(Path(folder)))))

    def test_passed(self) -> None:
        verdict = self.verdict(0, a=SUITE.format(cases=PASSED + LEFT_OUT))
        self.assertEqual([(r.name, r.outcome) for r in verdict.results], [
            ("Building from external DistGit instances: Test that dist-git builds work", "Passed"),
            ("Building from external DistGit instances: forks", "Skipped")])
        self.assertEqual(verdict.outcome, "Passed")

    def test_failed(self) -> None:
        one = self.verdict(1, a=SUITE.format(cases=PASSED), b=SUITE.format(cases=FAILED))
        self.assertEqual((one.outcome, one.message),
                         ("Failed", 'Building from external DistGit instances: edit "tar": rc 4 of build 17'))
        again = self.verdict(1, b=SUITE.format(cases=FAILED.replace("build 17", "build 1234")))
        self.assertEqual(one.fingerprint, again.fingerprint)

    def test_nothing_to_judge_by(self) -> None:
        for reason, verdict in (
            ("JournalMissing", self.verdict(1)),
            ("JournalMissing", self.verdict(0, a=SUITE.format(cases=LEFT_OUT))),
            ("JournalMalformed", self.verdict(0, a="<testsuite")),
            ("ExitCode", self.verdict(1, a=SUITE.format(cases=PASSED))),
            ("DeadlineReached", self.verdict(-9, "DeadlineReached", a=SUITE.format(cases=FAILED))),
        ):
            self.assertEqual((verdict.outcome, verdict.reason), ("Error", reason))
