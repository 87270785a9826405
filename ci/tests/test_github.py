"""The workflows: what they may do, and the steps of the action as a runner takes them, but for the upload."""

import hashlib
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

from tests.support import CI, COMMIT, Cluster, load

ACTION = CI / "github/copr-sanity/action.yml"
WORKFLOWS = sorted((CI / "github/workflows").glob("*.yml"))


def read(path: Path) -> Any:
    return load(path.read_text(encoding="utf-8"))


class Workflows(unittest.TestCase):
    def test_nothing_may_write(self) -> None:
        self.assertEqual(len(WORKFLOWS), 2)
        for path in WORKFLOWS:
            workflow = read(path)
            self.assertEqual(workflow["permissions"], {}, path)
            for job in workflow["jobs"].values():
                self.assertLessEqual(set(job["permissions"].values()), {"read"}, path)

    def test_actions_are_pinned_to_commits(self) -> None:
        used = re.findall(r"uses: (\S+)(.*)", "".join(path.read_text() for path in (*WORKFLOWS, ACTION)))
        self.assertEqual(len(used), 6)
        for action, comment in used:
            if not action.startswith("./"):
                self.assertRegex(action + comment, r"^actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")

    def test_what_people_write_is_no_part_of_a_script(self) -> None:
        for path in (*WORKFLOWS, ACTION):
            document = read(path)
            jobs = document.get("jobs", {"action": document.get("runs")})
            for step in (step for job in jobs.values() for step in job["steps"]):
                self.assertNotIn("${{", step.get("run", ""), path)

    def test_the_job_that_reads_comments_has_no_secret(self) -> None:
        job = read(CI / "github/workflows/copr-sanity-comment.yml")["jobs"]["subject"]
        self.assertNotIn("environment", job)
        self.assertNotIn("secrets", str(job))


class Action(unittest.TestCase):
    def setUp(self) -> None:
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)
        self.temp = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.archive = self.temp / "archive.tar.gz"
        self.cluster.archive(self.archive)
        self.sum = hashlib.sha256(self.archive.read_bytes()).hexdigest()

    def step(self, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """As the runner starts it; expressions are what `variables` say."""
        step = next(step for step in read(ACTION)["runs"]["steps"] if step["name"] == name)
        # It has to get them from the archive.
        path = self.cluster.environment()["PATH"].replace(str(self.cluster.bin), str(self.temp / "copr"))
        script = self.temp / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        environment = {"PATH": path, "HOME": str(self.temp), "RUNNER_TEMP": str(self.temp), **variables}
        environment["GITHUB_PATH"] = str(self.temp / "path")
        self.assertEqual(set(step["env"]) - set(environment), set())
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script],
            env=environment,
            text=True,
            capture_output=True,
            check=False,
        )

    def run_suite(self, pull_request: str) -> subprocess.CompletedProcess[str]:
        return self.step(
            "Run the suite",
            CONTENTS=self.cluster.kubeconfig,
            FLAGS="--registry quay.io/you\n--test build-spec\n",
            COMMIT=COMMIT,
            PULL_REQUEST=pull_request,
            COPR_TOKEN_SECRET="github-token",
            COPR_COMMENT="true" if pull_request else "false",
            COPR_GROUP=f"pull-request-{pull_request}" if pull_request else "",
            COPR_DETAILS_URL="https://github.com/fedora-copr/copr/actions/runs/1",
            GITHUB_REPOSITORY="fedora-copr/copr",
        )

    def test_the_steps_one_after_the_other(self) -> None:
        got = self.step("Get kubectl copr", URL=self.archive.as_uri(), SHA256=self.sum)
        self.assertEqual(got.returncode, 0, got)
        self.assertEqual((self.temp / "path").read_text(), f"{self.temp}/copr\n")

        (self.cluster.folder / "verdict").write_text("1")
        ran = self.run_suite("4305")
        self.assertEqual(ran.returncode, 1, ran)
        self.assertEqual(
            self.cluster.calls()[0],
            f"run --registry quay.io/you --test build-spec --source fedora-copr/copr --commit {COMMIT} --pr 4305"
            " --wait-for-packages=github-token --report-secret=github-token --report-comment"
            " --report-url=https://github.com/fedora-copr/copr/actions/runs/1 --group=pull-request-4305 --output=name",
        )
        self.assertTrue((self.temp / "sanity/results.yaml").exists())
        self.assertEqual((self.temp / "kubeconfig").stat().st_mode & 0o777, 0o600)

    def test_after_a_push_nothing_is_commented(self) -> None:
        self.step("Get kubectl copr", URL=self.archive.as_uri(), SHA256=self.sum)
        ran = self.run_suite("")
        self.assertEqual(ran.returncode, 0, ran)
        call = self.cluster.calls()[0]
        self.assertIn("--report-secret=github-token", call)
        for flag in ("--pr", "--report-comment", "--group"):
            self.assertNotIn(flag, call.split())

    def test_another_archive_is_not_unpacked(self) -> None:
        got = self.step("Get kubectl copr", URL=self.archive.as_uri(), SHA256="0" * 64)
        self.assertNotEqual(got.returncode, 0)
        self.assertEqual(list((self.temp / "copr").iterdir()), [])
