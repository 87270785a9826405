"""The log, on stdout: the steps with the seconds since the start, and never a secret."""

import re
import time

_started = time.monotonic()
_secrets: set[str] = set()
_names: dict[str, str] = {}

# The user and the password of a URL.
_USERINFO = re.compile(r"(?<=://)[^/\s@]+(?=@)")


def hide(secret: str) -> None:
    """From now on this text is printed as ***."""
    if secret:
        _secrets.add(secret)


def rename(local: str, known: str) -> None:
    """From now on this text is printed as the other, which means something to others."""
    _names[local] = known


def scrub(text: str) -> str:
    """The text without secrets."""
    for local in sorted(_names, key=len, reverse=True):
        text = text.replace(local, _names[local])
    # The longest first: one may contain another.
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _USERINFO.sub("***", text)


def say(text: str) -> None:
    """One step, or one thing seen."""
    print(f"[{time.monotonic() - _started:6.1f}s] {scrub(text)}", flush=True)


def output(line: str) -> None:
    """A line that a program printed."""
    print(f"    {scrub(line)}", flush=True)
