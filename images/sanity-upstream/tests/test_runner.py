"""run-test as a program, with scripts in bash and the stand-in for beakerlib."""

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

from upstream import client
from upstream.catalogue import SCRIPTS_FOLDER
from upstream.settings import Settings

IMAGE = Path(__file__).resolve().parent.parent
BEAKERLIB = IMAGE.parents[1] / "e2e/standin/beakerlib/src/beakerlib.sh"
TOKEN = "t0k3n0fth34dm1n1str4t0r"

# As upstream's are: the same frame, the trap of `config`.
SCRIPT = """\
#! /bin/bash
. {beakerlib} || exit 1
NAME_VAR="TEST$(date +%s%N)"
trap 'test $__INTERNAL_PHASES_WORST_RESULT = PASS ; exit $?' EXIT
rlJournalStart
    rlPhaseStartSetup
        rlRun "PROJECT=$OWNER/$NAME_VAR-x" 0 "Setting project name to $OWNER/$NAME_VAR-x"
        rlAssertExists "$HOME/.config/copr"
    rlPhaseEnd
    rlPhaseStartTest
        {test}
    rlPhaseEnd
    rlPhaseStartCleanup
        rlRun "true"
    rlPhaseEnd
rlJournalPrintText
rlJournalEnd
"""


class Frontend(BaseHTTPRequestHandler):
    """Answers, as a proxy is asked, so that it can have the name of a Service."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "http://demo-frontend.team.svc:5000/api_3/" else 502)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Silence."""


