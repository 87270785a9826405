"""The keyring, and the phrases that tell signd which keys there are."""

import fcntl
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEY_EMAIL = re.compile(r"@?[\w.-]+#[-\w.]+@[-\w.]+")

BATCH = """\
%no-protection
Key-Type: RSA
Key-Length: {length}
Key-Usage: sign
Name-Real: {real}
Name-Email: {email}
Expire-Date: {expire}
%commit
"""


class KeyRingError(Exception):
    """gpg failed; the message has what it said."""


def is_key_email(value: str) -> bool:
    """Is this OWNER#PROJECT@DOMAIN, the name of a project's key? As it names
    a file too, it can't have a slash."""
    return KEY_EMAIL.fullmatch(value) is not None


def gpg_command(settings: Mapping[str, Any]) -> list[str]:
    """The beginning of every call of gpg on this keyring."""
    return [settings["GPG_BINARY"], "--homedir", settings["GNUPG_HOMEDIR"],
            "--no-auto-check-trustdb"]


@dataclass(frozen=True)
class KeyRing:
    """The folder of gpg and the one of the phrases."""

    gpg: tuple[str, ...]
    phrases: Path

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "KeyRing":
        """The keyring of the service's settings."""
        return cls(tuple(gpg_command(settings)), Path(settings["PHRASES_DIR"]))

    def _run(self, args: list[str], text: str = "") -> str:
        done = subprocess.run([*self.gpg, "--batch", *args], input=text, text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise KeyRingError(f"gpg {' '.join(args)} exited {done.returncode}: {done.stderr}")
        return done.stdout

    def has(self, email: str) -> bool:
        """Is there a key with exactly this address?"""
        # --export succeeds without output if there's none; --list-keys would fail.
        return bool(self._run(["--armor", "--export", f"<{email}>"]))

    @contextmanager
    def _only_one(self, email: str) -> Iterator[None]:
        """Requests for one key come one after the other, others side by side."""
        with (self.phrases / f"{email}.lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def ensure(self, real: str, email: str, length: int, expire: str) -> bool:
        """Make the key unless there is one; true if it's new."""
        with self._only_one(email):
            created = not self.has(email)
            if created:
                self._run(["--gen-key", "-"], BATCH.format(
                    length=length, real=real, email=email, expire=expire))
            phrase = self.phrases / email
            # signd takes a key without a phrase for an unknown one. The key has
            # no passphrase, so it doesn't matter what this says.
            if not phrase.exists() or not phrase.stat().st_size:
                phrase.write_text("1\n", encoding="utf-8")
            return created
