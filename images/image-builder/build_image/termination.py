"""The message that Kubernetes keeps of a container that ended."""

import json
from pathlib import Path

from . import log
from .failures import BuildFailure

# Kubernetes keeps no more.
LIMIT = 4096


def leave(message: str, file: Path) -> None:
    """Writes the message, as much of it as is kept."""
    file.write_bytes(cut(log.scrub(message), LIMIT))


def of_success(digest: str) -> str:
    """What the operator reads."""
    return json.dumps({"digest": digest})


def of_failure(failure: BuildFailure) -> str:
    """The summary, then what the failed program said."""
    return "\n".join([failure.summary, *failure.lines])


def cut(text: str, limit: int) -> bytes:
    """As UTF-8 within the limit: without the middle, since the first line says what, and the last ones why."""
    if len(text.encode()) <= limit:
        return text.encode()
    summary, _, rest = text.partition("\n")
    begin = summary.encode()[:limit // 4].decode(errors="ignore") + "\n...\n"
    end = rest.encode()[-(limit - len(begin.encode())):] if rest else b""
    return begin.encode() + end.decode(errors="ignore").encode()
