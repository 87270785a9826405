"""What is made of what both dnfs really said: see said/README.md."""

import os
import re
import unittest
from pathlib import Path

from build_image import packages, verdict
from build_image.failures import MirrorAway, PackagesRefused, Unavailable
from build_image.process import Result

# e2e/words/record has what is said now in another folder, and of one dnf.
SAID = Path(os.environ.get("COPR_SAID", Path(__file__).with_name("said")))
DNFS = [(number, dnf) for number, dnf in enumerate(("dnf4", "dnf5")) if (SAID / f"{dnf}.txt").exists()]

# What has to be told of each, by dnf 4 and by dnf 5: the first line, and what else is in one of the lines.
TOLD = {
    "missing": (("No match for argument: no-such-package", "Unable to find a match"),
                ("Failed to resolve the transaction:", "No match for argument: no-such-package")),
    "excluded": (("All matches were filtered out by exclude filtering for argument: good", "Unable to find a match: good"),
                 ("Failed to resolve the transaction:", "Argument 'good' matches only excluded packages.")),
    "needy": (("Error:", "nothing provides nothing-provides-this >= 3 needed by needy-1-1.noarch"),
              ("Failed to resolve the transaction:", "nothing provides nothing-provides-this >= 3 needed by needy-1-1.noarch")),
    "conflicting": (("Error:", "conflicting-1-1.noarch from copr-operator-pr conflicts with good"),
                    ("Failed to resolve the transaction:", "conflicting-1-1.noarch from copr-operator-pr conflicts with good")),
    "clashing": (("Error: Transaction test error:", "file /opt/lab/good conflicts between"),
                 ("Transaction failed: Rpm transaction failed.", "file /opt/lab/good conflicts between")),
    "scripted": (("a scriptlet says so", "%prein(scripted-1-1.noarch) scriptlet failed, exit status 3"),
                 (">>> Running %pre scriptlet: scripted-0:1-1.noarch", "%prein(scripted-1-1.noarch) scriptlet failed, exit status 3")),
    "posted": (None, (">>> Running %post scriptlet: posted-0:1-1.noarch", "%post(posted-1-1.noarch) scriptlet failed, exit status 5")),
    "unsigned": (("Package good-1-1.noarch.rpm is not signed", "GPG check FAILED"),
                 ("Transaction failed: Signature verification failed.", "The package is not signed.")),
    # dnf 4 says one on stdout and the other on stderr, which come by two pipes.
    "foreign": ((("Import of key(s) didn't help, wrong key(s)?", "Public key for good"), "Public key for good-1-1.noarch.rpm is not installed"),
                ("Transaction failed: Signature verification failed.", "Import of the key didn't help, wrong key?")),
    "tampered": (("Problem opening package good-1-1.noarch.rpm", "GPG check FAILED"),
                 ("Transaction failed: Signature verification failed.", "Problem occurred when opening the package.")),
    "keygone": (("Status code: 404 for http://example.org/gone.key", "404"),
                (">>> Status code: 404 for http://example.org/gone.key", "Librepo error: Status code: 404")),
    "key503": (("Status code: 503 for http://example.org/503/one.key", "503"),
               (">>> Status code: 503 for http://example.org/503/one.key", "Librepo error: Status code: 503")),
    "norepomd": (("Error: Failed to download metadata for repo 'copr-operator-pr'", "repomd.xml parser error"),
                 (">>> Parsing unsuccessful", 'for repository "copr-operator-pr"')),
    "badmeta": (("Errors during downloading metadata for repository", "checksum doesn't match"),
                (">>> Downloading successful, but checksum doesn't match", 'for repository "copr-operator-pr"')),
    "changed": (("[MIRROR] good-1-1.noarch.rpm: Downloading successful, but checksum doesn't match", "good-1-1.noarch"),
                (">>> Downloading successful, but checksum doesn't match", "Cannot download good-1-1.noarch.rpm")),
    "nospacecache": (("[MIRROR] large-1-1.noarch.rpm: Curl error (23)", "Failed writing received data"),
                     (">>> Curl error (23)", "Failed writing received data")),
    "nospaceroot": (("Error: Transaction test error:", "needs 23MB more space on the /opt filesystem"),
                    ("Transaction failed: Rpm transaction failed.", "needs 23MB more space on the /opt filesystem")),
}
METADATA = {"401": "Status code: 401", "404": "Status code: 404", "429": "Status code: 429", "503": "Status code: 503",
            "refused": "Curl error (7)", "nohost": "Curl error (", "reset": "Curl error (56)", "hang": "Curl error (28)"}
