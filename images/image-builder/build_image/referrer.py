"""An artifact that refers to an image, as an OCI layout for skopeo to copy.

The layout has an index, which is what a registry without the referrers API is asked for: by the tag
ALGORITHM-HEX of the image's digest. One that has the API finds the artifact by its subject.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"

# The layout's own name for the index.
NAME = "referrers"


def write_layout(folder: Path, subject: bytes, media_type: str, content: bytes, title: str) -> None:
    """Writes a layout with the content as the only referrer of the image whose manifest is given."""
    folder.mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    manifest = _dump({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": media_type,
        "config": _blob(folder, EMPTY, b"{}"),
        "layers": [_blob(folder, media_type, content) | {"annotations": {"org.opencontainers.image.title": title}}],
        "subject": _descriptor(json.loads(subject).get("mediaType", MANIFEST), subject),
    })
    index = _dump({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [_blob(folder, MANIFEST, manifest) | {"artifactType": media_type}],
    })
    (folder / "index.json").write_bytes(_dump({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [_blob(folder, INDEX, index) | {"annotations": {"org.opencontainers.image.ref.name": NAME}}],
    }))


def fallback_tag(digest: str) -> str:
    """Where a registry without the referrers API has the referrers of a digest."""
    return digest.replace(":", "-")


def digest_of(content: bytes) -> str:
    """As registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _blob(folder: Path, media_type: str, content: bytes) -> dict[str, Any]:
    descriptor = _descriptor(media_type, content)
    algorithm, _, value = descriptor["digest"].partition(":")
    file = folder / "blobs" / algorithm / value
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return descriptor


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _dump(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
