"""copr-sanity as CI systems call it, with the real kubectl."""

import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from tests.support import CI, Cluster, recorded

FLAGS = ["--pr", "4305", "--commit", "5d37cd838218ab"]
DEADLINE_SECONDS = 20


class CoprSanity(unittest.TestCase):
    def setUp(self) -> None:
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)
        self.work = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def run_it(self, *flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CI / "lib/copr-sanity", *(flags or FLAGS)],
            env=self.cluster.environment(**variables),
            text=True,
            capture_output=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    def test_a_run_is_created_as_the_flags_say_followed_and_kept(self) -> None:
        left, name = self.work / "left", self.work / "name"
        left.mkdir()
        ran = self.run_it(COPR_ARTIFACTS=str(left), COPR_RUN_FILE=str(name), COPR_NAMESPACE="ci")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""), ran)
        self.assertIn("CoprTestRun pr-7\n", ran.stdout)
        self.assertEqual(
            self.cluster.calls(),
            [
                "run --namespace=ci --pr 4305 --commit 5d37cd838218ab --output=name",
                "watch --namespace=ci --plain pr-7",
                f"artifacts --namespace=ci pr-7 {left}",
            ],
        )
        self.assertEqual(name.read_text(), "pr-7\n")
        self.assertTrue((left / "build-spec/output.txt").exists())

    def test_variables_are_flags_that_kubectl_copr_has(self) -> None:
        variables = {
            "COPR_TOKEN_SECRET": "github-token",
            "COPR_COMMENT": "true",
            "COPR_DETAILS_URL": "https://ci.example/run/1?a=b&c d",
            "COPR_GROUP": "pull-request-4305",
        }
        self.assertEqual(self.run_it(**variables).returncode, 0)
        call = self.cluster.calls()[0]
        self.assertTrue(
            call.endswith(
                " --wait-for-packages=github-token --report-secret=github-token --report-comment"
                " --report-url=https://ci.example/run/1?a=b&c d --group=pull-request-4305 --output=name"
            ),
            call,
        )
        known = set(re.findall(r"--[a-z-]+", recorded("args__tests__help")))
        self.assertLessEqual(set(re.findall(r"--[a-z-]+", call)), known)
        self.assertEqual(self.run_it(**variables | {"COPR_COMMENT": "false"}).returncode, 0)
        self.assertNotIn("--report-comment", self.cluster.calls()[2])

    def test_what_is_neither_true_nor_false_creates_nothing(self) -> None:
        ran = self.run_it(COPR_TOKEN_SECRET="token", COPR_COMMENT="yes")
        self.assertEqual(ran.returncode, 2, ran)
        self.assertIn("COPR_COMMENT is 'yes'", ran.stderr)
        self.assertEqual(self.cluster.calls(), [])

    def test_a_failed_test_is_1_and_anything_else_2(self) -> None:
        for verdict, expected in [(1, 1), (2, 2), (137, 2)]:
            (self.cluster.folder / "verdict").write_text(str(verdict))
            self.assertEqual(self.run_it().returncode, expected, verdict)

    def test_a_refusal_is_no_verdict(self) -> None:
        self.cluster.refuse("spec.source.commit: give all digits")
        ran = self.run_it()
        self.assertEqual(ran.returncode, 2, ran)
        self.assertIn("give all digits", ran.stderr)
        self.assertEqual(len(self.cluster.calls()), 1)

    def test_what_can_not_be_kept_leaves_the_verdict(self) -> None:
        ran = self.run_it(COPR_ARTIFACTS=str(self.work / "no/such/folder"))
        self.assertEqual(ran.returncode, 0, ran)
        self.assertIn("the verdict stands", ran.stderr)

    def test_told_to_stop_it_cancels_the_run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            (self.cluster.folder / "slow").touch()
            (self.cluster.folder / "watching").unlink(missing_ok=True)
            with subprocess.Popen(
                [CI / "lib/copr-sanity", *FLAGS],
                env=self.cluster.environment(),
                text=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                # A shell can't trap what it was started with as ignored, and what runs these tests may be in the background.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            ) as process:
                deadline = time.monotonic() + DEADLINE_SECONDS
                while not (self.cluster.folder / "watching").exists():
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.05)
                process.send_signal(number)
                _, said = process.communicate(timeout=DEADLINE_SECONDS)
            self.assertEqual(process.returncode, 2)
            self.assertIn("pr-7 is cancelled", said)
            self.assertEqual(self.cluster.calls()[-1], "cancel pr-7")

    def test_help_needs_no_cluster(self) -> None:
        ran = subprocess.run([CI / "lib/copr-sanity", "--help"], text=True, capture_output=True, check=True)
        self.assertIn("Usage: copr-sanity FLAG...", ran.stdout)
