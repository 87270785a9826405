"""resalloc's hooks, with an API server of a few lines in place of the real one's client."""

import contextlib
import datetime
import hashlib
import io
import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import time
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
        self.slept: list[float] = []
        self.refusal = ""
        self.manifest = '{"metadata": {"labels": {}}, "spec": {}}'
        # What resalloc says of whose the builder is; nothing where it can't be asked.
        self.ticket: dict[str, Any] | None = {"ticket_id": 4}
        self.asked = 0
        env = {
            "COPR_INSTANCE": "demo", "BACKEND_POD": "demo-backend-0", "POD_NAME": "demo-resalloc-0", "POD_NAMESPACE": "team",
            "POD_UID": "abcdef01-2345", "RESALLOC_ID": "7", "RESALLOC_NAME": "builder_amd64_7",
        }
        for patch in (mock.patch.dict(os.environ, env), mock.patch.object(tempfile, "tempdir", folder.name),
                      mock.patch.object(builder_pods, "attempt", self.answer), mock.patch.object(subprocess, "run", self.maint),
                      mock.patch.object(time, "sleep", self.sleep)):
            patch.start()
            self.addCleanup(patch.stop)

    def answer(self, method: str, resource: str, name: str, body: Any, _tries: int) -> Any:
        """What the API server would answer."""
        if resource == "events":
            self.events.append(body)
        elif resource == "configmaps":
            return {"data": {"builder-amd64.json": self.manifest}} if name == HOOKS else None
        elif method == "POST" and self.refusal:
            raise builder_pods.Refused(self.refusal)
        elif method == "POST":
            self.pods[body["metadata"]["name"]] = body
        elif method == "DELETE":
            self.pods.pop(name, None)
        return self.pods.get(name)

    def maint(self, command: list[str], **_options: Any) -> Any:
        """resalloc-maint."""
        self.assertEqual(command, ["resalloc-maint", "resource-info", "7"])
        self.asked += 1
        if self.ticket is None:
            raise FileNotFoundError("resalloc-maint")
        return mock.Mock(stdout=json.dumps(self.ticket))

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.slept.append(seconds)
        if len(self.slept) == 3:
            self.pods["demo-backend-0"] = BACKEND

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

    def test_one_that_no_build_had_is_no_accident(self) -> None:
        self.ticket = {"ticket_id": None}
        self.builder(self.ended(reason="Error", exitCode=1))
        self.assertIn("no build had it", self.run_hook("builder-check"))
        del self.pods[NAME]
        self.assertIn("no build had it", self.run_hook("builder-check", "amd64", "warm"))
        self.assertEqual(self.told(), [])
        # Who can't be asked said nothing.
        self.ticket = None
        self.assertIn("vanished", self.run_hook("builder-check"))
        self.assertEqual(self.told(), [("BuilderDied", "BuilderLost")])

    def warm(self, hours: float) -> None:
        """A builder that was made from the present manifest so long ago."""
        self.builder({"phase": "Running"})
        created = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=hours)
        self.pods[NAME]["metadata"]["creationTimestamp"] = created.strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hashlib.sha256(self.manifest.encode()).hexdigest()[:16]
        self.pods[NAME]["metadata"]["annotations"][builder_pods.MADE_FROM] = digest

    def test_an_idle_one_is_replaced_when_it_is_old_or_another_would_be_made_now(self) -> None:
        self.ticket = {"ticket_id": None}
        self.warm(5.9)
        self.assertEqual(self.run_hook("builder-check", "amd64", "warm"), "")
        self.assertEqual(self.asked, 0, "resalloc is asked when it matters")
        self.warm(6.1)
        self.assertIn("waits for a build since", self.run_hook("builder-check", "amd64", "warm"))
        self.warm(1)
        self.manifest = self.manifest.replace("{}}", "{}, \"x\": 1}", 1)
        self.assertIn("is not what", self.run_hook("builder-check", "amd64", "warm"))
        self.assertEqual(self.run_hook("builder-check", "amd64"), "", "of builders on demand each has its build")
        self.assertEqual(self.told(), [])

    def test_one_that_a_build_has_stays_and_resalloc_is_asked_once(self) -> None:
        self.warm(20)
        for _ in range(3):
            self.assertEqual(self.run_hook("builder-check", "amd64", "warm"), "")
        self.assertEqual(self.asked, 1)
        self.ticket = None
        self.setUp()
        self.warm(20)
        self.ticket = None
        self.assertEqual(self.run_hook("builder-check", "amd64", "warm"), "", "who can't be asked may have it")

    def test_one_whose_dispatcher_is_gone_is_given_back_without_a_word(self) -> None:
        self.builder({"phase": "Running"})
        self.pods["demo-backend-0"] = None
        self.assertIn("is gone", self.run_hook("builder-check"))
        self.assertEqual(self.told(), [])


class NewTest(HookTest):
    """builder-new."""

    def starts(self) -> Any:
        """An API server of a cluster that starts what it is given."""
        answer = self.answer

        def starts(method: str, resource: str, name: str, body: Any, tries: int) -> Any:
            if method == "POST" and resource == "pods":
                body["status"] = {"podIP": "::1", "conditions": [{"type": "Ready", "status": "True"}]}
            return answer(method, resource, name, body, tries)
        greeting = mock.MagicMock()
        greeting.return_value.__enter__.return_value.recv.return_value = b"SSH-"
        for patch in (mock.patch.object(builder_pods, "attempt", starts), mock.patch.object(socket, "create_connection", greeting)):
            patch.start()
            self.addCleanup(patch.stop)

    def test_it_says_what_it_was_made_for_and_from(self) -> None:
        self.starts()
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            self.assertEqual(self.run_hook("builder-new", "amd64"), "")
        self.assertEqual(printed.getvalue(), f'---\nhost: "::1"\nname: {NAME}\nssh_port: 22\n')
        digest = hashlib.sha256(self.manifest.encode()).hexdigest()[:16]
        self.assertEqual(self.pods[NAME]["metadata"]["annotations"],
                         {builder_pods.MADE_FOR: "c1", builder_pods.MADE_FROM: digest})

    def test_a_warm_one_waits_for_a_dispatcher_and_is_not_tried_again_at_once(self) -> None:
        self.starts()
        self.pods["demo-backend-0"] = None
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(self.run_hook("builder-new", "amd64", "warm"), "")
        self.assertEqual((self.slept, self.pods[NAME]["metadata"]["annotations"][builder_pods.MADE_FOR]), ([1, 1, 1], "c1"))
        self.slept.clear()
        self.refusal = "no"
        self.assertEqual(self.run_hook("builder-new", "amd64", "warm"), "no")
        self.assertEqual((self.slept, self.told()), ([15], [("BuilderFailed", "Refused")]))

    def test_without_a_dispatcher_nothing_is_made_nor_told(self) -> None:
        self.starts()
        self.pods["demo-backend-0"] = None
        moments = iter(range(0, 10_000, 100))
        with mock.patch.object(time, "monotonic", lambda: next(moments)), mock.patch.object(time, "sleep"):
            self.assertEqual(self.run_hook("builder-new", "amd64", "warm"), "no build dispatcher runs")
        self.assertEqual((self.told(), NAME in self.pods), ([], False))

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
