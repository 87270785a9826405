"""run-test as a program, with the real tmt. Only the machine's package manager is a stand-in: nothing is installed."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

IMAGE = Path(__file__).resolve().parents[2]
BEAKERLIB = IMAGE.parents[1] / "e2e/standin/beakerlib/src/beakerlib.sh"
TOKEN = "t0k3n0fth34dm1n1str4t0r"
# As the operator has it, and with what a shell would make something else of.
VENDOR = "Copr team/it's demo - user admin"
ODD = "/odd (name) [x] + é $(exit 9) 'q\""

METADATA = f"""\
/pass:
  summary: It passes.
  test: echo "$FRONTEND_URL $RUN_ID"; cat ~/.config/copr; env
  duration: 1m
  tag: [build, quick]
  tier: 1
/fail:
  test: echo begun; echo "no such project" >&2; exit 1
/broken:
  test: echo cannot; exit 99
/slow:
  test: sleep 60
  duration: 2s
/off:
  test: "true"
  enabled: false
/by-hand:
  test: steps.md
  manual: true
/xfail:
  test: "false"
  result: xfail
/unexpected:
  test: "true"
  result: xfail
/skip:
  test: tmt-report-result "$TMT_TEST_NAME" SKIP
/warn:
  test: tmt-report-result "$TMT_TEST_NAME" WARN
/own/fails:
  test: |
    cp custom.yaml "$TMT_TEST_DATA/results.yaml"
    echo "{TOKEN}" > "$TMT_TEST_DATA/two.txt"
  result: custom
/own/none:
  test: "true"
  result: custom
/needs:
  test: "true"
  require: [nonesuch-package]
/lasting:
  test: echo $$ > "$HOME/pid"; trap '' TERM; echo here; sleep 600
  duration: 1h
/journal/whole:
  test: ./journal.sh
  framework: beakerlib
/journal/cut:
  test: ./cut.sh
  framework: beakerlib
{json.dumps(ODD, ensure_ascii=False)}:
  test: echo odd
"""
CUSTOM = """\
- name: /
  result: fail
- name: /one
  result: pass
- name: /two
  result: fail
  note: [two is not one]
  log: [two.txt, ../../../../../../../../../../../../etc/passwd]
  subresult:
  - {name: /phase, result: fail, note: [half of it]}
"""
JOURNAL = """\
#!/bin/bash
. {beakerlib} || exit 1
rlJournalStart
    rlPhaseStartTest "Good"
        rlRun "true"
    rlPhaseEnd
    rlPhaseStartTest "Bad"
        rlRun "false" 0 "What has to work"
    rlPhaseEnd
rlJournalEnd
"""
CUT = """\
#!/bin/bash
. {beakerlib} || exit 1
rlJournalStart
    rlPhaseStartTest "Half"
        exit 0
"""


class Frontend(BaseHTTPRequestHandler):
    """Answers."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Silence."""


