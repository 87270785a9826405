"""copr-sanity as CI systems call it, with the real kubectl."""

import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from tests.support import CI, Cluster

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
                "run --namespace=ci --pr 4305 --commit 5d37cd838218ab --dry-run=client --output=json",
                "watch --namespace=ci --plain pr-7",
                f"artifacts --namespace=ci pr-7 {left}",
            ],
        )
        self.assertIn("/namespaces/ci/coprtestruns", self.cluster.queries[0])
        self.assertIn("fieldValidation=Strict", self.cluster.queries[0])
        spec = self.cluster.created[0]["spec"]
        self.assertEqual(spec["source"]["pullRequest"], 4305)
        self.assertNotIn("report", spec)
        self.assertEqual(name.read_text(), "pr-7\n")
        self.assertTrue((left / "build-spec/output.txt").exists())

    def test_what_flags_can_not_say_is_added(self) -> None:
        ran = self.run_it(
            COPR_TOKEN_SECRET="github-token",
            COPR_COMMENT="true",
            COPR_DETAILS_URL="https://ci.example/run/1?a=b&c",
            COPR_GROUP="pull-request-4305",
        )
        self.assertEqual(ran.returncode, 0, ran)
        spec = self.cluster.created[0]["spec"]
        self.assertEqual(
            spec["report"]["forge"],
            {
                "tokenSecret": {"name": "github-token"},
                "comment": True,
                "detailsURL": "https://ci.example/run/1?a=b&c",
            },
        )
        self.assertEqual(
            spec["source"],
            {
                "commit": "5d37cd838218ab",
                "pullRequest": 4305,
                "repository": "fedora-copr/copr",
                "packages": {"tokenSecret": {"name": "github-token"}},
            },
        )
        self.assertEqual(spec["concurrency"], {"group": "pull-request-4305", "policy": "CancelOlder"})

    def test_a_failed_test_is_1_and_anything_else_2(self) -> None:
        for verdict, expected in [(1, 1), (2, 2), (137, 2)]:
            (self.cluster.folder / "verdict").write_text(str(verdict))
            self.assertEqual(self.run_it().returncode, expected, verdict)

    def test_a_refusal_is_no_verdict(self) -> None:
        self.cluster.refusal = "spec.source.commit: give all digits"
        ran = self.run_it()
        self.assertEqual(ran.returncode, 2, ran)
        self.assertIn("give all digits", ran.stderr)
        self.assertEqual(len(self.cluster.calls()), 1)

    def test_variables_can_not_add_to_the_object(self) -> None:
        for name, value in [
            ("COPR_TOKEN_SECRET", 'a"},"x":{"b":"c'),
            ("COPR_DETAILS_URL", 'https://a/"'),
            ("COPR_DETAILS_URL", "https://a/\\"),
            ("COPR_DETAILS_URL", "https://a/ b"),
            ("COPR_GROUP", "a\nb"),
            ("COPR_COMMENT", "yes"),
        ]:
            ran = self.run_it(**{"COPR_TOKEN_SECRET": "token", name: value})
            self.assertEqual(ran.returncode, 2, ran)
            self.assertIn(name, ran.stderr)
        self.assertEqual(self.cluster.created, [])

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
