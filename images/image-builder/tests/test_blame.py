"""Whose fault a failed RUN is."""

import unittest

from build_image import blame
from build_image.blame import Blame

DNF = "RUN dnf -y install copr-keygen gnupg2"

# As dnf 4 says it.
MIRROR = (
    "Error: Failed to download metadata for repo 'x': Cannot download repomd.xml: All mirrors were tried",
    "[FAILED] a.rpm: Status code: 504 for http://example.org/a.rpm (IP: 192.0.2.1)",
    "Error: Error downloading packages:\n  Cannot download a.rpm: All mirrors were tried",
    "  - Curl error (6): Couldn't resolve host name for http://example.org/ [Could not resolve host: example.org]",
    "  - Curl error (7): Couldn't connect to server for http://example.org/ [Failed to connect: Connection refused]",
    "  - Curl error (28): Timeout was reached for http://example.org/ [Operation too slow. Less than 1000 bytes/sec]",
    "  - Curl error (56): Failure when receiving data from the peer [Recv failure: Connection reset by peer]",
    "  - Status code: 429 for http://example.org/repodata/repomd.xml (IP: 192.0.2.1)",
    "  - Downloading successful, but checksum doesn't match. Calculated: ab(sha256) Expected: cd(sha256)",
    # It goes on without it, and then lacks what it would have had.
    "Ignoring repositories: updates\nError:\n Problem: nothing provides x needed by copr-keygen-1-1.noarch",
)
PACKAGES = (
    "Error:\n Problem: conflicting requests\n  - nothing provides x >= 3 needed by copr-keygen-9-1.noarch from pr",
    "No match for argument: copr-keygen\nError: Unable to find a match: copr-keygen",
    "Error: \n Problem: package a-1-1.noarch conflicts with b provided by b-1-1.noarch",
    "Package copr-keygen-2.2-1.noarch.rpm is not signed\nError: GPG check FAILED",
    "error: %prein(copr-keygen-9-1.noarch) scriptlet failed, exit status 3\nError: Transaction failed",
    "Error: Transaction test error:\n  file /usr/bin/x from install of a-1-1 conflicts with file from package b-1-1",
    "Error unpacking rpm package a-1-1.noarch\nerror: unpacking of archive failed: cpio: Bad magic",
    # An attempt that the next mirror made up for is none.
    "[MIRROR] a.rpm: Curl error (28): Timeout was reached for http://example.org/a.rpm\nNo match for argument: copr-keygen",
)


class BlameTest(unittest.TestCase):
    """Only dnf's own no is the packages' fault."""

    def test_mirrors(self) -> None:
        self.assertEqual([text for text in MIRROR if blame.of(DNF, text.splitlines()) is not Blame.MIRROR], [])

    def test_packages(self) -> None:
        self.assertEqual([text for text in PACKAGES if blame.of(DNF, text.splitlines()) is not Blame.PACKAGES], [])

    def test_what_nobody_knows(self) -> None:
        for text in ("", "Error: something else", "Traceback (most recent call last):"):
            self.assertIs(blame.of(DNF, text.splitlines()), Blame.UNKNOWN)
            self.assertIs(blame.of("RUN dnf5 -y install x", text.splitlines()), Blame.UNKNOWN)

    def test_a_step_without_dnf_would_fail_again(self) -> None:
        self.assertIs(blame.of("RUN chown copr-fe /srv", ["chown: invalid user: 'copr-fe'"]), Blame.PACKAGES)
