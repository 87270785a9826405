"""What two failures with the same cause have in common."""

import hashlib
import re
from collections.abc import Iterable

# In this order: a file's name of mktemp may look like a number, a UUID consists of them.
_VARYING = (
    re.compile(r"/(?:var/)?tmp/[^\s'\",;:)]+"),
    re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,}\b"),
    re.compile(r"\d+(?:[.:,-]\d+)*"),
)
_LENGTH = 16


def fingerprint(texts: Iterable[str], names: Iterable[str] = ()) -> str:
    """A hash of the texts without what differs from run to run: those names, numbers, times, hashes, temporary files."""
    joined = "\n".join(texts)
    for name in filter(None, names):
        joined = joined.replace(name, "#")
    for pattern in _VARYING:
        joined = pattern.sub("#", joined)
    return hashlib.sha256(joined.encode(errors="replace")).hexdigest()[:_LENGTH]
