"""The OCI layout of what refers to an image."""

import json
import tempfile
import unittest
from pathlib import Path

from build_image import referrer

SUBJECT = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}'
TYPE = "application/vnd.cyclonedx+json"


class ReferrerTest(unittest.TestCase):
    """As the OCI specifications have it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.layout = Path(folder.name, "layout")
        referrer.write_layout(self.layout, SUBJECT, TYPE, b'{"bomFormat":"CycloneDX"}', "sbom.cdx.json")

    def blob(self, descriptor: dict) -> bytes:
        """A blob, which has to be what its descriptor says."""
        content = (self.layout / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()
        self.assertEqual((referrer.digest_of(content), len(content)), (descriptor["digest"], descriptor["size"]))
        return content

    def test_the_chain_from_the_index_to_the_content(self) -> None:
        layout = json.loads((self.layout / "index.json").read_text())["manifests"][0]
        self.assertEqual(layout["annotations"], {"org.opencontainers.image.ref.name": referrer.NAME})
        index = json.loads(self.blob(layout))
        self.assertEqual([one["artifactType"] for one in index["manifests"]], [TYPE])
        manifest = json.loads(self.blob(index["manifests"][0]))
        self.assertEqual(manifest["artifactType"], TYPE)
        self.assertEqual(self.blob(manifest["config"]), b"{}")
        self.assertEqual(self.blob(manifest["layers"][0]), b'{"bomFormat":"CycloneDX"}')

    def test_the_subject(self) -> None:
        index = json.loads(self.blob(json.loads((self.layout / "index.json").read_text())["manifests"][0]))
        subject = json.loads(self.blob(index["manifests"][0]))["subject"]
        self.assertEqual(subject, {"mediaType": referrer.MANIFEST, "digest": referrer.digest_of(SUBJECT), "size": len(SUBJECT)})

    def test_the_tag_of_a_registry_without_the_api(self) -> None:
        self.assertEqual(referrer.fallback_tag("sha256:ab"), "sha256-ab")
