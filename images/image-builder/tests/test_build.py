"""How buildah is called."""

import os
import resource
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from build_image import build, paths
from build_image.downloads import Downloads
from build_image.failures import MirrorAway, PackagesRefused, Unavailable
from build_image.process import Result
from build_image.request import Image, Request

REQUEST = Request("frontend", Image("r.example.org", "copr-frontend", "1"), "base", {"BASE": "r.example.org/base@sha256:ab"},
                  [], {}, False, False)


def failed(said: str) -> Result:
    """A step of dnf that ends with these words."""
    return Result(1, ["STEP 2/3: RUN dnf -y install x", said, 'Error: building at STEP "RUN dnf -y install x": exit status 1'])


FAILED = failed("Error: Unable to find a match: x")
AWAY = failed("Error: Failed to download metadata for repo 'x': Cannot download repomd.xml: All mirrors were tried")


class BuildTest(unittest.TestCase):
    """Mounts, another try, labels."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.kept = Downloads(self.folder / "kept")
        self.mirror = mock.Mock(gone=[])
        self.pauses: list[float] = []
        patch = mock.patch.object(paths, "CONTAINERS", self.folder / "containers")
        patch.start()
        self.addCleanup(patch.stop)

    def build(self, *results: Result) -> list[list[str]]:
        """Builds with these results and returns the commands."""
        with mock.patch.object(build, "run", side_effect=results) as run:
            try:
                build.build(REQUEST, Path("/context"), Path("/repositories"), self.kept, self.mirror, self.pauses.append)
            finally:
                self.commands = [call.args[0] for call in run.call_args_list]
        return self.commands

    def test_what_is_mounted(self) -> None:
        (command,) = self.build(Result(0, []))
        self.assertIn("/repositories:/etc/distro.repos.d:ro", command)
        self.assertIn(f"{self.kept.folder}/dnf:/var/cache/dnf", command)
        self.assertIn("BASE=r.example.org/base@sha256:ab", command)

    def test_an_earlier_download_is_not_to_blame(self) -> None:
        (self.kept.folder / "dnf/package.rpm").touch()
        _, second = self.build(FAILED, Result(0, []))
        self.assertIn(f"{self.folder}/containers/downloads/dnf:/var/cache/dnf", second)
        self.assertEqual(os.listdir(self.kept.folder / "dnf"), [])

    def test_a_failure_whose_reason_was_lost_is_tried_again(self) -> None:
        silent = Result(1, [FAILED.lines[0], FAILED.lines[-1]])
        with self.assertRaises(PackagesRefused) as raised:
            self.build(silent, FAILED)
        self.assertEqual(raised.exception.lines, FAILED.lines[1:-1])
        self.assertEqual(len(self.commands), 2)

    def test_packages_are(self) -> None:
        with self.assertRaises(PackagesRefused):
            self.build(FAILED)
        self.assertEqual((len(self.commands), self.pauses), (1, []))

    def test_a_mirror_that_is_away_is_waited_for_with_growing_pauses(self) -> None:
        with mock.patch.object(build.random, "uniform", return_value=1.0):
            self.build(AWAY, AWAY, AWAY, Result(0, []))
        self.assertEqual(self.pauses, [5, 10, 20])

    def test_one_that_stays_away_is_not_the_packages_fault(self) -> None:
        with mock.patch.object(build, "LIMIT", 0.0), self.assertRaises(MirrorAway):
            self.build(AWAY)

    def test_what_was_given_up_is_why_whatever_dnf_makes_of_it(self) -> None:
        self.mirror.gone = ["repository pr: https://pr.example/x.rpm answered 504 Gateway Timeout"]
        with mock.patch.object(build, "LIMIT", 0.0), self.assertRaises(MirrorAway) as raised:
            self.build(FAILED)
        self.assertEqual(raised.exception.lines[0], self.mirror.gone[0])

    def test_what_nobody_knows_is_left_to_the_next_pod(self) -> None:
        with self.assertRaises(Unavailable) as raised:
            self.build(failed("Error: something else"))
        self.assertEqual((raised.exception.exit_code, self.pauses), (2, []))

    def test_no_limit_is_raised(self) -> None:
        pid_max = self.folder / "pid_max"
        pid_max.write_text("32768\n")
        for hard, processes in [(96365, 32768), (1000, 1000), (resource.RLIM_INFINITY, 32768)]:
            with mock.patch.object(resource, "getrlimit", return_value=(1, hard)):
                self.assertEqual(build.limits(pid_max), ["--ulimit", f"nofile={hard}:{hard}", "--ulimit", f"nproc={processes}:{processes}"])

    def test_labels_are_no_variables(self) -> None:
        labels = {"url": "http://example.org/$releasever/${basearch}", "json": '{"a":["b\\c"]}'}
        self.assertEqual(build.label_instruction("localhost/copr-build/frontend:1", labels), (
            "FROM localhost/copr-build/frontend:1\n"
            r'LABEL "json"="{\"a\":[\"b\\c\"]}" "url"="http://example.org/\$releasever/\${basearch}"' "\n"))
