"""What every suite reads of its environment, and what it says of what is wrong there."""

import unittest
from pathlib import Path
from tempfile import NamedTemporaryFile

from suite import settings
from suite.errors import TestError


class SettingsTest(unittest.TestCase):
    """Reading the environment."""

    def test_a_deadline_is_a_number_above_0(self):
        self.assertIsNone(settings.deadline({}))
        self.assertIsNone(settings.deadline({"TEST_DEADLINE_SECONDS": ""}))
        self.assertEqual(settings.deadline({"TEST_DEADLINE_SECONDS": "900"}), 900)
        for wrong in ("0", "-1", "soon", "nan", "inf"):
            with self.assertRaisesRegex(TestError, f"TEST_DEADLINE_SECONDS is '{wrong}'"):
                settings.deadline({"TEST_DEADLINE_SECONDS": wrong})

    def test_what_is_missing_is_named(self):
        with self.assertRaisesRegex(TestError, "no FRONTEND_URL"):
            settings.required({"FRONTEND_URL": ""}, "FRONTEND_URL")
        self.assertEqual(settings.required({"CHROOT": "x"}, "CHROOT"), "x")

    def test_the_configuration_must_be_readable(self):
        with self.assertRaisesRegex(TestError, "/nowhere"):
            settings.client_config({"COPR_CLIENT_CONFIG": "/nowhere"})
        with NamedTemporaryFile() as file:
            self.assertEqual(settings.client_config({"COPR_CLIENT_CONFIG": file.name}), Path(file.name))


if __name__ == "__main__":
    unittest.main()
