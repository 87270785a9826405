"""The SBOM, where the library is there that writes it."""

import json
import unittest

from build_image.packages import Package, parse_os_release
from build_image.request import Image

DIGEST = "sha256:" + "0" * 64
IMAGE = Image("registry.example.org", "team/copr-keygen", "1")
FEDORA = 'NAME="Fedora Linux"\n# comment\nID=fedora\nVERSION_ID=44\n'
PACKAGES = [
    Package("copr-keygen", 0, "2.2", "1.fc44", "noarch", "GPL-2.0-or-later", None, "copr-keygen-2.2-1.fc44.src.rpm", "aa"),
    Package("shadow-utils", 2, "4.17.0", "1.fc44", "x86_64", "BSD-3-Clause AND GPL-2.0-or-later", "Fedora Project",
            "shadow-utils-4.17.0-1.fc44.src.rpm", "bb"),
    Package("odd", 0, "1", "1", "noarch", "Redistributable, no modification permitted", None, None, None),
]


class SbomTest(unittest.TestCase):
    """What is said of an image and of its packages."""

    def setUp(self) -> None:
        # Not above: most machines have no use for the library.
        from build_image import sbom
        text = sbom.make(IMAGE, DIGEST, parse_os_release(FEDORA), PACKAGES, {"copr-keygen-2.2-1.fc44.noarch": "pr"})
        self.found = json.loads(text)
        self.components = {one["name"]: one for one in self.found["components"]}

    def test_the_image_by_digest(self) -> None:
        self.assertEqual((self.found["bomFormat"], self.found["specVersion"]), ("CycloneDX", "1.6"))
        subject = self.found["metadata"]["component"]
        self.assertEqual((subject["type"], subject["name"], subject["version"]),
                         ("container", "registry.example.org/team/copr-keygen", DIGEST))
        self.assertTrue(subject["purl"].startswith("pkg:oci/copr-keygen@sha256"))

    def test_package_urls(self) -> None:
        self.assertEqual(self.components["copr-keygen"]["purl"],
                         "pkg:rpm/fedora/copr-keygen@2.2-1.fc44?arch=noarch&distro=fedora-44&upstream=copr-keygen-2.2-1.fc44.src.rpm")
        self.assertIn("epoch=2", self.components["shadow-utils"]["purl"])

    def test_licenses_whatever_they_are(self) -> None:
        licenses = {name: one["licenses"][0] for name, one in self.components.items()}
        self.assertEqual(licenses["copr-keygen"], {"license": {"id": "GPL-2.0-or-later"}})
        self.assertEqual(licenses["shadow-utils"]["expression"], "BSD-3-Clause AND GPL-2.0-or-later")
        self.assertEqual(licenses["odd"]["license"]["name"], "Redistributable, no modification permitted")

    def test_where_packages_came_from(self) -> None:
        properties = {one["name"]: one["value"] for one in self.components["copr-keygen"]["properties"]}
        self.assertEqual(properties, {"rpm:sha256header": "aa", "org.fedorainfracloud.copr:repository": "pr"})
        self.assertEqual(self.components["shadow-utils"]["supplier"], {"name": "Fedora Project"})
        self.assertNotIn("properties", self.components["odd"])
