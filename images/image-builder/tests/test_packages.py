"""What rpm and dnf answer."""

import json
import unittest

from build_image import packages

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

    def test_the_label_has_packages_of_the_request_only(self) -> None:
        found = packages.parse_rpm(RPM)
        label = packages.label(found, packages.parse_origins(DNF4), ["unused", "pr"])
        self.assertEqual(label, '{"pr":["copr-keygen-2.2-1.standin.noarch"]}')
        self.assertEqual(json.loads(packages.label(found, {}, ["pr"])), {})

    def test_a_repository_of_the_base_image_is_none_of_the_request_whatever_its_name(self) -> None:
        of_base = DNF4.replace("copr-operator-pr", "pr")
        self.assertEqual(packages.label(packages.parse_rpm(RPM), packages.parse_origins(of_base), ["pr"]), "{}")
