"""Whose fault it is that a RUN failed, in dnf's and rpm's words.

The packages are to blame only if dnf or rpm says that they can't be installed, or if a step that has nothing to do with dnf fails:
it would fail again. All else may be different a moment later.
"""

import enum
import re
from collections.abc import Iterable


class Blame(enum.Enum):
    """Whose fault it is."""

    PACKAGES = "the packages"
    # Somebody on the net: worth another try within the pod.
    MIRROR = "a mirror"
    UNKNOWN = "nobody knows"


# A mirror that is away, slow or half-synchronized.
_AWAY = re.compile(
    r"curl error|all mirrors (?:were|have been) (?:already )?tried|usable url not found|cannot download|failed to download"
    r"|errors? during downloading|error downloading packages|status code: \d{3}|could not resolve host"
    r"|temporary failure in name resolution|name or service not known|connection (?:refused|reset|timed out)|operation too slow"
    r"|timeout was reached|timed out|no route to host|network is unreachable|checksum doesn't match|checksum (?:error|mismatch)"
    r"|no more mirrors to try|failed to retrieve gpg key|unable to download|ignoring (?:unavailable )?repositor|failed to synchronize cache",
    re.IGNORECASE)
# What dnf says of an attempt that the next mirror made up for.
_RECOVERED = re.compile(r"^\s*\[MIRROR\]", re.IGNORECASE)
_REFUSED = re.compile(
    r"nothing provides|no match for argument|unable to find a match|unable to resolve argument|conflicting requests|^\s*Problem(?: \d+)?: "
    r"|conflicts (?:with|between)|failed to resolve the transaction|cannot install|filtered out by|gpg check failed|is not signed|not signed"
    r"|public key|signature|scriptlet|transaction (?:test )?(?:error|failed)|cpio:|unpack(?:ing)? of archive failed"
    r"|does not verify|package .* (?:does not|doesn't) verify|no such package|package .* is intended for|error: .* nonexistent user",
    re.IGNORECASE | re.MULTILINE)


def of(step: str, lines: Iterable[str]) -> Blame:
    """From the instruction and what it printed."""
    told = [line for line in lines if not _RECOVERED.search(line)]
    if any(map(_AWAY.search, told)):
        # Also where dnf goes on without the repository, and then lacks what it would have had.
        return Blame.MIRROR
    if any(map(_REFUSED.search, told)) or not re.search(r"\b(?:micro)?dnf5?\b|\brpm\b", step):
        return Blame.PACKAGES
    return Blame.UNKNOWN
