"""What is made of buildah's output."""

import unittest

from build_image import verdict
from build_image.failures import BuildFailure, MirrorAway, PackagesRefused, Unavailable
from build_image.process import Result

STEP = "STEP 3/9: RUN dnf -y install copr-keygen gnupg2"
END = """\
subprocess exited with status 1
subprocess exited with status 1
Error: building at STEP "RUN dnf -y install copr-keygen gnupg2": exit status 1"""

# As dnf 4 says it.
GONE = """\
standin                                         1.2 MB/s | 4.1 kB     00:00
gone                                             78 kB/s | 335  B     00:00
Errors during downloading metadata for repository 'gone':
  - Status code: 404 for http://example.org/gone/repodata/repomd.xml (IP: 192.0.2.1)
Error: Failed to download metadata for repo 'gone': Cannot download repomd.xml: All mirrors were tried"""
UNSOLVABLE = """\
Last metadata expiration check: 0:00:01 ago on Tue Nov 24 15:00:00 2026.
Error:
 Problem: conflicting requests
  - nothing provides nothing-provides-this >= 3 needed by copr-keygen-9-1.noarch from pr
(try to add '--skip-broken' to skip uninstallable packages)"""
UNSIGNED = """\
Dependencies resolved.
================================================================================
 Package                  Arch        Version                Repository    Size
================================================================================
Installing:
 copr-keygen              noarch      2.2-1.standin          standin       11 k
Transaction Summary
================================================================================
Downloading Packages:
(1/1): copr-keygen-2.2-1.standin.noarch.rpm     3.7 MB/s |  11 kB     00:00
--------------------------------------------------------------------------------
Total                                           5.7 MB/s |  58 kB     00:00
Package copr-keygen-2.2-1.standin.noarch.rpm is not signed
Error: GPG check FAILED"""
SCRIPTLET = """\
Running transaction
  Preparing        :                                                        1/1
  Running scriptlet: copr-keygen-9-1.noarch                                 1/1
error: %prein(copr-keygen-9-1.noarch) scriptlet failed, exit status 3
Error in PREIN scriptlet in rpm package copr-keygen
  Verifying        : copr-keygen-9-1.noarch                                 1/1
Failed:
  copr-keygen-9-1.noarch
Error: Transaction failed"""
# As dnf 5 says it.
GONE_5 = """\
Updating and loading repositories:
 gone                                   100% |   3.1 KiB/s | 335.0   B |  00m00s
>>> Status code: 404 for http://example.org/gone/repodata/repomd.xml (IP: 192.0.2.1)
>>> Usable URL not found
Failed to download metadata (baseurl: "http://example.org/gone") for repository "gone"
 Usable URL not found"""
MISSING_5 = """\
Updating and loading repositories:
 pr                                     100% |  42.6 KiB/s |   3.7 KiB |  00m00s
Repositories loaded.
Package "gnupg2-2.4.9-1.fc44.x86_64" is already installed.
Failed to resolve the transaction:
No match for argument: copr-keygen
You can try to add to command line:
  --skip-unavailable to skip unavailable packages"""


def judge(said: str, end: str = END) -> BuildFailure:
    """The verdict on a build whose third step says this."""
    lines = ["STEP 2/9: RUN useradd x", "error: an older one", STEP, *said.splitlines(), *end.splitlines()]
    return verdict.of_failed_build(Result(1, lines))


class VerdictTest(unittest.TestCase):
    """Whose fault it is, and what is said."""

    def test_packages(self) -> None:
        failure = judge(UNSOLVABLE)
        self.assertIsInstance(failure, PackagesRefused)
        self.assertEqual(failure.summary, "failed at: RUN dnf -y install copr-keygen gnupg2")

    def test_the_words_of_dnf(self) -> None:
        for said, first, last in (
                (GONE, "Errors during downloading metadata for repository 'gone':", "Error: Failed to download metadata"),
                (UNSOLVABLE, "Error:", "  - nothing provides nothing-provides-this >= 3"),
                (UNSIGNED, "Package copr-keygen-2.2-1.standin.noarch.rpm is not signed", "Error: GPG check FAILED"),
                (SCRIPTLET, "error: %prein(copr-keygen-9-1.noarch) scriptlet failed", "Error: Transaction failed"),
                (GONE_5, ">>> Status code: 404", " Usable URL not found"),
                (MISSING_5, "Failed to resolve the transaction:", "No match for argument: copr-keygen")):
            with self.subTest(first=first):
                lines = judge(said).lines
                self.assertTrue(lines[0].startswith(first), lines)
                self.assertTrue(lines[-1].startswith(last), lines)

    def test_a_command_without_a_word(self) -> None:
        self.assertEqual(judge("").lines, [])

    def test_a_command_that_complains_in_no_known_way(self) -> None:
        self.assertEqual(judge("one\ntwo").lines, ["one", "two"])

    def test_whose_fault_it_is(self) -> None:
        for said, kind in ((GONE, MirrorAway), (UNSOLVABLE, PackagesRefused), (UNSIGNED, PackagesRefused),
                           (SCRIPTLET, PackagesRefused), (GONE_5, MirrorAway), (MISSING_5, PackagesRefused), ("", Unavailable)):
            with self.subTest(said=said):
                self.assertIs(type(judge(said)), kind)

    def test_other_words_of_buildah(self) -> None:
        older = 'Error: building at STEP "RUN dnf -y install copr-keygen": while running runtime: exit status 1'
        self.assertIsInstance(judge(UNSOLVABLE, older), PackagesRefused)

    def test_what_another_try_may_help(self) -> None:
        for said, end in (
                ("Error: [Errno 28] No space left on device: '/var/cache/dnf/x'", END),
                ("installing package copr-keygen needs 30MB more space on the / filesystem", END),
                ("", END.replace("exit status 1", "exit status 137")),
                ("error setting capabilities for process: operation not permitted", END),
                ("", 'Error: committing container for step {Env:[]}: writing blob: no space left on device'),
                ("", 'Error: building at STEP "COPY run-redis /usr/local/bin/": copier: put: error')):
            with self.subTest(said=said, end=end):
                self.assertIsInstance(judge(said, end), Unavailable)

    def test_buildah_killed(self) -> None:
        failure = verdict.of_failed_build(Result(-9, [STEP, "Dependencies resolved."]))
        self.assertIsInstance(failure, Unavailable)

    def test_long_instructions_are_cut(self) -> None:
        self.assertEqual(len(verdict.last_step([f"STEP 1/1: RUN {'x' * 500}"])), 160)
        self.assertEqual(verdict.last_step([]), "the start")
