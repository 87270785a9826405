"""Where packages came from, when dnf is slow to say so."""

import unittest
from unittest import mock

from build_image import build
from build_image.failures import Unavailable

SILENT = b"copr-keygen|0|2.2|1|noarch|\n"
TOLD = b"copr-keygen|0|2.2|1|noarch|copr-operator-pr\n"


@mock.patch("build_image.build.time.sleep")
class OriginsTest(unittest.TestCase):
    """An image is never labelled as if it had none of the packages that dnf took."""

    def asked(self, took: bool, *answers: bytes) -> dict[str, str]:
        with mock.patch("build_image.build.capture", side_effect=answers):
            return build.origins(["dnf"], took)

    def test_what_took_nothing_has_no_origins(self, _sleep: mock.Mock) -> None:
        self.assertEqual(self.asked(False, SILENT), {})

    def test_a_silent_answer_is_asked_again(self, _sleep: mock.Mock) -> None:
        self.assertEqual(self.asked(True, SILENT, b"", TOLD), {"copr-keygen-2.2-1.noarch": "copr-operator-pr"})

    def test_silence_is_a_failure_that_another_try_may_mend(self, _sleep: mock.Mock) -> None:
        with self.assertRaises(Unavailable):
            self.asked(True, *[SILENT] * build.ANSWERS)
