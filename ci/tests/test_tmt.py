"""The plan, as the real tmt runs it on this machine. Only the machine's package manager is a stand-in: nothing is installed."""

import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from tests.support import CI, COMMIT, ROOT, Cluster, load, recorded

TMT = Path(sys.executable).parent / "tmt"
MACHINE = ROOT / "images/sanity-tmt/tests/machine"
DEADLINE_SECONDS = 120


class Tmt(unittest.TestCase):
    def setUp(self) -> None:
        self.cluster = Cluster(verdict=1)
        self.addCleanup(self.cluster.close)
        self.work = Path(self.enterContext(tempfile.TemporaryDirectory()))
        shutil.copytree(CI / "tmt", self.work / "tree")

    def tmt(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = self.cluster.environment()
        environment["PATH"] = f"{MACHINE}:{environment['PATH']}"
        return subprocess.run(
            [TMT, "--feeling-safe", *words],
            cwd=self.work / "tree",
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    def run_plan(self, **variables: str) -> tuple[int, list[dict[str, Any]], str]:
        """Its exit code, the results, and what tmt and the test print."""
        variables["KUBECONFIG"] = str(self.cluster.folder / "kubeconfig")
        variables["COPR_CLI_DIR"] = str(self.cluster.bin)
        ran = self.tmt(
            *("run", "--id", str(self.work / "run"), "--scratch", "--all"),
            *(word for name, value in variables.items() for word in ("--environment", f"{name}={shlex.quote(value)}")),
            *("provision", "--how", "local", "plan", "--name", "^/sanity/plan$"),
        )
        execute = self.work / "run/sanity/plan/execute"
        self.assertTrue((execute / "results.yaml").exists(), ran.stdout)
        output = "".join(path.read_text() for path in execute.glob("data/**/output.txt"))
        return ran.returncode, load((execute / "results.yaml").read_text()), ran.stdout + output

    def test_it_is_sound(self) -> None:
        ran = self.tmt("lint", "--enforce-check", "C000")
        self.assertEqual(ran.returncode, 0, ran.stdout)
        findings = [line for line in ran.stdout.splitlines() if line.startswith(("fail", "warn"))]
        self.assertEqual(findings, [], ran.stdout)

    def test_every_test_of_the_suite_is_a_result_with_its_log(self) -> None:
        code, results, said = self.run_plan(
            COPR_FLAGS="--registry quay.io/you",
            COPR_TOKEN_SECRET="github-token",
            PACKIT_FULL_REPO_NAME="fedora-copr/copr",
            PACKIT_COMMIT_SHA=COMMIT,
            PACKIT_PR_ID="4305",
        )
        # An error among the results.
        self.assertEqual(code, 2, said)
        expected = load(recorded("model__tmt__tests__every_test_is_a_result"))
        self.assertEqual(
            [(result["name"], result["result"]) for result in results],
            [("/sanity/test" + result["name"], result["result"]) for result in expected],
        )
        log = results[1]["log"][0]
        self.assertEqual((self.work / "run/sanity/plan/execute" / log).read_text(), "no such spec\n")
        self.assertEqual(
            self.cluster.calls()[0],
            f"run --registry quay.io/you --source fedora-copr/copr --commit {COMMIT} --pr 4305"
            " --wait-for-packages=github-token --report-secret=github-token --group=pull-request-4305 --output=name",
        )

    def test_a_run_that_can_not_be_created_is_one_error(self) -> None:
        self.cluster.refuse("no such field")
        code, results, said = self.run_plan()
        self.assertEqual(code, 2, said)
        self.assertEqual([(result["name"], result["result"]) for result in results], [("/sanity/test", "error")])
        self.assertIn("no such field", said)
