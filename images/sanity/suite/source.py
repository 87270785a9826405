"""Gets the tests: from a folder, or from a git repository at one commit."""

import os
import re
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import NoSource
from .listing import Source
from .log import hide, output, say, scrub

ATTEMPTS, PAUSE = 3, 5.0
LIMIT = 300.0
# Servers give a commit by its hash only if they want to, and never by a part of it.
_COMMIT = re.compile(r"[0-9a-f]{7,40}")

# Nobody is there to be asked for a password; no hook or configuration of the user takes part.
_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}


@dataclass(frozen=True)
class Origin:
    """Where the tests come from."""

    folder: Path | None
    """A folder with them; otherwise they are fetched."""
    url: str
    ref: str

    @classmethod
    def from_environment(cls, url: str, ref: str, env: Mapping[str, str] = os.environ) -> "Origin":
        """SUITE_DIR, or SUITE_GIT_URL and SUITE_GIT_REF, or what is given."""
        folder = env.get("SUITE_DIR", "")
        return cls(Path(folder) if folder else None, env.get("SUITE_GIT_URL") or url, env.get("SUITE_GIT_REF") or ref)


@dataclass(frozen=True)
class Scripts:
    """A checkout."""

    root: Path
    source: Source | None
    """None where nobody knows of what commit it is."""


class GitFailed(Exception):
    """What git said."""


def obtain(origin: Origin, sleep: Callable[[float], None] = time.sleep) -> Scripts:
    """The tests. Where they can't be had, it's a NoSource that says why."""
    if origin.folder:
        if not origin.folder.is_dir():
            raise NoSource(f"SUITE_DIR, {origin.folder}, is no folder")
        return Scripts(origin.folder, _source(origin.folder, str(origin.folder)))
    parts = urllib.parse.urlsplit(origin.url)
    hide(parts.password or "")
    # Not listed: a token may stand before the host's name.
    url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.scheme else origin.url
    root = Path(tempfile.mkdtemp(prefix="suite-"))
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _fetch(root, origin)
            return Scripts(root, _source(root, url))
        except GitFailed as error:
            say(f"getting {url} at {origin.ref}: {error}")
            if attempt == ATTEMPTS:
                raise NoSource(f"{url} at {origin.ref} can't be had: {error}") from error
            sleep(PAUSE)
    raise AssertionError("the last attempt returns or raises")


def _fetch(root: Path, origin: Origin) -> None:
    git(root, "init", "--quiet")
    try:
        git(root, "fetch", "--quiet", "--depth", "1", "--", origin.url, origin.ref)
        found = "FETCH_HEAD"
    except GitFailed:
        if not _COMMIT.fullmatch(origin.ref):
            raise
        # Pull requests' commits are below refs/pull/.
        git(root, "fetch", "--quiet", "--", origin.url, "+refs/*:refs/suite/*")
        found = f"{origin.ref}^{{commit}}"
    git(root, "checkout", "--quiet", "--force", "--detach", found)


def _source(root: Path, url: str) -> Source | None:
    try:
        return Source(url, git(root, "rev-parse", "HEAD").strip())
    except GitFailed as error:
        say(f"{root}: {error}")
        return None


def git(root: Path, *args: str) -> str:
    """Runs git in the folder, whoever owns that."""
    command = ["git", "-c", f"safe.directory={root}", "-C", str(root), *args]
    say("$ " + " ".join(command))
    try:
        done = subprocess.run(command, env={**os.environ, **_ENVIRONMENT},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=LIMIT, check=False)
    except FileNotFoundError as error:
        raise NoSource("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise GitFailed(f"git {args[0]} took longer than {LIMIT:.0f} s") from error
    output(done.stderr)
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise GitFailed(scrub(next((line for line in lines if line.startswith(("fatal:", "error:"))),
                                   lines[-1] if lines else f"git {args[0]} exited with {done.returncode}")))
    return done.stdout
