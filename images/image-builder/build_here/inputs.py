"""Hashes of what an image is made of: its second tag, by which it isn't made twice."""

import hashlib
from pathlib import Path

from build_image import mirror
from build_image.failures import Unavailable
from build_image.mirror import Mirror, Origin


def of(*parts: str) -> str:
    """One hash for all, as short as a tag should be."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def of_folder(folder: Path) -> str:
    """Names and contents of all files below it."""
    found = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            found.update(f"{file.relative_to(folder)}\0{of_file(file)}\n".encode())
    return found.hexdigest()


def of_file(file: Path) -> str:
    """Its content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def of_repositories(server: Mirror) -> str:
    """What is in them, not where they are: the stand-ins' folder has another path in another clone."""
    return of(*(part for origin in server.origins.values() for part in (
        origin.repository.name, str(origin.repository.priority), origin.repository.gpg_key or "", _metadata(origin, server))))


def _metadata(origin: Origin, server: Mirror) -> str:
    with (server.spool / "repomd.xml").open("w+b") as content:
        status, _ = mirror.fetch(origin, "repodata/repomd.xml", "GET", {}, content, server.limit, server.sleep)
        if status != 200:
            raise Unavailable(f"the repository {origin.repository.name} can't be read",
                              [origin.gone or f"{origin.url('repodata/repomd.xml')} answered {status}"])
        content.seek(0)
        return hashlib.file_digest(content, "sha256").hexdigest()
