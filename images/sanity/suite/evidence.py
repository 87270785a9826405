"""What a test leaves in EVIDENCE_DIR, which the operator keeps; nothing where there is no such folder."""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from .log import say, secrets

LOG, JUNIT = "log.txt", "junit.xml"
# Of a file; the pod's log has most of it as well.
LIMIT = 16 << 20


def folder(env: Mapping[str, str] = os.environ) -> Path | None:
    """The folder, if there is one to write to."""
    path = env.get("EVIDENCE_DIR", "")
    if not path:
        return None
    if not os.access(path, os.W_OK | os.X_OK):
        say(f"nothing is kept: EVIDENCE_DIR, {path}, can't be written to")
        return None
    return Path(path)


def keep(path: Path, content: bytes) -> None:
    """Writes a file, its folders included. Evidence that can't be kept changes no verdict."""
    try:
        with readable():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        say(f"{path} isn't kept: {error}")


def scrubbed(path: Path) -> bytes:
    """The file's beginning without secrets."""
    with path.open("rb") as file:
        content = file.read(LIMIT)
    for secret in secrets():
        content = content.replace(secret.encode(), b"***")
    return content


@contextlib.contextmanager
def readable() -> Iterator[None]:
    """What is made meanwhile can be read by whoever keeps it, another user maybe."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def safe(name: str) -> str:
    """The name as that of one file."""
    return re.sub(r"[^\w.+~-]", "_", name).lstrip(".")[:100] or "_"