PACKAGE = {"pkg404": "Status code: 404", "pkg429": "Status code: 429", "pkg503": "Status code: 503",
           "pkgcut": "Curl error (18)", "pkghang": "Curl error (28)"}
TOLD |= {name: (("Errors during downloading metadata for repository 'copr-operator-pr':", said), (f">>> {said}", 'for repository "copr-operator-pr"'))
         for name, said in METADATA.items()}
TOLD |= {name: ((f"[MIRROR] good-1-1.noarch.rpm: {said}", "good-1-1.noarch: Cannot download"), (f">>> {said}", "Cannot download good-1-1.noarch.rpm"))
         for name, said in PACKAGE.items()}

# Whose fault it is.
PACKAGES = {"missing", "excluded", "needy", "conflicting", "clashing", "scripted", "posted", "unsigned", "foreign", "tampered"}
MACHINERY = {"nospacecache", "nospaceroot"}
MIRROR = METADATA.keys() | PACKAGE.keys() | {"badmeta", "norepomd", "changed", "keygone", "key503"}

# Neither progress nor advice nor buildah's own words.
NEVER = re.compile(r"B/s|^\[\d|^-+$|^=+$|skip-broken|allowerasing|skip-unavailable|subprocess|building at|^STEP|skipped OpenPGP"
                   r"|Transaction Summary|Total size|Total download|Downloading Packages|successfully")


def recorded(dnf: str) -> dict[str, list[str]]:
    """The lines of each section, as process.run has them: without those that are empty."""
    text = (SAID / f"{dnf}.txt").read_text()
    _, *parts = re.split(r"^=== (\S+)\n", text, flags=re.MULTILINE)
    return {name: [line for line in part.splitlines() if line] for name, part in zip(parts[::2], parts[1::2], strict=True)}


class SaidTest(unittest.TestCase):
    """Both dnfs, everything that was recorded."""

    def test_the_reason_is_told(self) -> None:
        self.assertTrue(DNFS)
        for number, dnf in DNFS:
            found = recorded(dnf)
            self.assertEqual(set(found), {name for name, told in TOLD.items() if told[number]}, dnf)
            for name, lines in found.items():
                with self.subTest(dnf=dnf, name=name):
                    told = verdict.of_failed_build(Result(1, lines)).lines
                    first, other = TOLD[name][number]
                    self.assertTrue(told[0].startswith(first), told)
                    self.assertTrue(any(other in line for line in told), told)
                    self.assertEqual([line for line in told if NEVER.search(line)], [])
                    self.assertLess(len("\n".join(told)), 2500)

    def test_whose_fault_it_is(self) -> None:
        for _, dnf in DNFS:
            for name, lines in recorded(dnf).items():
                with self.subTest(dnf=dnf, name=name):
                    failure = verdict.of_failed_build(Result(1, lines))
                    if name in PACKAGES:
                        self.assertIsInstance(failure, PackagesRefused)
                    elif name in MIRROR:
                        self.assertIsInstance(failure, MirrorAway)
                    else:
                        self.assertIn(name, MACHINERY)
                        self.assertIs(type(failure), Unavailable)

    def test_progress_is_no_reason(self) -> None:
        """When the command's last words were lost, nothing is told."""
        for dnf, name, last in (("dnf4", "unsigned", "Total   "), ("dnf4", "needy", "pr  "), ("dnf5", "unsigned", "Running transaction"),
                                ("dnf5", "needy", "Repositories loaded"), ("dnf5", "scripted", "[2/3] Prepare transaction")):
            if dnf not in dict(DNFS).values():
                continue
            lines = recorded(dnf)[name]
            heard = lines[:next(number for number, line in enumerate(lines) if line.startswith(last)) + 1]
            with self.subTest(dnf=dnf, name=name):
                self.assertEqual(verdict.said([*heard, *lines[-3:]]), [])


class OriginsTest(unittest.TestCase):
    """dnf repoquery --installed, as image-builder asks."""

    DNF4 = ("copr-frontend|0|2.7|1.standin|noarch|copr-operator-standin\n\ndebian-provides|0|13|1.standin.fc44|noarch|\n\n")
    DNF5 = ("copr-frontend|0|2.7|1.standin|noarch|copr-operator-standin\ndebian-provides|0|sid|1.standin.fc44|noarch|<unknown>\n")

    def test_what_dnf_did_not_install_comes_from_nowhere(self) -> None:
        for said in (self.DNF4, self.DNF5):
            self.assertEqual(packages.parse_origins(said), {"copr-frontend-2.7-1.standin.noarch": "copr-operator-standin"})
