"""When two failures are the same."""

import unittest

from suite.fingerprint import fingerprint


class FingerprintTest(unittest.TestCase):
    """fingerprint()."""

    def test_what_differs_from_run_to_run(self) -> None:
        for one, other in (
            ("build 7 failed in the RPM stage", "build 1234 failed in the RPM stage"),
            ("still `running` after 50 s", "still `running` after 1,200 s"),
            ("[12:00:01] no route", "[23:59:59] no route"),
            ("rm -r /tmp/tmp.AbCdEfGhIj", "rm -r /tmp/tmp.1234567890"),
            ("HEAD is 5d37cd838218", "HEAD is 0a1b2c3d4e5f"),
            ("create admin/TEST1764147600123456789Fork", "create admin/TEST1764147699987654321Fork"),
        ):
            self.assertEqual(fingerprint([one]), fingerprint([other]), one)

    def test_names_of_one_attempt(self) -> None:
        one = fingerprint(["no project smoke-abcdefabcd-auth-beef"], ("abcdefabcd", "beef", ""))
        self.assertEqual(one, fingerprint(["no project smoke-0123456789-auth-12ab"], ("0123456789", "12ab", "")))

    def test_what_is_another_failure(self) -> None:
        one = fingerprint(["Failed", "keygen", "not signed"])
        self.assertRegex(one, "^[0-9a-f]{16}$")
        self.assertNotEqual(one, fingerprint(["Failed", "keygen", "not found"]))
        self.assertNotEqual(one, fingerprint(["Failed", "backend", "not signed"]))
