"""resalloc's hooks, with an API server of a few lines in place of the real one's client."""

import contextlib
import io
import os
import runpy
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

import builder_pods  # noqa: E402

NAME = "demo-builder-abcdef-7"
HOOKS = "demo-resalloc-hooks"
BACKEND = {"status": {"containerStatuses": [{"name": "build", "state": {"running": {}}, "containerID": "c1"}]}}


class HookTest(unittest.TestCase):
    """One hook, run as resalloc runs it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pods: dict[str, Any] = {"demo-backend-0": BACKEND}
        self.events: list[dict[str, Any]] = []
        self.refusal = ""
        env = {
            "COPR_INSTANCE": "demo", "BACKEND_POD": "demo-backend-0", "POD_NAME": "demo-resalloc-0", "POD_NAMESPACE": "team",
            "POD_UID": "abcdef01-2345", "RESALLOC_ID": "7", "RESALLOC_NAME": "builder_amd64_7",
        }
        for patch in (mock.patch.dict(os.environ, env), mock.patch.object(tempfile, "tempdir", folder.name),
                      mock.patch.object(builder_pods, "attempt", self.answer)):
            patch.start()
            self.addCleanup(patch.stop)

    def answer(self, method: str, resource: str, name: str, body: Any, _tries: int) -> Any:
        """What the API server would answer."""
        if resource == "events":
            self.events.append(body)
        elif resource == "configmaps":
            return {"data": {"builder-amd64.json": '{"metadata": {"labels": {}}, "spec": {}}'}} if name == HOOKS else None
        elif method == "POST" and self.refusal:
            raise builder_pods.Refused(self.refusal)
        elif method == "POST":
            self.pods[body["metadata"]["name"]] = body
        elif method == "DELETE":
            self.pods.pop(name, None)
        return self.pods.get(name)

    def run_hook(self, hook: str, *args: str) -> str:
        """Runs it; returns what it exits with, empty if it succeeded."""
        with mock.patch.object(sys, "argv", [hook, *args]), contextlib.redirect_stderr(io.StringIO()):
            try:
                runpy.run_path(str(HERE / hook), run_name="__main__")
            except SystemExit as end:
                return str(end.code or "")
        return ""

    def told(self) -> list[tuple[str, str]]:
        """Reason and action of every event."""
        return [(event["reason"], event["action"]) for event in self.events]


class CheckTest(HookTest):
    """builder-check."""

    def builder(self, status: dict[str, Any]) -> None:
        self.pods[NAME] = {"metadata": {"annotations": {builder_pods.MADE_FOR: "c1"}}, "status": status}

    def ended(self, **end: Any) -> dict[str, Any]:
        return {"phase": "Failed", "containerStatuses": [{"name": "builder", "state": {"terminated": end}}]}

    def test_a_builder_at_work(self) -> None:
        self.builder({"phase": "Running"})
        self.assertEqual((self.run_hook("builder-check"), self.told()), ("", []))

    def test_what_became_of_a_dead_one_is_told(self) -> None:
        target = {"type": "DisruptionTarget", "status": "True", "message": "m"}
        for status, action in (
            (self.ended(reason="OOMKilled", exitCode=137), "BuilderOutOfMemory"),
            (self.ended(reason="Error", exitCode=255, message="OOMKilled: the kernel killed"), "BuilderOutOfMemory"),
            (self.ended(reason="ContainerStatusUnknown", exitCode=137), "BuilderNodeLost"),
            ({"phase": "Failed", "conditions": [{**target, "reason": "DeletionByTaintManager"}]}, "BuilderNodeLost"),
            ({"phase": "Failed", "conditions": [{**target, "reason": "EvictionByEvictionAPI"}]}, "BuilderEvicted"),
            ({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}, "BuilderEvicted"),
            ({"phase": "Failed", "reason": "OutOfcpu"}, "BuilderLost"),
            (self.ended(reason="Error", exitCode=1), "Crashed"),
        ):
            self.events.clear()
            self.builder(status)
            self.assertIn(NAME, self.run_hook("builder-check"))
            self.assertEqual(self.told(), [("BuilderDied", action)])
            self.assertEqual(self.events[0]["related"]["name"], NAME)
            self.assertEqual(self.events[0]["involvedObject"]["uid"], "abcdef01-2345")

    def test_one_that_vanished_is_lost_unless_resalloc_deletes_it(self) -> None:
        self.assertIn("vanished", self.run_hook("builder-check"))
        self.assertEqual(self.told(), [("BuilderDied", "BuilderLost")])
        self.events.clear()
        self.assertEqual(self.run_hook("builder-delete"), "")
        self.assertIn("is deleted", self.run_hook("builder-check"))
        self.assertEqual(self.told(), [])

    def test_one_whose_dispatcher_is_gone_is_given_back_without_a_word(self) -> None:
        self.builder({"phase": "Running"})
        self.pods["demo-backend-0"] = None
        self.assertIn("is gone", self.run_hook("builder-check"))
        self.assertEqual(self.told(), [])


class NewTest(HookTest):
    """builder-new."""

    def test_a_refused_builder_is_told_in_the_words_of_the_api_server(self) -> None:
        self.refusal = "the API server refused the builder (403): violates PodSecurity"
        self.assertEqual(self.run_hook("builder-new", "amd64"), self.refusal)
        self.assertEqual(self.told(), [("BuilderFailed", "Refused")])
        self.assertEqual(self.events[0]["message"], self.refusal)

    def test_one_that_ends_before_it_is_ready_is_told_and_deleted(self) -> None:
        answer = self.answer

        def ends(method: str, resource: str, name: str, body: Any, tries: int) -> Any:
            if method == "POST" and resource == "pods":
                terminated = {"reason": "Error", "message": "hostUsers: false had no effect"}
                body["status"] = {"phase": "Failed", "containerStatuses": [{"state": {"terminated": terminated}}]}
            return answer(method, resource, name, body, tries)
        with mock.patch.object(builder_pods, "attempt", ends):
            self.assertIn("hostUsers: false had no effect", self.run_hook("builder-new", "amd64"))
        self.assertEqual(self.told(), [("BuilderFailed", "Start")])
        self.assertNotIn(NAME, self.pods)


if __name__ == "__main__":
    unittest.main()
