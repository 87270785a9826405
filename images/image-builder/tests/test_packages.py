"""What rpm and dnf answer."""

import json
import unittest

from build_image import packages
from build_image.failures import PackagesRefused, RepositoriesChanged
from build_image.request import Repository

RPM = (
    "gpg-pubkey\t0\t8725e6b3\t6743a1b2\t(none)\tpubkey\t(none)\t(none)\t(none)\n"
    "shadow-utils\t2\t4.17.0\t1.fc44\tx86_64\tBSD-3-Clause AND GPL-2.0-or-later\tFedora Project\tshadow-utils-4.17.0-1.fc44.src.rpm\taa\n"
    "copr-keygen\t0\t2.2\t1.standin\tnoarch\tGPL-2.0-or-later\t(none)\tcopr-keygen-2.2-1.standin.src.rpm\tbb\n"
)
# dnf 4 ends each answer with a newline more; a package of the base image may be of no repository.
DNF4 = "copr-keygen|0|2.2|1.standin|noarch|copr-operator-pr\n\nshadow-utils|2|4.17.0|1.fc44|x86_64|anaconda\n\n"
DNF5 = "copr-keygen|0|2.2|1.standin|noarch|copr-operator-pr\nshadow-utils|2|4.17.0|1.fc44|x86_64|\n"


class PackagesTest(unittest.TestCase):
    """Packages and where they came from."""

    def test_keys_are_no_packages(self) -> None:
        keygen, shadow = packages.parse_rpm(RPM)
        self.assertEqual((keygen.nevra, shadow.nevra),
                         ("copr-keygen-2.2-1.standin.noarch", "shadow-utils-2:4.17.0-1.fc44.x86_64"))
        self.assertEqual((keygen.vendor, shadow.vendor), (None, "Fedora Project"))
        self.assertEqual(shadow.source_rpm, "shadow-utils-4.17.0-1.fc44.src.rpm")

    def test_both_dnfs(self) -> None:
        self.assertEqual(packages.parse_origins(DNF4)["shadow-utils-2:4.17.0-1.fc44.x86_64"], "anaconda")
        self.assertEqual(packages.parse_origins(DNF5), {"copr-keygen-2.2-1.standin.noarch": "copr-operator-pr"})

    def label(self, origins: str, *names: str) -> dict[str, str]:
        """The labels."""
        return packages.labels(packages.parse_rpm(RPM), packages.parse_origins(origins), names)

    def test_the_label_has_packages_of_the_request_only(self) -> None:
        self.assertEqual(self.label(DNF4, "unused", "pr"), {packages.LABEL: '{"pr":["copr-keygen-2.2-1.standin.noarch"]}'})
        self.assertEqual(self.label("", "pr"), {packages.LABEL: "{}"})

    def test_a_repository_of_the_base_image_is_none_of_the_request_whatever_its_name(self) -> None:
        self.assertEqual(self.label(DNF4.replace("copr-operator-pr", "pr"), "pr"), {packages.LABEL: "{}"})

    def test_a_pinned_package_comes_from_its_repository(self) -> None:
        of_pins = DNF4.replace("copr-operator-pr", "copr-operator:pins-pr")
        self.assertEqual(self.label(of_pins, "pr"), self.label(DNF4, "pr"))

    def test_source_packages_of_another_name_are_told(self) -> None:
        rpm = RPM.replace("copr-keygen-2.2-1.standin.src.rpm", "copr-signing-tools-2.2-1.standin.src.rpm")
        labels = packages.labels(packages.parse_rpm(rpm), packages.parse_origins(DNF4), ["pr"])
        self.assertEqual(json.loads(labels[packages.SOURCES_LABEL]), {"copr-keygen-2.2-1.standin.noarch": "copr-signing-tools"})

    def test_what_the_inputs_do_not_know_is_refused(self) -> None:
        found, origins = packages.parse_rpm(RPM), packages.parse_origins(DNF4)
        for expected in (None, frozenset({"copr-keygen-2.2-1.standin.noarch"})):
            packages.check_expected(found, origins, [Repository("pr", "https://pr.example/", 10, expected=expected)])
        with self.assertRaises(RepositoriesChanged) as raised:
            known = frozenset({"copr-keygen-2.1-1.standin.noarch"})
            packages.check_expected(found, origins, [Repository("pr", "https://pr.example/", 10, expected=known)])
        self.assertEqual(raised.exception.exit_code, 3)
        self.assertEqual(raised.exception.lines, ["pr (https://pr.example/) served copr-keygen-2.2-1.standin.noarch"])

    def test_another_version_than_the_pinned_one_is_refused(self) -> None:
        found, origins = packages.parse_rpm(RPM), packages.parse_origins(DNF4)
        for pin in ("2.2-1.standin", "0:2.2-1.standin"):
            packages.check_pins(found, origins, {"copr-keygen": pin, "copr-cli": "1-1"})
        packages.check_pins(found, origins, {"shadow-utils": "2:4.17.0-1.fc44"})
        with self.assertRaises(PackagesRefused) as raised:
            packages.check_pins(found, origins, {"copr-keygen": "2.1-1.standin"})
        self.assertIn("copr-keygen-2.2-1.standin.noarch was installed (from copr-operator-pr)", raised.exception.lines[0])
