"""How a test's end becomes a verdict, an exit code and a termination message."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from smoke import cases
from smoke.cases.parallel_builds import most_at_once
from suite import log
from suite.errors import Terminated, TestError, TestFailed, TestSkipped, Unreachable
from smoke.runner import DeadlineReached, judge
from suite.verdict import Verdict
from suite.wait import ServerError

ROOT = Path(__file__).resolve().parent.parent


def ending(error: BaseException) -> Verdict:
    """The verdict of a test that raises this."""
    def run() -> None:
        raise error
    return judge(run, lambda: ("wait for build 7", "builder"))


class JudgeTest(unittest.TestCase):
    """From an exception to a verdict."""

    def test_outcomes(self) -> None:
        self.assertEqual(judge(lambda: None, lambda: ("", "")), Verdict("Passed"))
        self.assertEqual(ending(TestFailed("a\nb", "keygen")), Verdict("Failed", "a", "keygen"))
        self.assertEqual(ending(ServerError("HTTP 500", "frontend")), Verdict("Failed", "HTTP 500", "frontend"))
        self.assertEqual(ending(TestSkipped("one builder")), Verdict("Skipped", "one builder"))
        self.assertEqual(ending(TestError("no frontend")), Verdict("Error", "no frontend"))
        self.assertEqual(ending(Unreachable("refused")), Verdict("Error", "refused"))
        self.assertEqual(ending(KeyError("x")), Verdict("Error", "KeyError: 'x'"))

    def test_cut_off(self) -> None:
        late = ending(DeadlineReached())
        self.assertEqual((late.outcome, late.component), ("Failed", "builder"))
        self.assertIn("wait for build 7", late.message)
        self.assertEqual(ending(Terminated()).outcome, "Error")

    def test_secrets_stay_out(self) -> None:
        log.hide("s3cr3t")
        self.assertEqual(ending(TestFailed("token s3cr3t refused", "frontend")).message, "token *** refused")
        self.assertEqual(ending(ValueError("s3cr3t")).message, "ValueError: ***")

    def test_most_at_once(self) -> None:
        self.assertEqual(most_at_once([(0, 10), (5, 15), (9, 20)]), 3)
        self.assertEqual(most_at_once([(0, 10), (10, 20), (5, 8)]), 2)
        self.assertEqual(most_at_once([]), 0)


class ProgramTest(unittest.TestCase):
    """run-test as a program."""

    def run_test(self, *args: str, **env: str) -> tuple[int, dict[str, str], str]:
        with tempfile.TemporaryDirectory() as folder:
            verdict = Path(folder) / "verdict"
            config = Path(folder) / "copr"
            config.write_text("[copr-cli]\nlogin = l0g1n\nusername = u\ntoken = t0k3n\ncopr_url = http://127.0.0.1:1\n")
            done = subprocess.run(
                [str(ROOT / "run-test"), *args], capture_output=True, text=True, timeout=60, check=False,
                env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "SMOKE_HOME": str(ROOT),
                     "TERMINATION_LOG": str(verdict), "COPR_CLIENT_CONFIG": str(config), **env})
            return done.returncode, json.loads(verdict.read_text()) if verdict.exists() else {}, done.stdout

    def test_list(self) -> None:
        code, _, out = self.run_test("--list")
        document = json.loads(out)
        self.assertEqual((code, out.count("\n"), document["contract"], document["name"]), (0, 1, 1, "smoke"))
        self.assertEqual([test["name"] for test in document["tests"]], list(cases.CASES))
        first = document["tests"][0]
        self.assertEqual((first["name"], [test["exclusive"] for test in document["tests"]]),
                         ("parallel-builds", [True] + [False] * 8))
        needs = {test["name"]: test["needs"] for test in document["tests"]}
        self.assertEqual((needs["cancel"], needs["auth"]), (["builders"], []))

    def test_unknown(self) -> None:
        code, verdict, _ = self.run_test("nonesuch")
        self.assertEqual((code, verdict["outcome"]), (2, "Error"))
        self.assertIn("nonesuch", verdict["message"])

    def test_usage(self) -> None:
        self.assertEqual(self.run_test()[0], 2)

    def test_missing_environment(self) -> None:
        code, verdict, _ = self.run_test("chroots")
        self.assertEqual((code, verdict["outcome"], verdict["message"]), (2, "Error", "the environment has no RUN_ID"))

    def test_evidence(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            _, verdict, out = self.run_test("chroots", EVIDENCE_DIR=folder)
            self.assertEqual(Path(folder, "log.txt").read_text(encoding="utf-8"), out)
        _, again, _ = self.run_test("chroots")
        self.assertEqual(verdict["fingerprint"], again["fingerprint"])

    def test_unwritable_verdict(self) -> None:
        code, _, _ = self.run_test("nonesuch", TERMINATION_LOG="/nonexistent/folder/verdict")
        self.assertEqual(code, 2)


class SuiteTest(unittest.TestCase):
    """The table of tests."""

    def test_every_test_says_what_it_shows(self) -> None:
        for name, case in cases.CASES.items():
            self.assertRegex(case.about, r"^[A-Z].*\.$", name)
            self.assertGreaterEqual(case.deadline, 60)


class SignalTest(unittest.TestCase):
    """SIGTERM while a test runs."""

    def test_sigterm(self) -> None:
        program = (
            "import os, signal, sys, types\n"
            "from smoke import cases, runner\n"
            "def run(test): os.kill(os.getpid(), signal.SIGTERM)\n"
            "run.__doc__ = 'Ends itself.'\n"
            "sys.modules['suite.api'] = types.SimpleNamespace(Api=lambda config: None)\n"
            "runner.wait_for_frontend = lambda *args: None\n"
            "cases.CASES['itself'] = cases.Case(run, 60, ())\n"
            "sys.exit(runner.run_test('itself'))\n")
        with tempfile.TemporaryDirectory() as folder:
            verdict = Path(folder) / "verdict"
            config = Path(folder) / "copr"
            config.write_text("[copr-cli]\nlogin = l\ntoken = t\n")
            done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60, check=False, capture_output=True, env={
                **os.environ, "TERMINATION_LOG": str(verdict), "COPR_CLIENT_CONFIG": str(config), "RUN_ID": "r1",
                "FRONTEND_URL": "http://127.0.0.1:1", "BACKEND_URL": "http://127.0.0.1:1", "CHROOT": "c",
                "COPR_OWNER": "o", "BUILDERS_MAX": "2"})
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("SIGTERM", json.loads(verdict.read_text())["message"])
