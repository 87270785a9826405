"""What is made of what rpm and dnf say, of both generations: recorded in said/."""

import os
import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from smoke import packages
from smoke.cli import Result
from smoke.dnf import Dnf, refusal
from suite.errors import TestFailed, Unreachable

# e2e/words/record has what is said now in another folder, and of one dnf.
SAID = Path(os.environ.get("COPR_SAID", Path(__file__).with_name("said")))
DNFS = [dnf for dnf in ("dnf4", "dnf5") if (SAID / f"{dnf}.txt").exists()]
FILE = Path("/tmp/good-1-1.noarch.rpm")


def recorded(dnf: str) -> dict[str, str]:
    """What was printed, by package and command."""
    text = (SAID / f"{dnf}.txt").read_text(encoding="utf-8")
    _, *parts = re.split(r"^=== (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


class KeyringTest(unittest.TestCase):
    """rpmkeys of rpm 4 and of rpm 6, which has other words and refuses what isn't signed."""

    def check(self, dnf: str, package: str) -> TestFailed | None:
        """The verdict on that package."""
        said = recorded(dnf)

        def run(args: list[str], *_: object) -> Result:
            if "--import" in args:
                return Result(0, "", "")
            text = said[f"{package}: rpmkeys {args[3]}"]
            return Result(int(bool(re.search("NOT OK|NOKEY|BAD|NOTFOUND", text))), text, "")

        with tempfile.TemporaryDirectory() as folder, mock.patch.object(packages, "run_program", run):
            try:
                packages.Keyring(Path(folder, "keyring"), Path("key")).check(FILE)
            except TestFailed as failed:
                return failed
        return None

    def test_a_good_signature(self) -> None:
        self.assertTrue(DNFS)
        for dnf in DNFS:
            self.assertIsNone(self.check(dnf, "signed"), dnf)

    def test_bad_ones(self) -> None:
        for dnf in DNFS:
            for package, component, said in (("unsigned", "keygen", "no good signature"), ("foreign", "keygen", "SIGNATURES NOT OK"),
                                             ("tampered", "backend", "is damaged; rpmkeys says: digest: BAD")):
                with self.subTest(dnf=dnf, package=package):
                    failed = self.check(dnf, package)
                    assert failed
                    self.assertEqual(failed.component, component)
                    self.assertIn(said, str(failed))

    def test_sha1(self) -> None:
        for said in ("Header V4 RSA/SHA1 Signature, key ID e5ba0f5d: OK", "Header OpenPGP V4 RSA/SHA1 signature, key ID be2bb96ee5ba0f5d: OK"):
            answers = [Result(0, "", ""), Result(0, f"    {said}\n", ""), Result(0, "x: digests signatures OK", "")]
            with tempfile.TemporaryDirectory() as folder, mock.patch.object(packages, "run_program", side_effect=answers):
                with self.assertRaisesRegex(TestFailed, "SHA-1"):
                    packages.Keyring(Path(folder, "keyring"), Path("key")).check(FILE)


class RefusalTest(unittest.TestCase):
    """Who is to blame when dnf doesn't install."""

    def test_in_the_words_of_both(self) -> None:
        for package, component, said in (
                ("unsigned", "keygen", ("Package good-1-1.noarch.rpm is not signed", "The package is not signed.")),
                ("foreign", "keygen", ("Public key for good-1-1.noarch.rpm is not installed", "wrong key?")),
                ("tampered", "backend", ("Problem opening package", "Problem occurred when opening the package")),
                ("changed", "backend", ("checksum doesn't match", "checksum doesn't match"))):
            for dnf, words in zip(("dnf4", "dnf5"), said, strict=True):
                if dnf not in DNFS:
                    continue
                with self.subTest(dnf=dnf, package=package):
                    failed = refusal(Result(1, recorded(dnf)[f"{package}: dnf install"], ""))
                    assert isinstance(failed, TestFailed)
                    self.assertEqual(failed.component, component)
                    self.assertIn(words, str(failed))

    def test_who_does_not_answer_is_not_wrong(self) -> None:
        for said in ("  - Curl error (7): Could not connect to server for http://x/repodata/repomd.xml",
                     ">>> Curl error (28): Timeout was reached for http://x/repodata/repomd.xml - http://x/repodata/repomd.xml"):
            self.assertIsInstance(refusal(Result(1, said, "Error: Failed to download metadata for repo 'x'")), Unreachable)

    def test_a_key_was_imported_and_something_else_went_wrong(self) -> None:
        for said in ("Importing GPG key 0xE5BA0F5D:\nKey imported successfully\nError: Transaction test error:\n  file /x conflicts between",
                     "Importing OpenPGP key 0xE5BA0F5D:\nTransaction failed: Rpm transaction failed.\n  - file /x conflicts between"):
            failed = refusal(Result(1, said, ""))
            assert isinstance(failed, TestFailed)
            self.assertEqual((failed.component, "conflicts" in str(failed)), ("backend", True))

    def test_nothing_that_is_known(self) -> None:
        self.assertEqual(str(refusal(Result(9, "", "Killed"))), "dnf install: Killed")


class DnfTest(unittest.TestCase):
    """Its settings, and what it has installed."""

    def test_dnf5_is_told_where_to_keep_its_state(self) -> None:
        for version, settings in (("4.23.0\n", 0), ("dnf5 version 5.4.6.0\nlibdnf5 version 5.4.6.0\n", 2)):
            with tempfile.TemporaryDirectory() as folder, \
                    mock.patch("smoke.dnf.run_program", return_value=Result(0, version, "")):
                Dnf(Path(folder), "project", "http://example.org/", "http://example.org/key")
                text = Path(folder, "dnf.conf").read_text(encoding="utf-8")
            self.assertEqual(len(re.findall("^system_(?:state|cache)_?dir=", text, re.MULTILINE)), settings)

    def test_keys_are_no_packages(self) -> None:
        for key in ("gpg-pubkey-e5ba0f5d-6b078729", "gpg-pubkey-2a825dda1c59cc850a310cb2be2bb96ee5ba0f5d-6b078729"):
            with tempfile.TemporaryDirectory() as folder, \
                    mock.patch("smoke.dnf.run_program", return_value=Result(0, f"{key}\ngood-1-1\n", "")):
                dnf = Dnf(Path(folder), "project", "http://example.org/", "http://example.org/key")
                self.assertEqual(dnf.installed(), ["good-1-1"])
