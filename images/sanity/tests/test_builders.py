"""Builders: who has them, and when they are gone."""

import time
import unittest
from types import SimpleNamespace
from typing import Any
from unittest import mock

from smoke import builders
from smoke.builds import Build, Progress, had_builder, others_at_work
from smoke.cases.parallel_builds import time_for_another, verdict
from suite.errors import TestError, TestFailed
from suite.wait import Deadline


class Api:
    """Builds by number."""

    def __init__(self, **builds: Any) -> None:
        self.known = {int(number[1:]): build for number, build in builds.items()}

    def find_build(self, number: int) -> Any | None:
        """The build of that number."""
        build = self.known.get(number)
        return SimpleNamespace(id=number, started_on=None, ended_on=None, **{"state": "pending", **build}) if build else None


def test_with(api: Any = None, seconds: float = 100) -> Any:
    """The little of a context that these need."""
    return SimpleNamespace(api=api, deadline=Deadline(seconds), component="", step=lambda *_: None, ended=lambda *_: None)


class OthersTest(unittest.TestCase):
    """Builds of others that hold builders."""

    def test_what_runs_and_what_ran_meanwhile(self) -> None:
        ended = SimpleNamespace(state="succeeded", started_on=90, ended_on=110)
        self.assertTrue(had_builder(SimpleNamespace(state="running", started_on=90, ended_on=None), 100))
        self.assertTrue(had_builder(ended, 100))
        self.assertFalse(had_builder(ended, 111))
        self.assertFalse(had_builder(SimpleNamespace(state="starting", started_on=None, ended_on=None), 100))
        self.assertFalse(had_builder(SimpleNamespace(state="canceled", started_on=None, ended_on=110), 100))

    def test_ones_own_do_not_count(self) -> None:
        api = Api(b7={"state": "running"}, b8={"state": "running"}, b9={"state": "starting"})
        self.assertEqual(others_at_work(test_with(api), {8}, 0), [7])

    def test_parallel_builds_fail_only_if_nobody_else_had_builders(self) -> None:
        busy = verdict(4, 3, [7, 9])
        self.assertIsInstance(busy, TestError)
        self.assertIn("no more than 3 ran at the same time, while builds 7, 9 of others held builders", str(busy))
        self.assertIsInstance(verdict(4, 3, []), TestFailed)

    def test_rounds_go_on_while_there_is_time_for_one(self) -> None:
        self.assertTrue(time_for_another(1500, 100))
        self.assertFalse(time_for_another(200, 100))

    def waiting(self, api: Api) -> Exception:
        """How a build ends that never gets a builder."""
        test = test_with(api, seconds=0)
        build = Build(test, "p", 8, "x")
        with mock.patch.object(Build, "progress", lambda _self: Progress("starting", "RPM", None)), \
                mock.patch.object(Build, "blamed", lambda _self, _progress: "resalloc"), \
                self.assertRaises((TestError, TestFailed)) as caught:
            build.wait_for_end()
        return caught.exception

    def test_a_build_that_waits_for_a_builder_that_others_have_is_no_failure(self) -> None:
        busy = self.waiting(Api(b7={"state": "running"}))
        self.assertIsInstance(busy, TestError)
        self.assertIn("while build 7 of others held builders", str(busy))
        self.assertIsInstance(self.waiting(Api(b7={"state": "starting"})), TestFailed)

    def test_a_build_that_failed_after_it_had_waited_has_a_reason_of_its_own(self) -> None:
        test = test_with(Api(b7={"state": "running"}), seconds=60)
        test.chroot = "fedora-44-x86_64"
        states = iter([Progress("starting", "RPM", None), Progress("failed", "RPM", None)])
        with mock.patch.object(Build, "progress", lambda _self: next(states)), \
                mock.patch.object(Build, "blamed", lambda _self, _progress: "resalloc"), \
                mock.patch.object(Build, "log", lambda _self, _stage, _name: ""), \
                self.assertRaises(TestFailed) as caught:
            Build(test, "p", 8, "x").wait_for_end()
        self.assertIn("build 8 failed in the RPM stage", str(caught.exception))


class ReleaseTest(unittest.TestCase):
    """wait_until_released()."""

    def test_all_are_asked_at_once(self) -> None:
        def slow(_builder: builders.Builder) -> bool:
            time.sleep(0.3)
            return False
        gone = [builders.Builder(f"10.0.0.{i}") for i in range(8)]
        began = time.monotonic()
        with mock.patch.object(builders.Builder, "answers", slow):
            builders.wait_until_released(test_with(), gone, 10)
        self.assertLess(time.monotonic() - began, 1.5)