class ProgramTest(unittest.TestCase):
    """From a script to a verdict and its evidence."""

    def setUp(self) -> None:
        self.frontend = ThreadingHTTPServer(("127.0.0.1", 0), Frontend)
        threading.Thread(target=self.frontend.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.addCleanup(self.frontend.server_close)
        self.addCleanup(self.frontend.shutdown)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name in ("home", "evidence", "copr.d"):
            (self.root / name).mkdir()
        self.scripts = self.root / "source" / SCRIPTS_FOLDER
        self.scripts.mkdir(parents=True)
        (self.root / "client").write_text(
            f"[copr-cli]\nlogin = l0g1n0fth34dm1n\nusername = admin\ntoken = {TOKEN}\ncopr_url = http://127.0.0.1:1\n")

    def write(self, name: str, test: str) -> None:
        """A script with this in its phase Test."""
        (self.scripts / f"{name}.sh").write_text(SCRIPT.format(beakerlib=BEAKERLIB, test=test), encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        """What the operator sets, and where a test of the test has its own."""
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "SUITE_HOME": f"{IMAGE}:{IMAGE.parent / 'sanity'}",
            "SUITE_DIR": str(self.root / "source"), "TERMINATION_LOG": str(self.root / "verdict"),
            "COPR_CLIENT_CONFIG": str(self.root / "client"), "EVIDENCE_DIR": str(self.root / "evidence"),
            "HOME": str(self.root / "home"), "DNF_COPR_FOLDER": str(self.root / "copr.d"), "LANG": "C.UTF-8",
            "FRONTEND_URL": "http://demo-frontend.team.svc:5000", "BACKEND_URL": "http://demo-backend.team.svc:5002/",
            "http_proxy": f"http://127.0.0.1:{self.frontend.server_port}", "COPR_OWNER": "admin", "CHROOT": "fedora-44-x86_64", "FRONTEND_PATIENCE_SECONDS": "1", "BUILDERS_MAX": "2", "RUN_ID": "r1", **more}

    def run_test(self, *args: str, **env: str) -> tuple[int, Any, str]:
        """Its exit code, its verdict, and what it printed."""
        done = subprocess.run([str(IMAGE / "run-test"), *args], env=self.environment(**env), capture_output=True, text=True,
                              timeout=60, check=False)
        verdict = self.root / "verdict"
        return done.returncode, json.loads(verdict.read_text()) if verdict.exists() else {}, done.stdout

    def evidence(self) -> dict[str, str]:
        """What is kept."""
        folder = self.root / "evidence"
        return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()}

    def test_passed(self) -> None:
        self.write("odd name $(exit 9) é", 'rlRun -s "echo $FRONTEND_URL $BACKEND_URL $DISTGIT_URL; echo $VENDOR; pwd"\n'
                   'rlAssertGrep "Copr team/demo - user admin" "$rlRun_LOG"\nrlAssertGrep "$(dirname "$0")" "$rlRun_LOG"')
        code, verdict, out = self.run_test("odd name $(exit 9) é")
        self.assertEqual((code, verdict["outcome"]), (0, "Passed"), out)
        self.assertEqual([(r["name"], r["outcome"]) for r in verdict["results"]],
                         [("Setup", "Passed"), ("Test", "Passed"), ("Cleanup", "Passed")])
        self.assertIn("http://demo-frontend.team.svc:5000 http://demo-backend.team.svc:5002 http://demo-dist-git.team.svc:5001", out)
        self.assertEqual(sorted(self.evidence()), ["TestResults", "journal.txt", "journal.xml", "junit.xml", "log.txt"])
        self.assertEqual(self.evidence()["log.txt"], out)

    def test_failed_without_secrets(self) -> None:
        self.write("scm", 'rlRun "cat $HOME/.config/copr"\nrlLogInfo "token $(grep ^token $HOME/.config/copr)"\n'
                   f'rlAssertEquals "what is sent" "{TOKEN}" "nothing"\nrlRun "false" 0-1\nrlRun -s "exit_code() {{ return 4; }}; exit_code" 0')
        code, verdict, out = self.run_test("scm")
        self.assertEqual((code, verdict["outcome"], verdict["message"]),
                         (1, "Failed", "Test: what is sent (Assert: '***' should equal 'nothing')"), out)
        self.assertEqual([r["outcome"] for r in verdict["results"]], ["Failed", "Failed", "Failed", "Passed", "Passed"])
        self.assertEqual(verdict["results"][1]["name"], "Test/Command 'exit_code() { return 4; }; exit_code' (Expected 0, got 4)")
        self.assertRegex(verdict["fingerprint"], "^[0-9a-f]{16}$")
        everything = self.evidence() | {"stdout": out, "verdict": json.dumps(verdict)}
        for name, content in everything.items():
            self.assertNotIn(TOKEN, content, name)
            self.assertNotIn("l0g1n", content, name)
        self.assertIn("***", everything["journal.xml"])
        suite = ET.fromstring(everything["junit.xml"])
        self.assertEqual([(suite.get("name"), suite.get("tests"), suite.get("failures"))], [("upstream.scm", "3", "1")])
        # The same again, at another time and with another project.
        self.assertEqual(self.run_test("scm")[1]["fingerprint"], verdict["fingerprint"])

    def test_an_exit_in_the_middle_of_a_phase(self) -> None:
        self.write("runtest-delete", "rlRun false; exit 0")
        code, verdict, _ = self.run_test("runtest-delete")
        self.assertEqual((code, verdict["outcome"], verdict["reason"]), (2, "Error", "JournalIncomplete"))
        self.assertEqual(verdict["message"], "the script ended in the phase Test (exit code 0); "
                         "first failure: Test: Command 'false' (Expected 0, got 1)")

    def test_intended_skip(self) -> None:
        self.write("runtest-storage", '[[ $STORAGE != backend ]] || { rlLog "Skipping"; exit 0; }')
        self.assertEqual(self.run_test("runtest-storage")[:2][1]["outcome"], "Skipped")
        self.assertEqual(self.run_test("runtest-storage", STORAGE="pulp")[1]["outcome"], "Passed")

    def test_a_frontend_that_is_away(self) -> None:
        self.write("scm", "rlRun false")
        code, verdict, out = self.run_test("scm", http_proxy="http://127.0.0.1:1")
        self.assertEqual((code, verdict["outcome"], verdict["reason"]), (2, "Error", "FrontendUnreachable"))
        self.assertNotIn("Setting project name", out)

    def test_a_frontend_that_goes_away(self) -> None:
        self.write("scm", f"rlRun false; kill $(cat {self.root}/frontend)")
        server = ("import http.server, sys\n"
                  "class Handler(http.server.BaseHTTPRequestHandler):\n"
                  "    def do_GET(self): self.send_response(200); self.end_headers()\n"
                  "server = http.server.HTTPServer(('127.0.0.1', 0), Handler)\n"
                  "print(server.server_port, flush=True)\nserver.serve_forever()\n")
        with subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
            assert running.stdout is not None
            (self.root / "frontend").write_text(str(running.pid))
            code, verdict, _ = self.run_test("scm", http_proxy=f"http://127.0.0.1:{running.stdout.readline().strip()}")
        self.assertEqual((code, verdict["outcome"], verdict["reason"]), (2, "Error", "FrontendUnreachable"))
        self.assertIn("; before that: Test: Command 'false' (Expected 0, got 1)", verdict["message"])
        self.assertEqual(verdict["results"][0]["outcome"], "Failed")

    def test_rl_die(self) -> None:
        self.write("scm", 'rlDie "improper copr_url"')
        code, verdict, _ = self.run_test("scm")
        self.assertEqual((code, verdict["outcome"], verdict["message"]),
                         (1, "Failed", "Test: improper copr_url (Assert: expected 0, got 1)"))

    def test_behave(self) -> None:
        (self.scripts / "runtest-autospec.sh").write_text("behave --tags autospec\n", encoding="utf-8")
        program = self.root / "bin" / "behave"
        program.parent.mkdir()
        program.write_text(
            '#!/bin/bash\nset -e\n[[ "$*" == "--tags autospec" ]]\n'
            "folder=$(sed -n 's/^junit_directory = //p' ~/.behaverc)\n"
            'echo "<testsuite><testcase classname=\'a.A\' name=\'s\' status=\'failed\'><failure message=\'$TOKEN\'/></testcase>'
            '</testsuite>" > "$folder/TESTS-autospec.xml"\nexit 1\n')
        program.chmod(0o755)
        code, verdict, out = self.run_test("runtest-autospec", PATH=f"{program.parent}:{self.environment()['PATH']}", TOKEN=TOKEN)
        self.assertEqual((code, verdict["outcome"], verdict["message"]), (1, "Failed", "A: s: ***"), out)
        self.assertIn("***", self.evidence()["TESTS-autospec.xml"])

    def test_deadline(self) -> None:
        self.write("scm", 'rlRun "sleep 60"')
        began = time.monotonic()
        code, verdict, out = self.run_test("scm", TEST_DEADLINE_SECONDS="2")
        self.assertEqual((code, verdict["outcome"], verdict["reason"]), (2, "Error", "DeadlineReached"), out)
        self.assertIn("in the phase Test", verdict["message"])
        self.assertLess(time.monotonic() - began, 30)
        # Without the library, too, the projects that are left are looked for.
        self.assertIn("cleaning up:", out)

    def test_sigterm(self) -> None:
        self.write("scm", 'echo here; rlRun "sleep 60"')
        with subprocess.Popen([str(IMAGE / "run-test"), "scm"], env=self.environment(), stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            for line in running.stdout:
                if line.strip() == "here":
                    running.send_signal(signal.SIGTERM)
            self.assertEqual(running.wait(30), 2)
        verdict = json.loads((self.root / "verdict").read_text())
        self.assertEqual((verdict["outcome"], verdict["reason"]), ("Error", "Terminated"))

    def test_list(self) -> None:
        self.write("scm", "true")
        self.write("auto-prune", "true")
        code, _, out = self.run_test("--list")
        document = json.loads(out)
        self.assertEqual((code, out.count("\n"), document["contract"], document["name"], document["root"]), (0, 1, 1, "upstream", True))
        self.assertEqual([test["name"] for test in document["tests"]], ["scm", "auto-prune"])
        self.assertNotIn("source", document)

    def test_no_list(self) -> None:
        code, verdict, out = self.run_test("--list", SUITE_DIR=str(self.root / "none"))
        self.assertEqual((code, out, verdict["outcome"], verdict["reason"]), (2, "", "Error", "SourceUnavailable"))

    def test_no_test(self) -> None:
        for args, env, message in (
            (("nonesuch",), {}, "there is no test 'nonesuch'; run-test --list names them"),
            ((), {}, "usage: run-test NAME | --list"),
            (("scm",), {"COPR_OWNER": ""}, "the environment has no COPR_OWNER"),
            (("scm",), {"TEST_DEADLINE_SECONDS": "-1"}, "TEST_DEADLINE_SECONDS is '-1', not a positive number"),
        ):
            code, verdict, _ = self.run_test(*args, **env)
            self.assertEqual((code, verdict["outcome"], verdict["message"]), (2, "Error", message))


class ClientTest(unittest.TestCase):
    """What the scripts find configured."""

    def settings(self, frontend: str, owner: str = "admin", **given: str) -> Settings:
        """Of an instance at that address."""
        return Settings(frontend, "http://b", owner, None, Path("x"), Path("x"), Path("x"), "backend", 1, given)

    def test_variables(self) -> None:
        variables = self.settings("http://my-copr-frontend.ns.svc:5000", "@copr").variables()
        self.assertEqual((variables["DISTGIT_URL"], variables["VENDOR"]),
                         ("http://my-copr-dist-git.ns.svc:5001", "Copr ns/my-copr - group @copr"))
        self.assertNotIn("VENDOR", self.settings("https://copr.example.org").variables())
        self.assertEqual(self.settings("http://a-frontend.n.svc", VENDOR="mine").variables()["VENDOR"], "mine")

    def test_dnf_copr(self) -> None:
        self.assertEqual(client.dnf_copr("http://demo-frontend.team.svc:5000"), (
            "[tested-copr]\nhostname = demo-frontend.team.svc\nprotocol = http\nport = 5000\n\n"
            "[demo-frontend.team.svc]\nhostname = demo-frontend.team.svc\nprotocol = http\nport = 5000\n"))
        self.assertIn("port = 443", client.dnf_copr("https://copr.example.org"))
