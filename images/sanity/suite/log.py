"""The log of a test, on stdout and in its evidence: what is done, with what result, and never a secret."""

import base64
import configparser
import time
from pathlib import Path
from typing import TextIO

# Of the copy; the pod's own log has everything.
COPY_LIMIT = 16 << 20

_secrets: set[str] = set()
_copy: "_Copy | None" = None


class _Copy:
    """A file with the same lines, up to a size."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._left = COPY_LIMIT

    def write(self, text: str) -> None:
        """Appends it; the last line of a copy that is full says so."""
        if self._left <= 0:
            return
        self._left -= len(text)
        try:
            self._file.write(text if self._left > 0 else f"… cut off after {COPY_LIMIT >> 20} MiB\n")
        except OSError as error:
            self._left = 0
            print(f"the log's copy ends here: {error}", flush=True)


def copy_to(path: Path) -> None:
    """From now on what is printed goes to that file, too."""
    global _copy
    try:
        _copy = _Copy(path.open("w", encoding="utf-8", errors="replace", buffering=1))
    except OSError as error:
        say(f"{path} isn't written: {error}")


def hide_secrets_of(config: Path) -> None:
    """From now on neither the login nor the token of this configuration is printed."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(config)
    login, token = (parser.get("copr-cli", name, fallback="") for name in ("login", "token"))
    hide(login)
    hide(token)
    if login and token:
        # As an HTTP header has both.
        hide(base64.b64encode(f"{login}:{token}".encode()).decode())


def hide(secret: str) -> None:
    """From now on this text is printed as ***."""
    if secret:
        _secrets.add(secret)


def secrets() -> list[str]:
    """What is hidden, longest first: one may be a part of another."""
    return sorted(_secrets, key=len, reverse=True)


def scrub(text: str) -> str:
    """The text without secrets."""
    for secret in secrets():
        text = text.replace(secret, "***")
    return text


def say(text: str) -> None:
    """One step, or one thing seen, with the time of day."""
    emit(f"{time.strftime('%H:%M:%S')} {scrub(text)}\n")


def output(text: str) -> None:
    """What a program printed, indented."""
    for line in scrub(text).splitlines():
        if line.strip():
            emit(f"         | {line}\n")


def emit(text: str) -> None:
    """Prints what has no secret in it, as it is."""
    print(text, end="", flush=True)
    if _copy:
        _copy.write(text)