class ProgramTest(unittest.TestCase):
    """From metadata to a verdict and its evidence."""

    def setUp(self) -> None:
        self.frontend = ThreadingHTTPServer(("127.0.0.1", 0), Frontend)
        threading.Thread(target=self.frontend.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.addCleanup(self.frontend.server_close)
        self.addCleanup(self.frontend.shutdown)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.tree = self.root / "source" / "tests" / "tmt"
        for name in ("home", "evidence", "tmp", "source/tests/tmt/.fmf"):
            (self.root / name).mkdir(parents=True)
        (self.tree / ".fmf/version").write_text("1\n")
        (self.tree / "main.fmf").write_text(METADATA, encoding="utf-8")
        (self.tree / "custom.yaml").write_text(CUSTOM)
        for name, text in (("journal.sh", JOURNAL), ("cut.sh", CUT)):
            (self.tree / name).write_text(text.format(beakerlib=BEAKERLIB))
            (self.tree / name).chmod(0o755)
        (self.root / "client").write_text(
            f"[copr-cli]\nlogin = l0g1n0fth34dm1n\nusername = admin\ntoken = {TOKEN}\ncopr_url = http://127.0.0.1:1\n")

    def environment(self, **more: str) -> dict[str, str]:
        """What the operator sets, and where a test of the test has its own."""
        return {
            "PATH": f"{IMAGE / 'tests/machine'}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "SUITE_HOME": f"{IMAGE}:{IMAGE.parent / 'sanity'}", "SUITE_DIR": str(self.root / "source"),
            "SUITE_GIT_URL": "https://me:p4ssw0rd@git.example.org/x", "SUITE_GIT_PATH": "tests/tmt",
            "TERMINATION_LOG": str(self.root / "verdict"), "COPR_CLIENT_CONFIG": str(self.root / "client"),
            "EVIDENCE_DIR": str(self.root / "evidence"), "HOME": str(self.root / "home"), "TMPDIR": str(self.root / "tmp"),
            "TMT_TEST_PIDFILE_ROOT": str(self.root / "tmp"), "LANG": "C.UTF-8", "COPR_OWNER": "admin", "RUN_ID": "r1",
            "FRONTEND_URL": f"http://127.0.0.1:{self.frontend.server_port}", "BACKEND_URL": "http://demo-backend.team.svc:5002",
            "FRONTEND_PATIENCE_SECONDS": "1", "COPR_VENDOR": VENDOR, **more}

    def run_test(self, *args: str, **env: str) -> tuple[int, Any, str]:
        """Its exit code, its verdict, and what it printed."""
        done = subprocess.run([str(IMAGE / "run-test"), *args], env=self.environment(**env), capture_output=True, text=True,
                              timeout=120, check=False)
        verdict = self.root / "verdict"
        return done.returncode, json.loads(verdict.read_text()) if verdict.exists() else {}, done.stdout

    def judged(self, name: str, **env: str) -> tuple[int, str, str, str]:
        """Exit code, outcome, reason and message of a test."""
        code, verdict, out = self.run_test(name, **env)
        self.printed = out
        return code, verdict["outcome"], verdict.get("reason", ""), verdict["message"]

    def evidence(self) -> dict[str, str]:
        """What is kept."""
        folder = self.root / "evidence"
        return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()}

    def test_list(self) -> None:
        code, _, out = self.run_test("--list")
        document = json.loads(out)
        self.assertEqual((code, out.count("\n"), document["contract"], document["name"], document["root"]), (0, 1, 1, "tmt", True))
        tests = {test["name"]: test for test in document["tests"]}
        self.assertEqual(sorted(tests), sorted([
            "/pass", "/fail", "/broken", "/slow", "/xfail", "/unexpected", "/skip", "/warn", "/own/fails", "/own/none", "/needs", "/lasting",
            "/journal/whole", "/journal/cut", ODD]))
        self.assertEqual(tests["/pass"], {"name": "/pass", "summary": "It passes.", "tags": ["build", "quick", "tier-1"],
                                          "deadlineSeconds": 660, "exclusive": False, "needs": ["builders"]})
        self.assertEqual((tests["/fail"]["deadlineSeconds"], tests["/fail"]["needs"]), (900, []))
        self.assertEqual(document["tests"][0]["name"], "/lasting")

    def test_passed(self) -> None:
        self.assertEqual(self.judged("/pass"), (0, "Passed", "", ""), self.printed)
        self.assertIn(f"http://127.0.0.1:{self.frontend.server_port} r1", self.evidence()["output.txt"])
        everything = self.evidence() | {"stdout": self.printed}
        for name, content in everything.items():
            for secret in (TOKEN, "l0g1n", "p4ssw0rd"):
                self.assertNotIn(secret, content, name)
        self.assertIn("token = ***", everything["output.txt"])
        self.assertIn(f"COPR_VENDOR={VENDOR}\n", everything["output.txt"])
        self.assertEqual(sorted(self.evidence()), ["junit.xml", "log.txt", "output.txt", "results.yaml"])
        self.assertEqual(list((self.root / "tmp").glob("tmt-*/")), [])

    def test_odd_name(self) -> None:
        self.assertEqual(self.judged(ODD), (0, "Passed", "", ""))
        self.assertIn("odd", self.evidence()["output.txt"])

    def test_failed(self) -> None:
        self.assertEqual(self.judged("/fail"), (1, "Failed", "", "no such project"))
        suite = ET.fromstring(self.evidence()["junit.xml"])
        self.assertEqual((suite.get("name"), suite.get("tests"), suite.get("failures")), ("tmt./fail", "1", "1"))

    def test_a_warning_is_a_failure(self) -> None:
        self.assertEqual(self.judged("/warn")[:3], (1, "Failed", ""))

    def test_error(self) -> None:
        self.assertEqual(self.judged("/broken"), (2, "Error", "", "cannot"))

    def test_duration(self) -> None:
        self.assertEqual(self.judged("/slow"), (2, "Error", "DeadlineReached", "Test exceeded maximum duration of 2s"))

    def test_expected_to_fail(self) -> None:
        self.assertEqual(self.judged("/xfail"), (0, "Passed", "", ""))
        self.assertEqual(self.judged("/unexpected"),
                         (1, "Failed", "", "test was expected to fail; original test result: pass"))

    def test_skipped(self) -> None:
        self.assertEqual(self.judged("/skip")[:3], (0, "Skipped", ""))

    def test_results_of_its_own(self) -> None:
        code, verdict, _ = self.run_test("/own/fails")
        self.assertEqual((code, verdict["outcome"]), (1, "Failed"))
        self.assertEqual([(result["name"], result["outcome"]) for result in verdict["results"]],
                         [("/own/fails", "Failed"), ("two", "Failed"), ("two/phase", "Failed"), ("one", "Passed")])
        self.assertEqual(self.run_test("/own/fails")[1]["fingerprint"], verdict["fingerprint"])
        self.assertEqual([text for name, text in self.evidence().items() if name.endswith("two.txt")], ["***\n"])
        self.assertNotIn("root:", "".join(self.evidence().values()))

    def test_no_results_of_its_own(self) -> None:
        code, outcome, _, message = self.judged("/own/none")
        self.assertEqual((code, outcome), (2, "Error"))
        self.assertIn("custom results file not found", message)

    def test_what_it_requires_is_not_there(self) -> None:
        code, outcome, _, message = self.judged("/needs")
        self.assertEqual((code, outcome), (2, "Error"))
        self.assertIn("No match for argument: nonesuch-package", message)

    def test_beakerlib(self) -> None:
        code, verdict, _ = self.run_test("/journal/whole")
        self.assertEqual((code, verdict["outcome"]), (1, "Failed"))
        self.assertEqual(verdict["message"], "Bad: What has to work (Expected 0, got 1)")
        self.assertEqual(verdict["results"][0]["name"], verdict["message"])
        self.assertIn("What has to work", self.evidence()["journal.xml"])

    def test_beakerlib_that_ends_half_way(self) -> None:
        self.assertEqual(self.judged("/journal/cut")[:2], (2, "Error"))

    def test_deadline(self) -> None:
        # Long enough for a test to begin on a busy machine, and short of what run_test waits for.
        self.assertEqual(self.judged("/lasting", TEST_DEADLINE_SECONDS="20")[:3], (2, "Error", "DeadlineReached"))
        self.assert_gone()

    def test_sigterm(self) -> None:
        with subprocess.Popen([str(IMAGE / "run-test"), "/lasting"], env=self.environment(), stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            for line in running.stdout:
                if line.strip().endswith("here"):
                    running.send_signal(signal.SIGTERM)
            self.assertEqual(running.wait(60), 2)
        verdict = json.loads((self.root / "verdict").read_text())
        self.assertEqual((verdict["outcome"], verdict["reason"]), ("Error", "Terminated"))
        self.assert_gone()

    def assert_gone(self) -> None:
        """The test /lasting runs no more, though it ignores SIGTERM and has a session of its own."""
        state = Path(f"/proc/{int((self.root / 'home/pid').read_text())}/stat")
        end = time.monotonic() + 10
        while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_a_frontend_that_is_away(self) -> None:
        self.assertEqual(self.judged("/pass", FRONTEND_URL="http://127.0.0.1:1")[:3], (2, "Error", "FrontendUnreachable"))

    def test_metadata_that_cannot_be_read(self) -> None:
        (self.tree / "more.fmf").write_text("a: [\n")
        code, verdict, out = self.run_test("--list")
        self.assertEqual((code, out, verdict["outcome"]), (2, "", "Error"))
        self.assertRegex(verdict["message"], "^tmt can't read the metadata: .*more.fmf")
        self.assertEqual(self.judged("/pass")[:2], (2, "Error"))

    def test_no_metadata(self) -> None:
        for path, words in (("", "the top of the repository is no root of fmf metadata"), ("none", "none of the repository is no root"),
                            ("../..", "leads out of the repository")):
            code, verdict, out = self.run_test("--list", SUITE_GIT_PATH=path)
            self.assertEqual((code, out, verdict["outcome"]), (2, "", "Error"))
            self.assertIn(words, verdict["message"])

    def test_no_source(self) -> None:
        code, verdict, _ = self.run_test("--list", SUITE_DIR=str(self.root / "none"))
        self.assertEqual((code, verdict["outcome"], verdict["reason"]), (2, "Error", "SourceUnavailable"))

    def test_no_test(self) -> None:
        for args, env, message in (
            (("/off",), {}, "there is no test '/off'; run-test --list names them"),
            (("/by-hand",), {}, "there is no test '/by-hand'; run-test --list names them"),
            (("/pas",), {}, "there is no test '/pas'; run-test --list names them"),
            ((), {}, "usage: run-test NAME | --list"),
            (("/pass",), {"RUN_ID": ""}, "the environment has no RUN_ID"),
        ):
            code, verdict, _ = self.run_test(*args, **env)
            self.assertEqual((code, verdict["outcome"], verdict["message"]), (2, "Error", message))
