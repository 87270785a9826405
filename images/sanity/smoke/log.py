"""The log of a test, on stdout: what is done, with what result, and never a secret."""

import configparser
import time
from pathlib import Path

_secrets: set[str] = set()


def hide_secrets_of(config: Path) -> None:
    """From now on neither the login nor the token of this configuration is printed."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(config)
    for name in ("login", "token"):
        hide(parser.get("copr-cli", name, fallback=""))


def hide(secret: str) -> None:
    """From now on this text is printed as ***."""
    if secret:
        _secrets.add(secret)


def scrub(text: str) -> str:
    """The text without secrets."""
    for secret in _secrets:
        text = text.replace(secret, "***")
    return text


def say(text: str) -> None:
    """One step, or one thing seen, with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {scrub(text)}", flush=True)


def output(text: str) -> None:
    """What a program printed, indented."""
    for line in scrub(text).splitlines():
        if line.strip():
            print(f"         | {line}", flush=True)
