"""The script of the Task as a step runs it, and the variables of all that is given to Tekton."""

import hashlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support import CI, COMMIT, Cluster, load

TASK = load((CI / "tekton/task.yaml").read_text(encoding="utf-8"))
PIPELINE = load((CI / "tekton/pipeline.yaml").read_text(encoding="utf-8"))
STEP = TASK["spec"]["steps"][0]
MAX_BYTES = 4096
DEADLINE_SECONDS = 60


def snapshot(*revisions: str) -> str:
    """As Konflux gives it."""
    components = [
        {
            "name": f"component-{number}",
            "containerImage": f"quay.io/x/y@sha256:{'d' * 64}",
            "source": {"git": {"url": "https://github.com/fedora-copr/copr", "revision": revision}},
        }
        for number, revision in enumerate(revisions)
    ]
    return json.dumps({"application": "copr", "components": components})


class Script(unittest.TestCase):
    def setUp(self) -> None:
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)
        self.work = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.cluster.archive(self.work / "cli.tar.gz")
        self.sum = hashlib.sha256((self.work / "cli.tar.gz").read_bytes()).hexdigest()
        # From the archive they must come.
        (self.cluster.bin / "copr-sanity").unlink()
        (self.cluster.bin / "kubectl-copr").unlink()

    def run_it(self, *, is_cancelled: bool = False, **params: str) -> tuple[dict[str, Any], str]:
        """TEST_OUTPUT, and what the step prints."""
        script = self.work / "script"
        script.write_text(STEP["script"], encoding="utf-8")
        script.chmod(0o755)
        values = {param["name"]: param.get("default", "") for param in TASK["spec"]["params"]}
        values |= {"cli-url": (self.work / "cli.tar.gz").as_uri(), "cli-sha256": self.sum, "namespace": "ci"}
        values |= {name.replace("_", "-"): value for name, value in params.items()}
        variables = {f"params.{name}": value for name, value in values.items()}
        variables["workspaces.kubeconfig.path"] = str(self.cluster.folder)
        variables |= {f"results.{name}.path": str(self.work / name) for name in ("TEST_OUTPUT", "RUN")}
        environment = {
            entry["name"]: re.sub(r"\$\(([^)]+)\)", lambda found: variables[found[1]], entry["value"])
            for entry in STEP["env"]
        }
        with subprocess.Popen(
            [script, "--registry", "quay.io/you"],
            env={"PATH": self.cluster.environment()["PATH"], **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as step:
            if is_cancelled:
                deadline = time.monotonic() + DEADLINE_SECONDS
                while not (self.cluster.folder / "watching").exists():
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.05)
                # All processes of the step, as Tekton's entrypoint does.
                os.killpg(step.pid, signal.SIGTERM)
            said, _ = step.communicate(timeout=DEADLINE_SECONDS)
        # Tekton would call the task failed, and Konflux would look at no result.
        self.assertEqual(step.returncode, 0, said)
        self.assertTrue((self.work / "RUN").exists())
        raw = (self.work / "TEST_OUTPUT").read_bytes()
        self.assertLessEqual(len(raw) + len((self.work / "RUN").read_bytes()), MAX_BYTES)
        output = json.loads(raw)
        datetime.fromisoformat(output.pop("timestamp"))
        return output, said

    def test_a_task_that_is_cancelled_cancels_its_run(self) -> None:
        (self.cluster.folder / "slow").touch()
        output, said = self.run_it(is_cancelled=True, commit=COMMIT)
        self.assertEqual(output["result"], "ERROR", said)
        self.assertEqual(self.cluster.calls()[-1], "cancel --namespace=ci pr-7")

    def test_a_red_run_is_a_failure_with_its_numbers(self) -> None:
        (self.cluster.folder / "verdict").write_text("1")
        output, said = self.run_it(commit=COMMIT, pull_request="4305", token_secret="github-token")
        note = "pr-7 is Failed: it said     ; 8 of 9 tests passed"
        self.assertEqual(output.pop("note").strip(), note, said)
        expected = {"result": "FAILURE", "successes": 8, "failures": 1, "warnings": 0, "namespace": "copr"}
        self.assertEqual(output, expected)
        self.assertEqual((self.work / "RUN").read_text(), "pr-7\n")
        self.assertEqual(
            self.cluster.calls()[0],
            "run --namespace=ci --registry quay.io/you --source fedora-copr/copr"
            f" --commit {COMMIT} --pr 4305 --wait-for-packages=github-token --report-secret=github-token"
            " --report-comment --group=pull-request-4305 --output=name",
        )

    def test_a_green_run_is_a_success_and_one_without_a_verdict_an_error(self) -> None:
        for verdict, result in [("0", "SUCCESS"), ("2", "ERROR")]:
            (self.cluster.folder / "verdict").write_text(verdict)
            self.assertEqual(self.run_it()[0]["result"], result)

    def test_a_message_without_end_is_cut(self) -> None:
        self.cluster.status["conditions"][0]["message"] = "x" * 30_000
        self.assertEqual(self.run_it()[0]["result"], "SUCCESS")

    def test_the_commit_is_that_of_the_snapshot(self) -> None:
        self.run_it(SNAPSHOT=snapshot(COMMIT, COMMIT))
        self.assertIn(f"--commit {COMMIT} ", self.cluster.calls()[0])

    def test_of_several_commits_none_is_guessed(self) -> None:
        output, _ = self.run_it(SNAPSHOT=snapshot(COMMIT, "a" * 40))
        self.assertEqual(output["result"], "ERROR")
        self.assertIn("SNAPSHOT has 2 revisions", output["note"])
        self.assertEqual(self.cluster.calls(), [])

    def test_whatever_goes_wrong_is_an_error(self) -> None:
        self.assertEqual(self.run_it(cli_sha256="0" * 64)[0]["result"], "ERROR")
        self.assertEqual(self.run_it(cli_url="file:///none")[0]["result"], "ERROR")
        self.cluster.refuse("no such field")
        output, said = self.run_it()
        self.assertEqual(output["result"], "ERROR")
        self.assertIn("no such field", said)

    def test_shellcheck_finds_nothing(self) -> None:
        ran = subprocess.run(
            ["shellcheck", "--shell", "bash", "-"],
            input=STEP["script"],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self.assertEqual(ran.returncode, 0, ran.stdout)


class Variables(unittest.TestCase):
    """What the schemas can't say: that whatever is named is there."""

    def test_what_is_used_is_declared(self) -> None:
        for document in (TASK, PIPELINE):
            spec = document["spec"]
            declared = {f"params.{param['name']}" for param in spec["params"]}
            declared |= {f"workspaces.{workspace['name']}.path" for workspace in spec["workspaces"]}
            declared |= {f"results.{result['name']}.path" for result in spec["results"]}
            declared |= {"params.flags[*]", "context.taskRun.namespace", "tasks.sanity.results.TEST_OUTPUT"}
            used = set(re.findall(r"\$\(((?:params|workspaces|results|context|tasks)\.[^)]+)\)", str(document)))
            self.assertLessEqual(used, declared)
            unused = {f"params.{param['name']}" for param in spec["params"]} - used - {"params.flags"}
            self.assertEqual(unused, set())

    def test_what_is_given_is_taken_and_what_is_needed_is_given(self) -> None:
        runs = load_all(CI / "tekton/pipelines-as-code.yaml")
        scenario = load((CI / "tekton/konflux.yaml").read_text(encoding="utf-8"))
        # Konflux gives SNAPSHOT by itself.
        for giver, taker in [(PIPELINE["spec"]["tasks"][0], TASK)] + [
            (given["spec"], PIPELINE) for given in (*runs, scenario)
        ]:
            given = {param["name"] for param in giver["params"]}
            params = taker["spec"]["params"]
            self.assertLessEqual(given, {param["name"] for param in params})
            self.assertLessEqual({param["name"] for param in params if "default" not in param}, given)


def load_all(path: Path) -> list[Any]:
    """The documents of a file."""
    return [load(document) for document in path.read_text(encoding="utf-8").split("\n---\n")]
