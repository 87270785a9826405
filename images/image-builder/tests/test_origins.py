"""What is asked of a container, and where its packages came from."""

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from build_image import build, paths
from build_image.failures import Unavailable

SILENT = "copr-keygen|0|2.2|1|noarch|\n"
TOLD = "copr-keygen|0|2.2|1|noarch|copr-operator-pr\n"

# buildah run, on a node so busy that nothing of what the program prints is passed on before buildah ends.
BUILDAH = """\
#!/bin/bash
set -euo pipefail
until [[ $1 == -- ]]; do
    [[ $1 != --volume ]] || volume=$2
    shift
done
shift
exec "${@//"${volume#*:}"/"${volume%%:*}"}" > /dev/null
"""


class AnswerTest(unittest.TestCase):
    """Answers are complete, or there is none."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        buildah = Path(folder.name, "buildah")
        buildah.write_text(BUILDAH)
        buildah.chmod(0o755)
        for patch in (mock.patch.object(paths, "WORK", Path(folder.name)),
                      mock.patch.dict(os.environ, {"PATH": f"{folder.name}:{os.environ['PATH']}"})):
            patch.start()
            self.addCleanup(patch.stop)

    def test_what_buildah_does_not_pass_on_is_there(self) -> None:
        self.assertEqual(build.answer("container", ["printf", "%s|", "a b", "$c"]), "a b|$c|")
        self.assertEqual(build.answer("container", ["seq", "3"]), "1\n2\n3\n")

    def test_a_program_that_fails(self) -> None:
        with self.assertRaises(Unavailable):
            build.answer("container", ["false"])


class ContentsTest(unittest.TestCase):
    """What is asked of an image leaves nothing behind."""

    def test_the_container_goes_when_a_question_fails(self) -> None:
        called: list[list[str]] = []

        def capture(arguments: list[str]) -> bytes:
            called.append(arguments)
            return b"container\n"

        with mock.patch.object(build, "capture", capture), mock.patch.object(build, "answer", side_effect=Unavailable("no rpm")):
            with self.assertRaises(Unavailable):
                build.Contents("localhost/copr-build/keygen:1", took=True)
        self.assertEqual(called[-1], ["buildah", "rm", "container"])


class OriginsTest(unittest.TestCase):
    """An image is never labelled as if it had none of the packages that dnf took."""

    def test_what_took_nothing_has_no_origins(self) -> None:
        self.assertEqual(build.origins(SILENT, took=False), {})

    def test_what_dnf_says(self) -> None:
        self.assertEqual(build.origins(TOLD, took=True), {"copr-keygen-2.2-1.noarch": "copr-operator-pr"})

    def test_silence_is_a_failure_that_another_try_may_mend(self) -> None:
        with self.assertRaises(Unavailable):
            build.origins(SILENT, took=True)
