"""In which order things get to the registry."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from build_image import paths, push, referrer
from build_image.failures import Unavailable
from build_image.process import Result
from build_image.request import Image

IMAGE = Image("r.example.org:5000", "team/copr-frontend", "1")
MANIFEST = b'{"mediaType":"application/vnd.oci.image.manifest.v1+json"}'
DIGEST = referrer.digest_of(MANIFEST)


class PushTest(unittest.TestCase):
    """The tag is the last thing that a registry gets."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for patch in (mock.patch.object(paths, "WORK", Path(folder.name)), mock.patch.object(push, "run", self.run_program),
                      mock.patch.object(push, "capture", lambda command: MANIFEST)):
            patch.start()
            self.addCleanup(patch.stop)
        self.targets: list[str] = []
        self.registry = mock.Mock()

    def run_program(self, command: list[str]) -> Result:
        """Stands for buildah and skopeo."""
        self.targets.append(command[-1])
        if "--digestfile" in command:
            Path(command[command.index("--digestfile") + 1]).write_text(f"{DIGEST}\n")
        return Result(0, [])

    def test_the_tag_comes_last(self) -> None:
        digest = push.push("localhost/built", IMAGE, self.registry)
        push.attach(lambda of: f'{{"of":"{of}"}}', IMAGE, digest, "application/vnd.cyclonedx+json", self.registry)
        push.tag(IMAGE, digest, self.registry)
        repository = "docker://r.example.org:5000/team/copr-frontend"
        self.assertEqual(self.targets, [
            f"{repository}@@unknown-digest@@", f"{repository}:{referrer.fallback_tag(DIGEST)}", f"{repository}:1"])
        self.assertEqual(self.registry.log_in.call_count, 4)

    def test_a_look_that_fails_for_a_moment(self) -> None:
        answers = iter([Unavailable("skopeo inspect ended with 1", ["received unexpected HTTP status: 503 Service Unavailable"]),
                        MANIFEST])

        def capture(_: list[str]) -> bytes:
            answer = next(answers)
            if isinstance(answer, Unavailable):
                raise answer
            return answer

        with mock.patch.object(push, "capture", capture), mock.patch.object(push.retry.time, "sleep"):
            push.attach(lambda of: "{}", IMAGE, DIGEST, "application/vnd.cyclonedx+json", self.registry)
        self.assertEqual(len(self.targets), 1)

    def test_a_registry_that_has_something_else(self) -> None:
        with self.assertRaisesRegex(Unavailable, "something else"):
            push.attach(lambda of: "", IMAGE, "sha256:ab", "application/vnd.cyclonedx+json", self.registry)
        self.assertEqual(self.targets, [])
